"""Killed at any moment, the same command run again comes to exactly what an undisturbed run comes to.

A sample of moments by default; all of them with ``M365AUDIT_CRASH_SWEEP=all`` (some minutes), or a number of them.
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final

import pytest
from landed import USER, Desk, audit, call, group_page, sign_in

LAUNCHER: Final = Path(__file__).parent / "launcher.py"
KILLED: Final = -9
SAMPLE: Final = 8
DELAYS: Final = (0.05, 0.4)


class Launcher:
    """The launcher as a process; asked point by point."""

    def __init__(self, folder: Path) -> None:
        desk = Desk(folder / "template")
        evidence = folder / "evidence"
        for path in write_evidence(desk):
            target = evidence / path.relative_to(desk.folder / "evidence")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        arguments = [sys.executable, str(LAUNCHER), str(desk.folder), str(evidence), str(folder)]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, point: str) -> dict[str, Any]:
        """Try one point."""
        said, answers = _pipes(self._process)
        said.write(point + "\n")
        said.flush()
        answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    def close(self) -> None:
        """End it."""
        for pipe in _pipes(self._process):
            pipe.close()
        self._process.wait(timeout=60)


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None
    assert process.stdout is not None
    return process.stdin, process.stdout


def write_evidence(desk: Desk) -> Iterator[Path]:
    """Write six files: hours that have settled and that grow, a bad record, versions, compressed, a listing."""
    hour = "insights/y=2026/m=05/d=04/h={}/m=00/PT1H.json"
    calls = [call(f"c{n}", f"2026-05-04T10:{n:02}:00Z") for n in range(30)]
    yield desk.write(hour.format(10), calls, at="2026-05-08T00:00:00Z")
    yield desk.write(
        hour.format(11), [*calls[:3], call("d1", "2026-05-04T11:00:00Z"), call(None)], at="2026-05-04T11:30:00Z"
    )
    yield desk.write("audit.json", [audit(f"a{n}") for n in range(5)], at="2026-05-05T00:00:00Z")
    yield desk.write("audit-later.json", [audit("a1", Operation="Send"), audit("a2")], at="2026-05-06T00:00:00Z")
    packed = gzip.compress("\n".join(json.dumps(sign_in(f"s{n}")) for n in range(5)).encode(), mtime=0)
    yield desk.write("sign-ins.json.gz", packed, at="2026-05-05T00:00:00Z")
    yield desk.write("groups.json", group_page([USER]), at="2026-05-05T00:00:00Z")


def chosen(calls: int, sample: int = SAMPLE) -> Sequence[int]:
    """Return the moments to try, evenly spread over the run with both ends."""
    wanted = os.environ.get("M365AUDIT_CRASH_SWEEP", str(sample))
    number = calls if wanted == "all" else min(int(wanted), calls)
    return sorted({1 + round(index * (calls - 1) / max(number - 1, 1)) for index in range(number)})


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_killed_at_any_moment_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    launcher = Launcher(tmp_path)
    try:
        whole = launcher.ask("none")
        assert (whole["killed"], whole["shown"], whole["left"]) == (0, 0, [])
        assert len(whole["tables"]["access_events"]) == 36
        points = [f"call:{number}" for number in chosen(whole["calls"])] + [f"delay:{delay}" for delay in DELAYS]
        bad = []
        for point in points:
            answer = launcher.ask(point)
            assert answer["killed"] in ({KILLED} if point.startswith("call") else {KILLED, 0}), answer
            if (answer["between"], answer["again"], answer["shown"]) != (0, 0, 0):
                bad.append(f"{point}: {answer['between']} {answer['again']} {answer['shown']}")
                continue
            different = [name for name in whole["tables"] if answer["tables"].get(name) != whole["tables"][name]]
            if different or answer["left"] or not answer["is_page_whole"]:
                bad.append(f"{point}: {different} {answer['left']} {answer['is_page_whole']}")
        assert not bad, f"{len(bad)} of {len(points)} points (of {whole['calls']}): {bad[:20]}"
    finally:
        launcher.close()

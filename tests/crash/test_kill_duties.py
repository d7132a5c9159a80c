"""Killed at any moment, an erasure or a purge has happened or has not; repeated, it comes to what it should.

A sample of moments by default; all of them with ``M365AUDIT_CRASH_SWEEP=all``, or a number of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from endtoend import aged, marked
from landed import Desk

from .test_kill import KILLED, chosen

PROGRAM: Final = Path(__file__).parent / "duties.py"
SAMPLE: Final = 4
LAST: Final = 30
JOURNAL: Final = {"review.sqlite", "review.sqlite-wal", "review.sqlite-shm"}
EVIDENCE: Final = {"erase": marked.evidence, "purge": aged.evidence}
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class _Program:
    """The program under way, asked point by point."""

    def __init__(self, process: subprocess.Popen[str], duty: str) -> None:
        self._process, self._duty = process, duty

    def ask(self, point: int) -> dict[str, Any]:
        """Try one moment; 0 is none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self._duty} {point}\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def _program(folder: Path, duty: str) -> Iterator[_Program]:
    desk = Desk(folder / "template")
    desk.run(*EVIDENCE[duty](desk), evaluate=True)
    arguments = [sys.executable, str(PROGRAM), str(desk.folder), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(PROGRAM.parent.parent)}
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield _Program(process, duty)
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.parametrize("duty", sorted(EVIDENCE))
def test_killed_at_any_moment_it_has_happened_or_has_not(tmp_path: Path, duty: str) -> None:
    with _program(tmp_path, duty) as program:
        whole = program.ask(0)
        assert whole["killed"] == 0
        assert whole["before"]["found"] != []
        assert whole["opened"]["found"] == []
        answers, calls = whole["before"]["answers"], whole["calls"]
        # The last moments are those that change what is there: they are tried more closely than the copying before.
        points = sorted({*chosen(calls, SAMPLE), *(calls - n for n in chosen(LAST, SAMPLE))})
        bad = [wrong for n in points if (wrong := _wrong(program.ask(n), whole["before"]["found"], answers))]
    assert bad == [], f"{len(bad)} of {len(points)} moments of {calls}"


def _wrong(answer: dict[str, Any], full: list[str], answers: list[str]) -> str:
    """Return what is wrong with what came of one moment; nothing when it is right."""
    opened, again = answer["opened"], answer["again"]
    if answer["killed"] != KILLED or "failed" in opened or "failed" in again:
        return f"{answer['killed']} {opened} {again}"
    # The journal goes first, by itself; all other files change together.
    there = set(opened["found"]) - JOURNAL
    is_half = there not in (set(), set(full) - JOURNAL)
    is_told = not there and opened["events"][-1:] not in (["erasure done"], ["purge purged"])
    is_other = answers != opened["answers"] or answers != again["answers"]
    broken = opened["broken"] or again["broken"]
    if is_half or is_told or is_other or broken or again["found"] or again["left"]:
        return f"half {is_half}, untold {is_told}, other answers {is_other}, broken {broken}: {opened} {again}"
    return ""

"""The program as a shell sees it: closed pipes, full disks, Ctrl-C, other encodings and time zones."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .tiny_world import World, program

_ENDLESS = "SELECT count(*) FROM range(100000000000) WHERE sin(range) > 2"
_WIDE = "SELECT repeat('x', 1000) AS x FROM range(2000)"


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, stdout and stderr."""
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_reader_that_goes_away_is_no_error(world: World, form: str) -> None:
    with program("--config", world.config, "query", "--sql", _WIDE, "--format", form) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


def test_a_run_whose_log_nobody_reads_goes_on_to_its_end(world: World) -> None:
    with program("--config", world.config, "evaluate", M365AUDIT_LOG="debug") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.close()
        assert "Report:" in process.stdout.read()
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("command", ["report", "findings"])
def test_a_full_disk_is_five(world: World, command: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, _, err = finish(program("--config", world.config, command, stdout=full))
    assert code == 5
    assert err == "error: the output could not be written: No space left on device\n"


@pytest.mark.parametrize("after", [0.0, 0.6])
def test_ctrl_c_is_obeyed_and_is_130(world: World, after: float) -> None:
    process = program("--config", world.config, "query", "--sql", _ENDLESS)
    _wait_for_child(process.pid)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert (code, out) == (130, "")
    assert err.strip() == "interrupted; what was landed is safe, run the same command again"


def _wait_for_child(pid: int) -> None:
    """Wait until the query runs in its child; how long a program takes to start is not what is tried."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    end = time.monotonic() + 30
    while time.monotonic() < end and not children.read_text(encoding="ascii").strip():
        time.sleep(0.02)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_without_the_characters_gets_escapes(world: World, encoding: str) -> None:
    process = program("--config", world.config, "findings", PYTHONIOENCODING=encoding, LC_ALL="C", NO_COLOR="1")
    code, _, err = finish(process)
    assert (code, err) == (0, "")


def test_the_time_zone_changes_nothing(world: World) -> None:
    sql = "SELECT occurred_at, occurred_at::DATE AS day, occurred_at::VARCHAR AS text FROM access_events ORDER BY ALL"
    answers = [
        finish(program("--config", world.config, "query", "--sql", sql, "--format", "csv", TZ=zone))
        for zone in ("UTC", "America/New_York", "Asia/Kolkata")
    ]
    assert answers[0][0] == 0
    assert answers[0][1].count("2026-09-01") >= 3
    assert answers[1:] == answers[:1] * 2


def test_a_second_run_is_told_and_is_five_and_readers_are_not_locked_out(world: World) -> None:
    import fcntl  # noqa: PLC0415 - POSIX only, like the lock itself

    with (world.folder / "state" / "run.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        busy = program("--config", world.config, "evaluate")
        reading = program("--config", world.config, "query", "--sql", "SELECT 1 AS one", "--format", "csv")
        assert finish(reading)[:2] == (0, '"one"\n"1"\n')
        code, out, err = finish(busy)
    assert (code, out) == (5, "")
    assert "another run is at work" in err


def test_private_and_published_files_have_their_modes(world: World) -> None:
    assert (world.folder / "state").stat().st_mode & 0o777 == 0o700
    assert (world.folder / "state" / "m365audit.duckdb").stat().st_mode & 0o077 == 0
    assert (world.folder / "publish").stat().st_mode & 0o750 == 0o750
    assert os.access(world.folder / "publish" / "report.html", os.R_OK)

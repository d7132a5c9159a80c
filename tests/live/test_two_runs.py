"""Two runs at once: one works, the other says who does, since when, and touches nothing. The command line, for real."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from m365audit.simulator.service import Fault

from .living import Living, living, small_world

FEEDS = ("audit_exchange", "users")


def started(one: Living, *more: str) -> subprocess.Popen[str]:
    """Start ``m365audit run``."""
    config = one.settings.state.parent / "m365audit.yaml"
    feeds = [word for feed in FEEDS for word in ("--feed", feed)]
    begin = f"{one.world.begin:%Y-%m-%dT%H:%M:%SZ}"
    program = "from m365audit.cli import main; main()"
    command = [sys.executable, "-c", program, "run", "--config", str(config), "--from", begin, *feeds, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def until(one: Living, requests: int, process: subprocess.Popen[str], seconds: float = 40) -> None:
    """Wait until so many requests were made, or the process is over."""
    ends = time.monotonic() + seconds
    while len(one.simulator.log) < requests and process.poll() is None and time.monotonic() < ends:
        time.sleep(0.002)


def test_the_second_run_says_who_holds_the_lock_and_since_when(tmp_path: Path) -> None:
    hang = Fault("hangs", "*/users", count=1 << 40)
    with living(tmp_path, small_world(1), [hang]) as one:
        first = started(one)
        try:
            until(one, 6, first)
            assert first.poll() is None
            second = started(one)
            _, said = second.communicate(timeout=60)
            assert second.returncode == 5, said
            assert str(first.pid) in said
            assert re.search(r"since \d{4}-\d\d-\d\d[T ]\d\d:\d\d", said), said
            signed_in = one.simulator.log.to("/oauth2/v2.0/token")
            assert len(signed_in) <= 2, "one token for Graph, one for the Management API, and none for the second run"
        finally:
            first.kill()
            first.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_soon_and_keeps_what_was_landed(number: signal.Signals, tmp_path: Path) -> None:
    hang = Fault("hangs", "*/users", count=1 << 40)
    with living(tmp_path, small_world(2), [hang]) as one:
        process = started(one)
        until(one, 12, process)
        time.sleep(4)  # what came waits two seconds at most before it is landed
        assert process.poll() is None
        process.send_signal(number)
        at = time.monotonic()
        _, said = process.communicate(timeout=30)
        assert time.monotonic() - at < 10
        assert process.returncode == 130, said
        assert "Traceback" not in said
        one.simulator.faults.clear()
        kept = one.stored()
        one.feeds = dict.fromkeys(one.world.clients, FEEDS)
        outcome = one.run()
        one.require_exact(outcome)
        assert set(kept) <= set(one.stored())
        assert one.missing(now=one.world.now) == set()

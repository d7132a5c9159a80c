"""``m365audit serve`` as a program: the link on stderr, a stop by Ctrl-C, and what it refuses to begin."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from .serving import publish, settings_in

CONFIG = "state: state\npublish: publish\ntenants:\n- id: 11111111-1111-4111-8111-111111111111\n"
SIGN_IN = """review:
  sign_in: {tenant: 11111111-1111-4111-8111-111111111111, client_id: 22222222-2222-4222-8222-222222222222}
"""


def _command(folder: Path, *options: str) -> list[str]:
    program = [sys.executable, "-c", "from m365audit.cli import main; main()"]
    return [*program, "serve", "--config", str(folder / "m365audit.yaml"), "--no-open", *options]


@pytest.mark.skipif(os.name != "posix", reason="signals are sent otherwise there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_says_its_link_once_and_stops_when_told(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "m365audit.yaml").write_text(CONFIG)
    publish(settings_in(tmp_path))
    with subprocess.Popen(
        _command(tmp_path, "--port", "0"), stderr=subprocess.PIPE, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
        text=True,
    ) as program:  # fmt: skip
        assert program.stderr is not None
        assert program.stdout is not None
        link = ""
        while not link:
            line = program.stderr.readline()
            assert line, "it ended without a link"
            link = "".join(re.findall(r"http://127\.0\.0\.1:\d+/enter\?t=[\w-]+", line))
        page = httpx.get(link, trust_env=False, timeout=30)
        assert page.status_code == 200
        program.send_signal(number)
        rest = program.stderr.read()
        assert program.wait(20) == 0
        assert "stopped" in rest
        assert "t=" not in rest
        assert program.stdout.read() == ""
    assert not list((tmp_path / "state").glob(".reading-*"))


@pytest.mark.parametrize(
    ("options", "more", "what"),
    [
        (["--host", "0.0.0.0"], "", "nobody would have to sign in"),  # noqa: S104 - that is what is refused
        (["--host", "audit.example"], SIGN_IN, "without TLS"),
        (["--behind-proxy"], SIGN_IN, "not known"),
        (["--address", "http://audit.example"], "", "not an https address"),
    ],
)
def test_what_it_refuses(tmp_path: Path, options: list[str], more: str, what: str) -> None:
    (tmp_path / "m365audit.yaml").write_text(CONFIG + more)
    done = subprocess.run(_command(tmp_path, *options), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert what in done.stderr
    assert "Traceback" not in done.stderr

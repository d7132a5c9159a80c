"""What a tiny world is made of, and the two ways in which tests run commands: in this process and as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner, Result

from m365audit.cli import main

TENANT = "11111111-1111-4111-8111-111111111111"
RECORDED_APP = "c0ffee00-0000-4000-8000-000000000001"
SHADOW_APP = "0bad0000-0000-4000-8000-000000000001"
HOSTILE = "=cmd|'/c calc'!A1\x1b[31m\x9b2J\u202e<script>alert(1)</script>\nerror: nothing is wrong"
"""A display name that an attacker would choose: formula, terminal commands, right-to-left, markup, a forged line."""

Run = Callable[..., Result]
Arguments = list[str | Path]


@dataclass(frozen=True)
class World:
    """Where the tiny world is."""

    folder: Path

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "m365audit.yaml"


def call(event: str, app: str, day: int = 1) -> dict[str, Any]:
    """Return one logged Graph call that reads mail, as the diagnostic export has it."""
    time = f"2026-09-{day:02}T09:00:00Z"
    properties = {
        "requestId": event, "timeGenerated": time, "requestMethod": "GET", "responseStatusCode": 200, "appId": app,
        "tenantId": TENANT, "requestUri": "https://graph.microsoft.com/v1.0/users/u@contoso.example/messages",
        "C_Idtyp": "app", "roles": "Mail.Read", "ipAddress": "192.0.2.1",
    }  # fmt: skip
    return {"time": time, "category": "MicrosoftGraphActivityLogs", "properties": properties}


def lines(*records: dict[str, Any]) -> str:
    """Return the records as JSON lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


def invoke(*arguments: str | Path) -> Result:
    """Run a command in this process; a traceback fails the test at once."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.stderr, result.stderr
    return result


def new_world(folder: Path) -> World:
    """Write a configuration with one tenant, one record and no evidence."""
    assert invoke("init", folder).exit_code == 0
    return World(folder)


def program(
    *arguments: str | Path, stdout: int | IO[str] = subprocess.PIPE, **environment: str
) -> subprocess.Popen[str]:
    """Start the program as a process of its own, as a shell would."""
    start = "import sys; from m365audit.cli import main; sys.exit(main(prog_name='m365audit'))"
    return subprocess.Popen(
        [sys.executable, "-c", start, *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, "M365AUDIT_LOG": "info", **environment},
    )  # fmt: skip

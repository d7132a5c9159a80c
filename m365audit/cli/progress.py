"""Shows how the work goes on: one line that changes on a terminal, log lines otherwise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from m365audit import log
from m365audit.cli.output import harmless
from m365audit.cli.session import say
from m365audit.store.arrivals import Landed

_WIDTH: Final = 100
_CLEAR_LINE: Final = "\r\x1b[2K"


class Progress:
    """What the pipeline tells while it works (``pipeline.Reporter``)."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        if not self._is_terminal:
            log.configure()

    def file(self, landed: Landed, number: int, total: int) -> None:
        """One file has been dealt with."""
        self._tell(
            f"[{number}/{total}] {landed.path}", "file", path=landed.path, outcome=landed.outcome,
            records=landed.records, stored=landed.stored, duplicate=landed.duplicate, quarantined=landed.quarantined,
        )  # fmt: skip

    def skipped(self, path: Path, reason: str) -> None:
        """A file in a named folder was not looked at."""
        say(f"skipped {path}: {reason}")

    def stage(self, name: str) -> None:
        """A stage of the evaluation begins."""
        self._tell(f"building {name}", "stage", stage=name)

    def done(self) -> None:
        """Leave the terminal's line clean."""
        if self._is_terminal:
            click.echo(_CLEAR_LINE, err=True, nl=False)

    def _tell(self, line: str, event: str, **facts: object) -> None:
        if self._is_terminal:
            click.echo(_CLEAR_LINE + harmless(line)[-_WIDTH:], err=True, nl=False)
        else:
            log.get_logger().info(event, **facts)

"""Shows how the work goes on: one line that changes on a terminal, JSON log lines otherwise.

A log stays short however many files there are: a line for every file in trouble, and one for every batch.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from m365audit import log
from m365audit.cli.harmless import harmless
from m365audit.cli.streams import let_go, say
from m365audit.cli.table import cut
from m365audit.store.arrivals import Landed

if TYPE_CHECKING:
    from m365audit.cli.gathering import Gathering
    from m365audit.pipeline import Step

LOG_VARIABLE: Final = "M365AUDIT_LOG"
_LEVELS: Final = ("debug", "info", "warning", "error")
_BATCH: Final = 1000
_REDRAW_SECONDS: Final = 0.25
_LOG_SECONDS: Final = 30.0
"""How often a terminal or a log hears of the progress inside one file; never of a file that takes less."""
_CLEAR_LINE: Final = "\r\x1b[2K"


class Progress:
    """What the pipeline tells while it works (``pipeline.Reporter``)."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr is not None and sys.stderr.isatty()
        self._batch: Counter[str] = Counter()
        self._working_on = ("", "")
        self._shown_at = 0.0
        self._is_shown = False
        self._gathering: Gathering | None = None
        level = os.environ.get(LOG_VARIABLE, "info").lower()
        log.configure(level if level in _LEVELS else "info")

    def file(self, landed: Landed, number: int, total: int) -> None:
        """One file has been dealt with."""
        self._stop_gathering()
        if self._is_terminal:
            self._draw(f"[{number}/{total}] ", landed.path)
            return
        is_trouble = landed.outcome in {"partial", "refused"}
        self._log(
            "info" if is_trouble else "debug", "file", path=landed.path, outcome=landed.outcome,
            records=landed.records, stored=landed.stored, duplicate=landed.duplicate,
            quarantined=landed.quarantined, message=landed.message,
        )  # fmt: skip
        self._batch.update(
            files=1, records=landed.records, stored=landed.stored, duplicate=landed.duplicate,
            quarantined=landed.quarantined, refused=int(landed.outcome == "refused"),
        )  # fmt: skip
        if number == total or number % _BATCH == 0:
            self._log("info", "files", done=number, total=total, **self._batch)
            self._batch.clear()

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Some bytes of one file have been dealt with; shown only now and then, so that it costs nothing."""
        moment = time.monotonic()
        if path != self._working_on[0]:
            self._working_on, self._shown_at, self._is_shown = (path, doing), moment, False
        is_news = self._is_shown and (path, doing) != self._working_on
        if not is_news and moment - self._shown_at < (_REDRAW_SECONDS if self._is_terminal else _LOG_SECONDS):
            return
        self._working_on, self._shown_at, self._is_shown = (path, doing), moment, True
        if self._is_terminal:
            share = f"{100 * done // total} % of " if done < total else ""
            self._draw(f"{doing} {share}{_size(max(done, total))} ", path)
        else:
            self._log("info", "working", path=path, doing=doing, bytes=done, total=total)

    def skipped(self, path: Path, reason: str) -> None:
        """A file in a named folder was not looked at."""
        if self._is_terminal:
            self.done()
            say(f"skipped {path}: {reason}")
        else:
            self._log("info", "file_skipped", path=str(path), reason=reason)

    def stage(self, name: str) -> None:
        """A stage of the evaluation begins."""
        self._stop_gathering()
        if self._is_terminal:
            self._draw("building ", name)
        else:
            self._log("debug", "stage", stage=name)

    def gathering(self, step: Step) -> None:
        """Collection from a tenant has come a step further."""
        if self._gathering is None:
            from m365audit.cli.gathering import Gathering  # noqa: PLC0415 - imports take no part in collection

            self._gathering = Gathering(is_terminal=self._is_terminal)
        self._gathering.tell(step)

    def _stop_gathering(self) -> None:
        """Give the terminal back before anything else is shown on it."""
        if self._gathering is not None:
            self._gathering.close()
            self._gathering = None

    def done(self) -> None:
        """Leave the terminal's line clean."""
        self._stop_gathering()
        if self._is_terminal:
            click.echo(_CLEAR_LINE, err=True, nl=False)

    def _draw(self, begin: str, text: str) -> None:
        """Show one line, never wider than the terminal: only a line that does not wrap can be wiped out again."""
        room = max(1, shutil.get_terminal_size().columns - len(begin) - 1)
        end_of_text = cut(harmless(text)[::-1], room)[::-1]
        click.echo(_CLEAR_LINE + begin + end_of_text, err=True, nl=False)

    def _log(self, level: str, event: str, **facts: object) -> None:
        try:
            getattr(log.get_logger(), level)(event, **facts)
        except BrokenPipeError:
            let_go(2)


def _size(count: int) -> str:
    """Return a number of bytes as people read it."""
    for unit, power in (("GB", 9), ("MB", 6)):
        if count >= 10**power:
            return f"{count / 10**power:.1f} {unit}"
    return f"{count // 1000} kB"

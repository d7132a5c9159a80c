"""Owns the clocks on top of every page: breach cases and requests of people that are running, the nearest end first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast
from urllib.parse import quote

from m365audit.report.rows import Reader
from m365audit.report.words import Words

_MOST: Final = 4
_SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Clock:
    """One clock: what ends when, and the page about it."""

    name: str
    due_at: datetime
    path: str


def running(reader: Reader, words: Words, now: datetime) -> list[Clock]:
    """Return the clocks that run: every breach clock, and requests due within a week."""
    found = []
    for row in reader.rows("page-clocks"):
        due = cast("datetime", row["due_at"])
        if row["kind"] == "request" and due - now > _SOON:
            continue
        name = words.plain(f"page.clock.{row['kind']}", id=row["id"])
        found.append(Clock(name, due, f"/{row['kind']}s/{quote(str(row['id']), safe='')}"))
    return found[:_MOST]

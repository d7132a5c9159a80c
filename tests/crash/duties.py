"""Runs an erasure or a purge in a child that kills itself at a chosen moment, and looks at what lies there then.

A program of its own and not part of pytest: it forks, and must have no threads when it does. The moments are those of
``launcher`` and every statement to SQLite. What is looked at: everything once the store was opened again, and
everything after the same command was repeated.

    python duties.py TEMPLATE WORKDIR < points (one a line: erase N, or purge N; 0 is never killed)

answers one line of JSON a point.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from endtoend.aged import GONE
from endtoend.marked import NEEDLES, UPN, search
from landed import TENANT, Desk

from crash.launcher import Moments, in_child
from m365audit.config import load_policy
from m365audit.pipeline import erasure, retention
from m365audit.store.database import open_store
from m365audit.store.journal import Actor, open_journal

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
ACTOR = Actor("os:bert", "bert", "Bert", (), "os")
REASON = "request 17 of the works council, identity checked"


def _watch_sqlite(moments: Moments) -> None:
    class _Watched(sqlite3.Connection):
        def execute(self, *args: Any, **named: Any) -> sqlite3.Cursor:
            moments.pass_by()
            return super().execute(*args, **named)

    sqlite3.connect = partial(sqlite3.connect, factory=_Watched)  # type: ignore[assignment]


def erase(desk: Desk) -> None:
    """Take the marked person out."""
    erasure.erase(desk.settings, TENANT, UPN, reason=REASON, actor=ACTOR, is_applied=True)


def purge(desk: Desk) -> None:
    """Remove what is too old."""
    retention.purge(desk.settings, load_policy(desk.settings.policy), actor=ACTOR, is_applied=True, at=NOW)


DUTIES: dict[str, tuple[Callable[[Desk], None], tuple[str, ...], tuple[str, ...]]] = {
    "erase": (erase, NEEDLES, ("state", "publish")),
    "purge": (purge, GONE, ("state",)),
}
"""Name → what is done, what must be gone then, and from which folders (a purge is published by the next judging)."""


def look(desk: Desk, duty: str) -> dict[str, Any]:
    """Return where marks are found, what a reader is told, and whether the journal is whole."""
    _, needles, names = DUTIES[duty]
    with open_journal(desk.settings.state) as journal:
        broken = len(journal.broken_links())
        events = [f"{entry.kind} {entry.event}" for entry in journal.entries() if entry.kind in {"erasure", "purge"}]
    found = search([desk.folder / name for name in names], needles)
    left = [path.name for path in desk.folder.rglob("*rewriting*")]
    return {"found": sorted({file for file, _ in found}), "answers": answers(desk), "broken": broken,
            "events": events, "left": left}  # fmt: skip


def answers(desk: Desk) -> list[str]:
    """Return what neither may change: verdicts and findings of what is young, and how many rows were taken in."""
    return [
        *map(str, desk.published("SELECT verdict, reasons, count(*) FROM judged_accesses WHERE occurred_at >= "
                                 "TIMESTAMPTZ '2025-06-15' GROUP BY ALL ORDER BY ALL")),
        *map(str, desk.published("SELECT finding_id, rule, severity, state FROM findings ORDER BY 1")),
        *map(str, desk.published("SELECT sha256, records, stored, duplicate, quarantined FROM sources ORDER BY ALL")),
        *map(str, desk.ask("SELECT feed, count(*) FROM landed_records WHERE occurred_at >= TIMESTAMPTZ '2025-06-15' "
                           "GROUP BY 1 ORDER BY 1")),
    ]  # fmt: skip


def try_point(template: Path, folder: Path, duty: str, number: int) -> dict[str, Any]:
    """Kill at one moment; look; repeat the command; look again."""
    shutil.copytree(template, folder)
    moments = Moments(number or None)

    def first() -> None:
        moments.watch()
        _watch_sqlite(moments)
        DUTIES[duty][0](Desk(folder))
        (folder / "count").write_text(str(moments.count))

    def before() -> None:
        (folder / "before").write_text(json.dumps(look(Desk(folder), duty)))

    def opened() -> None:
        desk = Desk(folder)
        with open_store(desk.settings.state):
            pass
        (folder / "opened").write_text(json.dumps(look(desk, duty)))

    def again() -> None:
        desk = Desk(folder)
        DUTIES[duty][0](desk)
        (folder / "again").write_text(json.dumps(look(desk, duty)))

    found = {} if number else {"before": _child_answer(folder, "before", before)}
    killed = in_child(first)
    answer = {
        **found,
        "killed": killed,
        "calls": int((folder / "count").read_text()) if (folder / "count").exists() else 0,
        "opened": _child_answer(folder, "opened", opened),
        "again": _child_answer(folder, "again", again),
    }
    shutil.rmtree(folder)
    return answer


def _child_answer(folder: Path, name: str, body: Callable[[], object]) -> dict[str, Any]:
    code = in_child(lambda: (body(), None)[1])
    if code:
        return {"failed": code}
    told: dict[str, Any] = json.loads((folder / name).read_text())
    return told


def main() -> None:
    """Answer the points on stdin."""
    template, workdir = (Path(argument) for argument in sys.argv[1:3])
    for line in sys.stdin:
        duty, number = line.split()
        sys.stdout.write(json.dumps(try_point(template, workdir / "point", duty, int(number))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

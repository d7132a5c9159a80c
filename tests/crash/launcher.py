"""Runs an import in a child that kills itself at a chosen moment, then runs the same import again undisturbed.

A program of its own and not part of pytest: it forks, and must have no threads when it does. The moments are the calls
that change the disk: every statement to DuckDB, every fsync, rename, link and removal, each before it is made (after
one is before the next).

    python launcher.py CONFIG_TEMPLATE EVIDENCE WORKDIR < points (one a line: call:N, delay:SECONDS or none)

answers one line of JSON a point: what the first process came to, what the second came to, the published tables.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import, Step
from m365audit.store.arrivals import Landed

TENANT = "11111111-1111-4111-8111-111111111111"
BOOKKEEPING = {
    "runs": {"*"},
    "sources": {"source_id", "imported_at"},
    "quarantine": {"source_id"},
    "access_events": {"source_id", "first_seen_at"},
    "access_forms": {"form_no"},
    "access_log": {"form_no", "answer_no", "source_id", "first_seen_at"},
    "form_counts": {"form_no", "answer_no"},
    "judged_accesses": {"source_id", "first_seen_at"},
    "judged_forms": {"form_no"},
    "verdict_answers": {"answer_no"},
    "findings": {"change"},
    "finding_reviews": {"due_at"},  # counted from the first run that judged
}
"""What tells of the run and not of the evidence: numbers in order of arrival, the clock, whether a finding is news."""


class Moments:
    """Counts the calls that change the disk; ends the process at the one that it was given."""

    def __init__(self, last: int | None) -> None:
        self.last = last
        self.count = 0

    def pass_by(self) -> None:
        """Count one more, or end here."""
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(self, owner: Any, name: str) -> None:
        """Pass by before each call of a method."""
        original: Callable[..., Any] = getattr(owner, name)

        def wrapped(*args: Any, **named: Any) -> Any:
            self.pass_by()
            return original(*args, **named)

        setattr(owner, name, wrapped)

    def watch(self) -> None:
        """Wrap everything by which the product changes the disk."""
        for name in ("fsync", "link"):
            self.wrap(os, name)
        for name in ("replace", "unlink", "mkdir", "chmod", "write_bytes"):
            self.wrap(Path, name)
        self.wrap(duckdb.DuckDBPyConnection, "execute")
        self.wrap(duckdb.DuckDBPyConnection, "executemany")
        self.wrap(duckdb.DuckDBPyConnection, "close")


class _Quiet:
    def file(self, landed: Landed, number: int, total: int) -> None:
        """Say nothing."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        """Say nothing."""

    def stage(self, name: str) -> None:
        """Say nothing."""

    def gathering(self, step: Step) -> None:
        """Hear of what is collected."""


def run_import(config: Path, evidence: Path) -> None:
    """Do what `m365audit import EVIDENCE` does."""
    settings = load_settings(config).settings
    imports = [Import(evidence, TENANT)]
    pipeline.run(settings, load_policy(settings.policy), imports, _Quiet(), command="import")


def in_child(body: Callable[[], None], delay: float | None = None) -> int:
    """Run ``body`` in a forked child, killed after ``delay`` seconds; return 0, or its signal as a negative number."""
    child = os.fork()
    if child == 0:
        try:
            body()
        except BaseException as error:  # noqa: BLE001 - a child's last word
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            os._exit(1)
        os._exit(0)
    if delay is not None:
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def published_tables(path: Path) -> dict[str, list[str]]:
    """Return every published table as sorted text, without bookkeeping."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
        names = [row[0] for row in found]
        tables = {}
        for name in names:
            left_out = BOOKKEEPING.get(name, set())
            if "*" in left_out:
                continue
            cursor = connection.execute(f'FROM "{name}"')
            columns = [column[0] for column in cursor.description or ()]
            kept = [index for index, column in enumerate(columns) if column not in left_out]
            tables[name] = sorted(str([row[index] for index in kept]) for row in cursor.fetchall())
        return tables


def half_files(folder: Path) -> list[str]:
    """Return what must not be there after a whole run: leftovers of copying, creating or publishing."""
    signs = ("arriving-", ".unfinished-", ".creating", "import-")
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if any(sign in p.name for sign in signs))


def try_point(template: Path, evidence: Path, folder: Path, point: str) -> dict[str, Any]:
    """Kill one import at one moment, import again, and tell what came of it."""
    shutil.copytree(template, folder)
    kind, _, value = point.partition(":")
    moments = Moments(int(value) if kind == "call" else None)
    counted = folder / "count"

    def first() -> None:
        moments.watch()
        run_import(folder / "m365audit.yaml", evidence)
        counted.write_text(str(moments.count))

    def second() -> None:
        run_import(folder / "m365audit.yaml", evidence)

    def show() -> None:
        page = (folder / "publish" / "report.html").read_bytes()
        tables = published_tables(folder / "publish" / "m365audit.duckdb")
        facts = {"tables": tables, "is_page_whole": page.rstrip().endswith(b"</html>"), "left": half_files(folder)}
        (folder / "facts.json").write_text(json.dumps(facts))

    killed = in_child(first, float(value) if kind == "delay" else None)
    # What a reader sees between the two is nothing or a whole database.
    between = 0
    if (folder / "publish" / "m365audit.duckdb").exists():
        between = in_child(lambda: _read_all(folder / "publish" / "m365audit.duckdb"))
    again = 0 if kind == "none" else in_child(second)
    shown = in_child(show)
    facts = json.loads((folder / "facts.json").read_text()) if shown == 0 else {}
    calls = int(counted.read_text()) if counted.exists() else None
    shutil.rmtree(folder)
    return {
        "point": point,
        "killed": killed,
        "between": between,
        "again": again,
        "shown": shown,
        "calls": calls,
        **facts,
    }


def _read_all(path: Path) -> None:
    published_tables(path)


def main() -> None:
    """Answer the points on stdin."""
    template, evidence, workdir = (Path(argument) for argument in sys.argv[1:4])
    for line in sys.stdin:
        answer = try_point(template, evidence, workdir / "point", line.strip())
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Rules and controls put together, on a candidate or on what is published. Never decides an outcome itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from m365audit import controls, rules
from m365audit.config import Settings
from m365audit.pipeline.present import present
from m365audit.pipeline.reviewing import open_reviewed
from m365audit.store.journal import has_journal
from m365audit.store.sandbox import LEAN_MEMORY, LockedDatabase


def control_catalogue(loaded: Iterable[rules.Rule]) -> controls.Catalogue:
    """Return the controls, proven against these rules.

    Raises:
        RuleError: with every problem of the controls' file.
    """
    return controls.load_controls(
        controls.RuleFacts(rule.id, rule.controls, rule.needs, rule.needs_register, rule.file) for rule in loaded
    )


def run_controls(fresh: Path, workdir: Path, catalogue: controls.Catalogue, settings: Settings, now: datetime) -> None:
    """Make the table ``controls`` of a candidate that has findings and decisions already."""
    with LockedDatabase(fresh, is_read_only=False, spill=workdir, memory=LEAN_MEMORY) as locked:
        controls.evaluate(locked, catalogue, now=present(settings, now), roles=_roles(settings))


@contextmanager
def open_today(settings: Settings, now: datetime) -> Iterator[LockedDatabase]:
    """Open the published database with today's decisions and, where there are any, today's controls laid over it.

    A table ``controls`` for this connection alone is made of the same evidence, with decisions, cases, requests and
    attestations as they are now, and clocks as of ``now``.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
    """
    with open_reviewed(settings, now) as database:
        if has_journal(settings.state) or _has_controls(database):
            catalogue = control_catalogue(rules.read_rules())
            moment = present(settings, now)
            controls.evaluate(database, catalogue, now=moment, roles=_roles(settings), is_temporary=True)
        yield database


def _has_controls(database: LockedDatabase) -> bool:
    """Return whether controls were published: where nobody has decided anything yet, clocks and laws go on as well."""
    return bool(database.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'controls'")[0][0])


def _roles(settings: Settings) -> list[tuple[str, ...]]:
    return [tuple(person.roles) for person in settings.review.people]

"""Rules and controls put together, on a candidate or on what is published. Never decides an outcome itself."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from m365audit import controls, rules
from m365audit.config import Settings
from m365audit.pipeline.moment import present_moment
from m365audit.pipeline.reviewing import open_reviewed
from m365audit.resources import data_dir
from m365audit.store.journal import has_journal
from m365audit.store.published import PublishedReader
from m365audit.store.sandbox import LEAN_MEMORY, LockedDatabase

_CONTROLS: Final = re.compile(r"\bcontrols\b", re.IGNORECASE)


class ControlsWanted(Exception):  # noqa: N818 - the name of a fact, not of a mistake
    """A query reads today's controls, and they are not made yet: ``Today.make_controls``, then ask again."""


@dataclass(slots=True)
class Today:
    """The published database with today's decisions laid over it; today's controls are made when somebody reads them.

    Attributes:
        database: where it is open.
        settings: the configuration.
        moment: as of when decisions and controls are.
        are_controls_made: the table ``controls`` is today's, or there is none.
    """

    database: LockedDatabase
    settings: Settings
    moment: datetime
    are_controls_made: bool = False

    def need_controls(self) -> None:
        """Make sure that ``controls`` is today's: nobody is ever shown the published ones in their place.

        Raises:
            ControlsWanted: it is not.
        """
        if not self.are_controls_made:
            raise ControlsWanted

    def make_controls(self) -> None:
        """Evaluate the controls, once.

        Raises:
            QueryError: the database itself cannot be read.
        """
        if not self.are_controls_made:
            _evaluate_again(self.database, self.settings, self.moment)
            self.are_controls_made = True


@dataclass(frozen=True, slots=True)
class TodaysReader(PublishedReader):
    """Runs the product's own report queries; refuses those that read controls before there are today's."""

    today: Today

    def rows(self, query_name: str, **params: object) -> list[dict[str, object]]:
        """Run one named query.

        Raises:
            ControlsWanted: it reads controls, and they have to be made first.
        """
        self._look_at(query_name)
        return PublishedReader.rows(self, query_name, **params)

    def batches(self, query_name: str, **params: object) -> Iterator[list[dict[str, object]]]:
        """Run one named query, some thousands of rows at a time; see ``rows``."""
        self._look_at(query_name)
        return PublishedReader.batches(self, query_name, **params)

    def _look_at(self, query_name: str) -> None:
        if _reads_controls(query_name):
            self.today.need_controls()


@cache
def _reads_controls(query_name: str) -> bool:
    """Return whether a query of the report may read controls: its text has the word."""
    path = data_dir("queries") / "report" / f"{query_name}.sql"
    return _CONTROLS.search(path.read_text(encoding="utf-8")) is not None


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
        controls.evaluate(locked, catalogue, now=present_moment(settings, now), roles=_roles(settings))


@contextmanager
def open_today(settings: Settings, now: datetime) -> Iterator[LockedDatabase]:
    """Open the published database with today's decisions and, where there are any, today's controls laid over it.

    A table ``controls`` for this connection alone is made of the same evidence, with decisions, cases, requests and
    attestations as they are now, and clocks as of ``now``.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
    """
    with open_today_lazily(settings, now) as today:
        today.make_controls()
        yield today.database


@contextmanager
def open_today_lazily(settings: Settings, now: datetime) -> Iterator[Today]:
    """Open the published database as ``open_today`` does, but leave the controls to who reads them first.

    Where none were published, they are made at once: readers look which tables there are.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
    """
    with open_reviewed(settings, now) as database:
        today = Today(database, settings, present_moment(settings, now))
        if not _has_controls(database):
            if has_journal(settings.state):
                today.make_controls()
            today.are_controls_made = True
        yield today


def _evaluate_again(database: LockedDatabase, settings: Settings, moment: datetime) -> None:
    """Lay the controls as of a moment over the published ones."""
    catalogue = control_catalogue(rules.read_rules())
    controls.evaluate(database, catalogue, now=moment, roles=_roles(settings), is_temporary=True)


def _has_controls(database: LockedDatabase) -> bool:
    """Return whether controls were published: where nobody has decided anything yet, clocks and laws go on as well."""
    return bool(database.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'controls'")[0][0])


def _roles(settings: Settings) -> list[tuple[str, ...]]:
    return [tuple(person.roles) for person in settings.review.people]

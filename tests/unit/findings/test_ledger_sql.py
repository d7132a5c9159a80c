"""The ledger's query says of every history what the pure function says."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import duckdb
import pytest
from findings_oracle import FindingState, Present, next_ledger
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.rules.runner import RuleOutcome
from m365audit.store.ledger import FINDING_COLUMNS
from m365audit.store.queries import read_queries

from .test_ledger import HISTORIES, START, TENANTS, Step, found, said

(QUERY,) = read_queries("ledger")
NAMES = tuple(field.name for field in dataclasses.fields(FindingState))
PRESENT = tuple(field.name for field in dataclasses.fields(Present))
COLUMNS = {**FINDING_COLUMNS, "subject": "VARCHAR"}


class Working:
    """The tables that the query reads, in memory; what it gives becomes the ledger of the next evaluation."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": "1"})
        self.connection.execute("SET TimeZone = 'UTC'")
        kinds = ", ".join(f"{name} {kind}" for name, kind in FINDING_COLUMNS.items())
        self.connection.execute(f"CREATE TABLE finding_ledger ({kinds})")

    def evaluate(
        self, present: Sequence[Present], outcomes: Sequence[RuleOutcome], *, time: Mapping[str, datetime],
        aliases: Mapping[str, str] | None = None,
    ) -> tuple[FindingState, ...]:  # fmt: skip
        """Run the query and take its answer as the ledger."""
        self._table("present_findings", {name: COLUMNS[name] for name in PRESENT}, map(dataclasses.astuple, present))
        said_rows = ((o.tenant_id, o.rule, o.outcome, o.is_covered) for o in outcomes)
        kinds = {"tenant_id": "VARCHAR", "rule": "VARCHAR", "outcome": "VARCHAR", "is_covered": "BOOLEAN"}
        self._table("rule_outcomes", kinds, said_rows)
        self._table("tenants", {"tenant_id": "VARCHAR", "watched_to": "TIMESTAMPTZ"}, time.items())
        self._table("rule_aliases", {"alias": "VARCHAR", "rule": "VARCHAR"}, (aliases or {}).items())
        self.connection.execute(f"CREATE OR REPLACE TABLE findings AS {QUERY.sql}")
        names = ", ".join(FINDING_COLUMNS)
        self.connection.execute("DELETE FROM finding_ledger")
        self.connection.execute(f"INSERT INTO finding_ledger ({names}) SELECT {names} FROM findings")  # noqa: S608
        rows = self.connection.execute(f"SELECT {', '.join(NAMES)} FROM findings").fetchall()  # noqa: S608
        states = (FindingState(**dict(zip(NAMES, row, strict=True))) for row in rows)
        return tuple(sorted(states, key=lambda state: (state.tenant_id, state.finding_id)))

    def _table(self, name: str, columns: Mapping[str, str], rows: Iterable[tuple[object, ...]]) -> None:
        kinds = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} ({kinds})")
        marks = ", ".join("?" for _ in columns)
        for row in rows:
            self.connection.execute(f"INSERT INTO {name} VALUES ({marks})", list(row))  # noqa: S608


@given(HISTORIES, st.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_every_history_goes_on_alike_in_both_implementations(history: list[Step], seed: int) -> None:
    working, shuffled = Working(), random.Random(seed)  # noqa: S311  (an order, not a secret)
    states: tuple[FindingState, ...] = ()
    for day, step in enumerate(history):
        time = dict.fromkeys(TENANTS[: 1 + day % 2], START + timedelta(days=day))
        present = shuffled.sample(step.present, len(step.present))
        wanted = next_ledger(states, present, step.outcomes, evidence_time=time).states
        assert working.evaluate(present, step.outcomes, time=time) == wanted
        states = wanted


@pytest.mark.parametrize("aliases", [{}, {"r": "new"}])
def test_a_renamed_rule_resolves_what_it_found_before(aliases: dict[str, str]) -> None:
    working = Working()
    working.evaluate([found()], [said("findings")], time={"t": START})
    (state,) = working.evaluate([], [said("clean", rule="new")], time={"t": START}, aliases=aliases)
    assert state.state == ("resolved" if aliases else "open")


def test_an_evaluation_decides_nothing_by_itself() -> None:
    working = Working()
    working.evaluate([found()], [said("findings")], time={"t": START})
    working.connection.execute("UPDATE finding_ledger SET decision = 'accepted'")
    for present, outcome in (([], "clean"), ([found()], "findings")):
        (state,) = working.evaluate(present, [said(outcome)], time={"t": START})
        assert state.decision is None  # decisions are in the journal, and are written in from there
    assert (state.state, state.change, state.reopened) == ("open", "reopened", 1)


def test_the_gravest_come_first_and_resolved_ones_last() -> None:
    working, grave = Working(), dataclasses.replace(found("F2", rule="s"), severity="critical")
    low = dataclasses.replace(found("F3", rule="s"), severity="low")
    working.evaluate([found("F1")], [said("findings")], time={"t": START})
    working.evaluate([low, grave], [said("clean"), said("findings", rule="s")], time={"t": START})
    rows = working.connection.execute("SELECT finding_id, state, is_seen FROM findings").fetchall()
    assert rows == [("F2", "open", True), ("F3", "open", True), ("F1", "resolved", False)]

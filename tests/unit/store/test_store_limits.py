"""A statement that explodes ends by itself, with a reason; the next one is none the worse."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from schema import create_statements

from m365audit.errors import QueryError
from m365audit.findings import with_finding_ids
from m365audit.rules import load_rules, run_rules
from m365audit.store.sandbox import LockedDatabase

BUSY = "SELECT count(*) FROM range(100000000) AS a (x), range(100000000) AS b (y) WHERE (x * y) % 7 = 3"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[LockedDatabase]:
    path = tmp_path / "candidate.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in create_statements():
            connection.execute(statement)
        connection.execute("INSERT INTO tenants (tenant_id, is_evaluated) VALUES ('t', true)")
        feeds = ("app_role_assignments", "delegated_permission_grants", "graph_activity", "audit_exchange")
        connection.executemany(
            "INSERT INTO coverage (tenant_id, feed, state) VALUES ('t', ?, 'complete')", [[feed] for feed in feeds]
        )
    with LockedDatabase(path, is_read_only=False, spill=tmp_path / "spill", memory="150MB") as database:
        yield database


def test_what_takes_too_long_is_stopped(locked: LockedDatabase) -> None:
    begin = time.perf_counter()
    with pytest.raises(QueryError, match=r"longer than 0\.3 seconds and was stopped"), locked.limited(0.3):
        locked.execute(BUSY)
    assert time.perf_counter() - begin < 5
    assert locked.execute("SELECT 1") == [(1,)]


def test_a_limit_holds_for_all_statements_of_the_block_together(locked: LockedDatabase) -> None:
    def late() -> None:
        with locked.limited(0.2):
            time.sleep(0.4)
            locked.execute(BUSY)

    with pytest.raises(QueryError, match="was stopped"):
        late()


def test_what_is_in_time_is_left_alone(locked: LockedDatabase) -> None:
    with locked.limited(60):
        assert locked.execute("SELECT 1") == [(1,)]


def test_an_exploding_rule_is_an_error_of_its_own(locked: LockedDatabase) -> None:
    rule = next(rule for rule in load_rules(locked) if rule.id == "tenant-wide-where-per-user")
    row = "CAST(NULL AS VARCHAR) AS record, CAST(NULL AS VARCHAR) AS process, CAST(NULL AS TIMESTAMPTZ) AS occurred_at"
    identity = ", ".join(f"'x' AS {name}" for name in rule.identity)
    endless = replace(rule, id="endless", sql=(
        f"SELECT 't' AS tenant_id, {identity}, 'f' AS feed, x::VARCHAR AS event_id, [y::VARCHAR] AS reasons, {row} "  # noqa: S608
        "FROM range(100000000) AS a (x), range(100000000) AS b (y) WHERE (x * y) % 1000003 = 3"
    ))  # fmt: skip
    greedy = replace(rule, id="greedy", sql=(
        f"SELECT 't' AS tenant_id, {identity}, 'f' AS feed, len(list(repeat(x::VARCHAR, 100)))::VARCHAR"  # noqa: S608
        f" AS event_id, ['r'] AS reasons, {row} FROM range(100000000) AS a (x)"
    ))  # fmt: skip
    results = run_rules(locked, [endless, greedy, rule], with_finding_ids, seconds=2)
    said = {outcome.rule: outcome for outcome in results.outcomes}
    assert {name: outcome.outcome for name, outcome in said.items()} == {
        "endless": "error", "greedy": "error", "tenant-wide-where-per-user": "clean",
    }  # fmt: skip
    assert said["endless"].reason == "it took longer than 2 seconds and was stopped"
    assert "150MB of memory" in (said["greedy"].reason or "")
    assert locked.execute("SELECT count(*) FROM finding_evidence") == [(0,)]
    assert locked.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'rule_%' AND temporary") == [(0,)]

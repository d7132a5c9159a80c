"""Hunts: what is refused, how parameters are read, and that every hunt of the product runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest
from rule_database import MemoryDatabase

from m365audit.errors import QueryError
from m365audit.rules.hunt import Hunt
from m365audit.rules.loader import check_hunt, load_hunts

GOOD: Final = """\
/*---
id: example
title: Example
question: What is there?
parameters:
  feed: {type: VARCHAR, default: null, description: only this feed}
columns: [feed, state]
---*/
SELECT feed, state FROM coverage WHERE $feed::VARCHAR IS NULL OR feed = $feed
"""
TENANT: Final = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def schema() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture(scope="module")
def hunts(schema: MemoryDatabase) -> dict[str, Hunt]:
    return {hunt.id: hunt for hunt in load_hunts(schema)}


@pytest.mark.parametrize(
    ("good", "bad", "code"),
    [
        ("id: example", "id: other", "id_is_not_file_name"),
        ("What is there?", "Things.", "bad_question"),
        ("columns: [feed, state]", "columns: [state, feed]", "columns"),
        ("columns: [feed, state]", "columns: []", "bad_columns"),
        ("  feed: {", "  state: {", "undeclared_parameter"),
        ("  feed: {", "  rows: {type: BIGINT, default: 1, description: x}\n  feed: {", "unused_parameter"),
        ("type: VARCHAR", "type: TEXT", "bad_parameters"),
        (", description: only this feed", "", "bad_parameters"),
        ("FROM coverage", "FROM secrets", "does_not_bind"),
        ("FROM coverage", "FROM (SELECT * FROM coverage, duckdb_settings())", "outside"),
        ("SELECT feed", "DROP TABLE coverage; SELECT feed", "writes"),
    ],
)
def test_a_fault_is_refused_by_name(schema: MemoryDatabase, good: str, bad: str, code: str) -> None:
    assert check_hunt(schema, "example.sql", GOOD)[1] == ()
    hunt, problems = check_hunt(schema, "example.sql", GOOD.replace(good, bad, 1))
    assert hunt is None
    assert code in {problem.code for problem in problems}


def test_parameters_are_read_as_their_types(hunts: dict[str, Hunt]) -> None:
    bound = hunts["outside-accesses"].bind({"since": "2026-03-01", "rows": "5"})
    assert bound == {"app_id": None, "reason": None, "since": datetime(2026, 3, 1, tzinfo=UTC), "rows": 5}
    assert hunts["coverage-gaps"].bind({"provisional": "yes"})["provisional"] is True


@pytest.mark.parametrize("given", [{"ap_id": "x"}, {"rows": "many"}, {"since": "yesterday"}])
def test_a_wrong_parameter_is_a_mistake_of_the_user(hunts: dict[str, Hunt], given: dict[str, str]) -> None:
    with pytest.raises(QueryError) as caught:
        hunts["outside-accesses"].bind(given)
    assert next(iter(given)) in str(caught.value)
    assert caught.value.hint


def test_a_parameters_text_is_a_value_and_never_sql(schema: MemoryDatabase, hunts: dict[str, Hunt]) -> None:
    hunt = hunts["unmapped-calls"]
    assert schema.execute(hunt.sql, hunt.bind({"feed": "x' OR 1=1; DROP TABLE coverage; --"})) == []
    assert schema.execute("SELECT count(*) FROM coverage") == [(0,)]


def test_every_hunt_finds_what_it_is_for() -> None:
    database = MemoryDatabase()
    event = {"tenant_id": TENANT, "feed": "graph_activity", "event_id": "e1", "app_id": "app", "workload": "mail"}
    at = "2026-03-10T08:00:00Z"
    database.insert("access_events", {**event, "occurred_at": at, "resource_name": "a@b.example", "operation": "read"})
    database.insert("verdicts", {k: event[k] for k in ("tenant_id", "feed", "event_id")} | {"verdict": "outside"})
    database.insert("sign_ins", {"tenant_id": TENANT, "event_id": "s1", "app_id": "app", "occurred_at": at})
    database.insert("grants", {"tenant_id": TENANT, "grant_id": "g", "app_id": "app", "first_seen_at": at})
    database.insert("directory_changes", {"tenant_id": TENANT, "event_id": "d1", "app_id": "app", "occurred_at": at})
    database.insert("unmapped_calls", {"tenant_id": TENANT, "feed": "graph_activity", "calls": 3})
    database.insert("coverage", {"tenant_id": TENANT, "feed": "audit_teams", "state": "gap"})
    given = {"app-timeline": {"app_id": "APP"}, "mailbox-readers": {"mailbox": "A@B.example"}}
    rows = {
        hunt.id: len(database.execute(hunt.sql, hunt.bind(given.get(hunt.id, {})))) for hunt in load_hunts(database)
    }
    assert (
        rows.items()
        >= {
            "app-timeline": 4,
            "coverage-gaps": 1,
            "mailbox-readers": 1,
            "new-grants": 1,
            "outside-accesses": 1,
            "sign-ins-by-country": 1,
            "unmapped-calls": 1,
        }.items()
    )

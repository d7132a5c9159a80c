"""Hunts: what is refused, how parameters are read, and that every hunt of the product runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import pytest
from places import REPOSITORY
from rule_database import MemoryDatabase

from m365audit.errors import QueryError
from m365audit.resources import yaml_values
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


CASES: Final[dict[str, dict[str, Any]]] = yaml_values(
    (REPOSITORY / "tests" / "unit" / "rules" / "hunts.yml").read_text(encoding="utf-8")
)


def _filled(database: MemoryDatabase) -> None:
    """Insert one app's small story: a new key, a sign-in an hour before an access outside of the record."""
    at, before = "2026-03-10T09:00:00Z", "2026-03-10T08:00:00Z"
    app = {"tenant_id": TENANT, "app_id": "app"}
    event = {**app, "feed": "graph_activity", "event_id": "e1", "occurred_at": at, "workload": "mail"}
    database.insert("access_events", {
        **event, "operation": "read", "resource_name": "a@b.example", "item_count": 3, "ip_address": "192.0.2.1",
        "country": "NL", "succeeded": True, "permissions": ["Mail.Read"], "actor_id": "u1", "access_kind": "delegated",
        "source_id": 7,
    })  # fmt: skip
    refused = {"event_id": "e2", "succeeded": False, "status_code": 403, "endpoint": "GET /me/chats", "source_id": 7}
    database.insert("access_events", {**event, "ip_address": "192.0.2.1", **refused})
    database.insert("verdicts", {k: event[k] for k in ("tenant_id", "feed", "event_id")} | {"verdict": "outside"})
    database.insert("sign_ins", {
        **app, "event_id": "s1", "occurred_at": before, "user_id": "u1", "ip_address": "192.0.2.1", "country": "NL",
        "succeeded": True, "kind": "interactive",
    })  # fmt: skip
    database.insert("grants", {
        **app, "grant_id": "g", "first_seen_at": before, "permission": "Mail.ReadWrite", "kind": "delegated",
        "workload": "mail", "is_current": True,
    })  # fmt: skip
    database.insert("directory_changes", {
        **app, "event_id": "d1", "occurred_at": before, "actor_id": "eve", "actor_name": "eve@contoso.example",
        "changes": [{"change": "credential_added", "what": "key-1"}],
    })  # fmt: skip
    database.insert("unmapped_calls", {"tenant_id": TENANT, "feed": "graph_activity", "calls": 3})
    watched = {"tenant_id": TENANT, "feed": "graph_activity", "state": "complete"}
    database.insert(
        "coverage", {**watched, "covered_from": "2026-03-10T01:00:00Z", "covered_to": "2026-03-10T23:00:00Z"}
    )
    gap = {"covered_from": "2026-03-10T23:00:00Z", "covered_to": "2026-03-11T00:00:00Z"}
    database.insert("coverage", {**watched, "state": "gap", **gap})
    database.insert("findings", {"tenant_id": TENANT, "finding_id": "F1"})
    database.insert(
        "finding_evidence", {**{k: event[k] for k in ("tenant_id", "feed", "event_id")}, "finding_id": "F1"}
    )
    database.insert("sources", {"tenant_id": TENANT, "source_id": 7, "path": "/x/PT1H.json"})
    database.insert("quarantine", {"tenant_id": TENANT, "source_id": 7, "reason": "no id"})


@pytest.fixture(scope="module")
def filled() -> MemoryDatabase:
    database = MemoryDatabase()
    _filled(database)
    return database


def _answer(database: MemoryDatabase, hunt: Hunt, given: dict[str, str]) -> list[dict[str, object]]:
    rows = database.execute(hunt.sql, hunt.bind(given))
    return [dict(zip(hunt.columns, row, strict=True)) for row in rows]


def test_every_hunt_has_its_case(hunts: dict[str, Hunt]) -> None:
    assert list(CASES) == list(hunts)
    assert len(hunts) >= 12


@pytest.mark.parametrize("name", CASES)
def test_a_hunt_finds_what_it_is_for_and_nothing_else(
    filled: MemoryDatabase, hunts: dict[str, Hunt], name: str
) -> None:
    case = CASES[name]
    found = _answer(filled, hunts[name], case.get("params", {}))
    assert len(found) == case["rows"], found
    wanted = case.get("has", {})
    assert [row for row in found if {key: row[key] for key in wanted} == wanted], found
    assert _answer(filled, hunts[name], case["given_nothing"]) == []


@pytest.mark.parametrize("name", CASES)
def test_a_hunt_on_nothing_gives_nothing(schema: MemoryDatabase, hunts: dict[str, Hunt], name: str) -> None:
    assert _answer(schema, hunts[name], CASES[name].get("params", {})) == []


def test_a_permission_is_called_not_seen_only_where_everything_was_watched(hunts: dict[str, Hunt]) -> None:
    database = MemoryDatabase()
    _filled(database)
    database.connection.execute("DELETE FROM coverage WHERE state = 'gap'")
    # A call without a list of permissions leaves it open as well; this one was refused and touched nothing.
    (row,) = _answer(database, hunts["permission-vs-use"], {})
    assert row["state"] == "not_seen"
    database.connection.execute(
        "INSERT INTO coverage BY NAME SELECT tenant_id, feed, 'gap' AS state, 'records_missing' AS reason "
        "FROM coverage WHERE feed = 'graph_activity' LIMIT 1"
    )
    (row,) = _answer(database, hunts["permission-vs-use"], {})
    assert row["state"] == "not_assessable"
    database.connection.execute("DELETE FROM coverage WHERE state = 'gap'")
    database.connection.execute("UPDATE access_events SET permissions = NULL")
    (row,) = _answer(database, hunts["permission-vs-use"], {})
    assert row["state"] == "not_assessable"
    database.connection.execute("UPDATE access_events SET permissions = ['Mail.ReadWrite']")
    (row,) = _answer(database, hunts["permission-vs-use"], {"only_without_use": "no"})
    assert (row["state"], row["calls"]) == ("seen", 1)

"""The table ``cells``: recorded, granted and used side by side, by the product's own query."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from .database import (
    ADATUM,
    CONTOSO,
    CRM,
    FABRIKAM,
    FROM,
    GRAPH,
    OUTLOOK,
    PHONE,
    SHADOW,
    TO,
    access,
    empty_world,
    insert,
    make_cells,
)  # fmt: skip

Cell = tuple[Any, ...]


def _cells(connection: duckdb.DuckDBPyConnection, columns: str) -> dict[tuple[str, str | None, str | None], Cell]:
    rows = connection.execute(f"SELECT tenant_id, app_id, workload, {columns} FROM cells").fetchall()  # noqa: S608
    found = {(row[0], row[1], row[2]): row[3:] for row in rows}
    assert len(found) == len(rows)
    return found


def test_the_rich_world(report_world: duckdb.DuckDBPyConnection) -> None:
    cells = _cells(report_world, "recorded, granted, used, within, outside, not_assessable, coverage")
    assert cells[CONTOSO, CRM, "calendar"] == ("ended", "yes", 65, 20, 45, 0, "gap")
    assert cells[CONTOSO, CRM, "contacts"] == ("active", "no", 0, 0, 0, 0, "gap")
    assert cells[CONTOSO, PHONE, "presence"] == ("active", "yes", 22, 22, 0, 0, "complete")
    assert cells[CONTOSO, SHADOW, "teams_chat"] == ("never", "yes", 0, 0, 0, 0, "complete")
    assert cells[CONTOSO, CRM, None] == (None, "unknown", 7, 0, 0, 7, "gap")
    assert cells[CONTOSO, None, "mail"] == (None, "unknown", 3, 0, 0, 3, "gap")
    assert cells[ADATUM, CRM, "contacts"] == (None, "unknown", 9, 0, 0, 9, "gap")
    assert (CONTOSO, CRM, "files") not in cells
    assert not [key for key in cells if key[1] == OUTLOOK]


def test_names_come_from_the_register(report_world: duckdb.DuckDBPyConnection) -> None:
    cells = _cells(report_world, "integration_name, record")
    assert cells[CONTOSO, CRM, "mail"] == ("SalSoft CRM", "contoso-salsoft-crm")
    assert cells[CONTOSO, CRM, None] == ("SalSoft CRM", "contoso-salsoft-crm")
    assert cells[CONTOSO, SHADOW, "mail"] == (None, None)
    assert (FABRIKAM, CRM, "mail") not in cells


@pytest.fixture
def small() -> duckdb.DuckDBPyConnection:
    connection = empty_world()
    insert(connection, "tenants", {"tenant_id": CONTOSO, "name": "Contoso", "is_evaluated": True,
                                   "watched_from": FROM, "watched_to": TO})  # fmt: skip
    insert(connection, "policy_workloads", {"workload": "mail"}, {"workload": "calendar"})
    for permission, workload in (("full_access_as_app", "mail"), ("full_access_as_app", "calendar")):
        insert(connection, "permission_reach", {"resource_app_id": GRAPH, "permission": permission,
                                                "kind": "application", "workload": workload})  # fmt: skip
    return connection


def _grant(connection: duckdb.DuckDBPyConnection, permission: str | None, **more: Any) -> None:
    insert(connection, "grants", {"tenant_id": CONTOSO, "app_id": CRM, "resource_app_id": GRAPH, "is_current": True,
                                  "permission": permission, "kind": "application"} | more)  # fmt: skip


def _observe(connection: duckdb.DuckDBPyConnection, *feeds: str) -> None:
    for feed in feeds:
        insert(connection, "coverage", {"tenant_id": CONTOSO, "feed": feed, "covered_from": TO, "covered_to": TO,
                                        "state": "complete"})  # fmt: skip


def _use(connection: duckdb.DuckDBPyConnection) -> None:
    events, verdicts = access(CONTOSO, CRM, "mail", "read", "outside", ["no_record"], count=1, start=FROM)
    insert(connection, "access_events", *events)
    insert(connection, "verdicts", *verdicts)


def _granted(connection: duckdb.DuckDBPyConnection) -> dict[str | None, str]:
    make_cells(connection)
    return {key[2]: cell[0] for key, cell in _cells(connection, "granted").items()}


def test_one_permission_reaches_every_workload_of_the_catalogue(small: duckdb.DuckDBPyConnection) -> None:
    _grant(small, "Full_Access_As_App")
    assert _granted(small) == {"mail": "yes", "calendar": "yes"}


def test_a_grant_from_elsewhere_reaches_its_own_workload(small: duckdb.DuckDBPyConnection) -> None:
    _grant(small, "Application Mail.Read", source="exchange_rbac", workload="mail")
    assert _granted(small) == {"mail": "yes"}


def test_a_grant_that_is_gone_is_no_grant(small: duckdb.DuckDBPyConnection) -> None:
    _grant(small, "full_access_as_app", is_current=False)
    assert _granted(small) == {}


@pytest.mark.parametrize(
    ("feeds", "granted"),
    [
        ((), "unknown"),
        (("app_role_assignments",), "unknown"),
        (("delegated_permission_grants",), "unknown"),
        (("app_role_assignments", "delegated_permission_grants"), "no"),
    ],
)
def test_no_grant_is_only_said_where_both_kinds_were_read(
    small: duckdb.DuckDBPyConnection, feeds: tuple[str, ...], granted: str
) -> None:
    _use(small)
    _observe(small, *feeds)
    assert _granted(small) == {"mail": granted}


def test_a_feed_that_is_only_a_gap_was_not_read(small: duckdb.DuckDBPyConnection) -> None:
    _use(small)
    _observe(small, "app_role_assignments", "delegated_permission_grants")
    small.execute("UPDATE coverage SET state = 'gap' WHERE feed = 'app_role_assignments'")
    assert _granted(small) == {"mail": "unknown"}


def test_a_permission_without_a_name_makes_the_apps_grants_unknown(small: duckdb.DuckDBPyConnection) -> None:
    _use(small)
    _observe(small, "app_role_assignments", "delegated_permission_grants")
    _grant(small, None)
    assert _granted(small) == {"mail": "unknown"}


def _record(connection: duckdb.DuckDBPyConnection, record: str, *versions: tuple[str, datetime, str | None]) -> None:
    """A record of one process; each version: workload, begin, and the period's reason at the end of watching."""
    insert(connection, "register_records", {"tenant_id": CONTOSO, "record": record, "integration_name": "CRM"})
    insert(connection, "register_apps", {"tenant_id": CONTOSO, "record": record, "app_id": CRM})
    for ordinal, (workload, begin, reason) in enumerate(versions, 1):
        insert(connection, "register_versions",
               {"tenant_id": CONTOSO, "record": record, "process": "p", "version": ordinal, "workload": workload,
                "effective_from": begin, "recorded_at": begin})  # fmt: skip
        if ordinal == len(versions) or reason is not None:
            insert(connection, "register_segments",
                   {"tenant_id": CONTOSO, "record": record, "process": "p", "version": ordinal,
                    "valid_from": begin, "valid_to": None, "period_reason": reason})  # fmt: skip


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str | None, Cell]:
    make_cells(connection)
    return {key[2]: cell for key, cell in _cells(connection, "recorded, record").items()}


PAST = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_process_that_changed_its_workload_has_ended_in_the_old_one(small: duckdb.DuckDBPyConnection) -> None:
    _record(small, "a", ("mail", PAST, None), ("calendar", PAST + timedelta(days=9), None))
    small.execute("DELETE FROM register_segments WHERE version = 1")
    assert _recorded(small) == {"mail": ("ended", "a"), "calendar": ("active", "a")}


def test_what_begins_after_the_watched_time_is_not_recorded_yet(small: duckdb.DuckDBPyConnection) -> None:
    _record(small, "a", ("mail", TO + timedelta(days=1), "before_start"))
    assert _recorded(small) == {"mail": ("never", "a")}


def test_of_two_records_the_active_one_speaks(small: duckdb.DuckDBPyConnection) -> None:
    _record(small, "a", ("mail", PAST, "after_withdrawal"))
    _record(small, "b", ("mail", PAST, None))
    assert _recorded(small) == {"mail": ("active", "b")}


def test_a_process_that_ends_with_the_watched_time_has_ended(small: duckdb.DuckDBPyConnection) -> None:
    _record(small, "a", ("mail", PAST, None))
    small.execute("UPDATE register_segments SET valid_to = ?", [TO])
    assert _recorded(small) == {"mail": ("ended", "a")}


def test_without_any_evidence_the_register_stands_as_last_written(small: duckdb.DuckDBPyConnection) -> None:
    _record(small, "a", ("mail", PAST, None))
    small.execute("UPDATE tenants SET watched_from = NULL, watched_to = NULL")
    assert _recorded(small) == {"mail": ("active", "a")}


@pytest.mark.parametrize(
    ("states", "coverage"),
    [
        ({"graph_activity": "complete", "audit_exchange": "complete"}, "complete"),
        ({"graph_activity": "complete", "audit_exchange": "provisional"}, "provisional"),
        ({"graph_activity": "provisional", "audit_exchange": "gap"}, "gap"),
        ({"graph_activity": "complete"}, "gap"),
        ({}, "gap"),
    ],
)
def test_coverage_is_the_worst_of_the_feeds_that_show_the_workload(
    small: duckdb.DuckDBPyConnection, states: dict[str, str], coverage: str
) -> None:
    _use(small)
    for feed, state in states.items():
        insert(small, "coverage", {"tenant_id": CONTOSO, "feed": feed, "covered_from": FROM, "covered_to": TO,
                                   "state": state})  # fmt: skip
    make_cells(small)
    assert _cells(small, "coverage") == {(CONTOSO, CRM, "mail"): (coverage,)}

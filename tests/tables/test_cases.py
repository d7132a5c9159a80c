"""The cases of tests/tables/*.yml: each is a tenant of its own in one store, and its rows are compared."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from m365audit.resources import yaml_values

from .wire import WireFile, built

FILES: Final = sorted(Path(__file__).parent.glob("*.yml"))
_NAMESPACE: Final = uuid.UUID("6f7a1f2e-9f0e-4c55-8f50-0a5d0c9b4a10")


def _tenant(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def _cases() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield (table, id, case)."""
    for path in FILES:
        document = yaml_values(path.read_text(encoding="utf-8"))
        for case in document["cases"]:
            yield case.get("table", document["table"]), f"{path.stem}: {case['name']}", case


def _files(name: str, case: Mapping[str, Any]) -> Iterator[WireFile]:
    for file in case.get("files", ()):
        yield WireFile(tenant=_tenant(name), **file)


def _ledgers() -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the working database's ledgers that the cases give."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for _, name, case in _cases():
        for table, given in case.get("ledgers", {}).items():
            rows.setdefault(table, []).extend({"tenant_id": _tenant(name), **row} for row in given)
    return rows


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("tables")
    files = [file for _, name, case in _cases() for file in _files(name, case)]
    with built(folder, files, working=_ledgers()) as connection:
        yield connection


def _plain(value: object) -> object:
    """Return a value of DuckDB as YAML writes it: times as ISO text in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _agrees(wanted: object, found: object) -> bool:
    if isinstance(wanted, dict):  # {has: [...], lacks: [...]} of a list
        return (
            isinstance(found, list)
            and set(wanted.get("has", ())) <= set(found)
            and not set(wanted.get("lacks", ())) & set(found)
        )
    return wanted == found


def _unmatched(expected: Sequence[Mapping[str, Any]], rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Return what is expected and not there; removes from ``rows`` what is."""
    missing = []
    for wanted in expected:
        found = next((r for r in rows if all(_agrees(v, r[k]) for k, v in wanted.items())), None)
        if found is None:
            missing.append(wanted)
        else:
            rows.remove(found)
    return missing


@pytest.mark.parametrize(("table", "name", "case"), [pytest.param(*c, id=c[1]) for c in _cases()])
def test_case(tables: duckdb.DuckDBPyConnection, table: str, name: str, case: dict[str, Any]) -> None:
    where = f" AND ({case['where']})" if "where" in case else ""
    cursor = tables.execute(f"SELECT * FROM {table} WHERE tenant_id = ?{where} ORDER BY ALL", [_tenant(name)])  # noqa: S608 - names and conditions are the cases' own
    columns = [column[0] for column in cursor.description or ()]
    rows = [{k: _plain(v) for k, v in zip(columns, row, strict=True)} for row in cursor.fetchall()]
    shown = [{k: row[k] for k in (case["expect"][0] if case["expect"] else row)} for row in rows]
    left = list(rows)
    missing = _unmatched(case["expect"], left)
    assert not missing, f"{missing} not among {shown}"
    assert not left, f"more rows than expected: {left}"


def test_names_of_cases_are_used_once() -> None:
    names = [name for _, name, _ in _cases()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("access_events", "feed, event_id"),
        ("verdicts", "feed, event_id"),
        ("sign_ins", "feed, event_id"),
        ("directory_changes", "feed, event_id"),
        ("membership_changes", "event_id"),
        ("admin_changes", "feed, event_id, grantee"),
        ("service_principals", "sp_id"),
        ("directory_users", "user_id"),
        ("group_snapshots", "group_id, observed_at"),
        ("group_snapshot_members", "group_id, observed_at, member_id"),
        ("grants", "grant_id"),
        ("coverage", "feed, covered_from"),
        ("tenants", "tenant_id"),
        ("apps", "app_id"),
        ("unmapped_calls", "feed, method, shape"),
        ("sources", "source_id"),
        ("cells", "app_id, record, workload"),
        ("licences", "sku_id, plan_id"),
        ("applications", "object_id"),
        ("tenant_policies", "1"),
        ("app_credentials", "object_id, kind, key_id"),
        ("tenant_profiles", "1"),
        ("privacy_statements", "shown_by, app_id, url"),
        ("mail_forwarding", "feed, event_id, target"),
        ("auditor", "1"),
        ("auditor_events", "event_id"),
        ("collected_feeds", "feed"),
    ],
)
def test_grain(tables: duckdb.DuckDBPyConnection, table: str, key: str) -> None:
    total, distinct = tables.execute(
        f"SELECT (SELECT count(*) FROM {table}), (SELECT count(*) FROM (SELECT DISTINCT tenant_id, {key} FROM {table}))"  # noqa: S608
    ).fetchall()[0]
    assert total > 0
    assert total == distinct


def test_every_event_in_is_an_event_out(tables: duckdb.DuckDBPyConnection) -> None:
    landed, events, verdicts = tables.execute(
        "SELECT (SELECT count(*) FROM landed_calls WHERE is_newest) + (SELECT count(*) FROM landed_records "
        "WHERE is_newest AND feed IN ('audit_exchange', 'audit_sharepoint', 'audit_teams', 'audit_other')), "
        "(SELECT count(*) FROM access_events), (SELECT count(*) FROM verdicts)"
    ).fetchall()[0]
    assert landed == events == verdicts


def test_both_ways_of_landing_give_the_same_calls(tmp_path: Path, tables: duckdb.DuckDBPyConnection) -> None:
    calls = [file for _, name, case in _cases() for file in _files(name, case) if file.kind == "graph_activity"]
    columns = "tenant_id, event_id, occurred_at, app_id, method, path, status_code, user_id, sp_id, id_type"
    query = f"SELECT {columns} FROM landed_calls INNER JOIN landed_forms USING (tenant_id, form_no) ORDER BY ALL"  # noqa: S608
    quick = tables.execute(query).fetchall()
    (tmp_path / "careful").mkdir()
    with built(tmp_path / "careful", calls, is_careful=True) as connection:
        careful = connection.execute(query).fetchall()
    assert set(careful) <= set(quick)
    assert len(careful) == len(quick) > 20

"""Judges a world with the product's own queries, in memory. Register periods come from the oracle, not the product."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from m365audit.store.queries import QueryFile, read_queries

from . import oracle
from .world import Change, Event, Record, Snapshot, Verdict, World

FEED = "graph_activity"
_SCHEMA = Path(__file__).with_name("inputs.sql")


@cache
def verdict_queries() -> tuple[QueryFile, ...]:
    """Return the query files of the verdict in the order in which they run."""
    return tuple(read_queries("verdicts"))


def judge_all(world: World) -> dict[tuple[str, str], Verdict]:
    """Return the product's verdict by (tenant, event id); fails when an event has none or two."""
    with duckdb.connect(":memory:") as connection:
        load(connection, world)
        run_verdicts(connection)
        rows = connection.execute(
            "SELECT tenant_id, event_id, verdict, reasons, record, process FROM verdicts"
        ).fetchall()
    found = {(t, e): Verdict(v, tuple(reasons), record, process) for t, e, v, reasons, record, process in rows}
    assert len(rows) == len(world.events), "events in = verdicts out"
    assert len(found) == len({(e.tenant, e.event_id) for e in world.events})
    return found


def judge_side_by_side(*worlds: World) -> list[dict[tuple[str, str], Verdict]]:
    """Return the product's verdicts of each world; all are judged in one database, every world in tenants of its own.

    Policy and Microsoft's own apps must be the same in all of them.
    """
    parted = [in_tenants(world, {t: f"{t}#{number}" for t in _tenants(world)}) for number, world in enumerate(worlds)]
    found = judge_all(together(parted))
    sides: list[dict[tuple[str, str], Verdict]] = [{} for _ in worlds]
    for (tenant, event_id), verdict in found.items():
        name, _, number = tenant.rpartition("#")
        sides[int(number)][name, event_id] = verdict
    return sides


def in_tenants(world: World, names: dict[str, str]) -> World:
    """Return the world with its tenants renamed."""
    return replace(
        world,
        records=tuple(replace(r, tenant=names[r.tenant]) for r in world.records),
        events=tuple(replace(e, tenant=names[e.tenant]) for e in world.events),
        snapshots=tuple(replace(s, tenant=names[s.tenant]) for s in world.snapshots),
        changes=tuple(replace(c, tenant=names[c.tenant]) for c in world.changes),
        directory=tuple((names[t], i, n) for t, i, n in world.directory),
        service_principals=tuple((names[t], a, o) for t, a, o in world.service_principals),
        unevaluated=frozenset(names[t] for t in world.unevaluated),
    )


def together(worlds: Sequence[World]) -> World:
    """Return one world of several; policy and Microsoft's own apps are the first one's."""
    return replace(
        worlds[0],
        records=tuple(r for w in worlds for r in w.records),
        events=tuple(e for w in worlds for e in w.events),
        snapshots=tuple(s for w in worlds for s in w.snapshots),
        changes=tuple(c for w in worlds for c in w.changes),
        directory=tuple(d for w in worlds for d in w.directory),
        service_principals=tuple(s for w in worlds for s in w.service_principals),
        unevaluated=frozenset(t for w in worlds for t in w.unevaluated),
    )


def _tenants(world: World) -> set[str]:
    facts: list[Record | Event | Snapshot | Change] = [*world.records, *world.events, *world.snapshots, *world.changes]
    named = {t for t, *_ in (*world.directory, *world.service_principals)}
    return {fact.tenant for fact in facts} | named | world.unevaluated


def run_verdicts(connection: duckdb.DuckDBPyConnection) -> None:
    """Run the verdict's queries, each into the table that its header names."""
    for query in verdict_queries():
        connection.execute(f"CREATE {kind_of(query)} {query.header['table']} AS {query.sql}")


def kind_of(query: QueryFile) -> str:
    """Return what the query becomes: TABLE or VIEW."""
    return "VIEW" if query.header.get("view") else "TABLE"


def load(connection: duckdb.DuckDBPyConnection, world: World) -> None:
    """Create the input tables and fill them from a world."""
    connection.execute("SET TimeZone = 'UTC'; SET threads = 1")
    connection.execute(_SCHEMA.read_text(encoding="utf-8"))
    for table, rows in _tables(world).items():
        _insert(connection, table, rows)


def _tables(world: World) -> dict[str, list[Sequence[Any]]]:
    tenants = {e.tenant for e in world.events} | {r.tenant for r in world.records}
    judged = [r for r in world.records if r.tenant not in world.unevaluated]
    return {
        **_accesses(world),
        "service_principals": [
            (t, f"sp-{i}", a, owner) for i, (t, a, owner) in enumerate(world.service_principals)
        ],
        "directory_users": [(t, i, n) for t, i, n in world.directory],
        "group_snapshots": list(dict.fromkeys((s.tenant, s.group, s.at, s.is_complete) for s in world.snapshots)),
        "group_snapshot_members": [
            (s.tenant, s.group, s.at, m, kind) for s in world.snapshots for m, kind in s.members
        ],
        "membership_changes": [
            (c.tenant, f"change-{i}", c.at, c.group, c.member, c.change) for i, c in enumerate(world.changes)
        ],
        "register_records": [(r.tenant, r.record) for r in judged],
        "register_apps": [(r.tenant, r.record, a) for r in judged for a in r.app_ids],
        "register_versions": [row for r in judged for row in _versions(r)],
        "register_segments": [row for r in judged for row in segments(r)],
        "first_party_apps": [(a,) for a in sorted(world.first_party)],
        "microsoft_tenants": [(t,) for t in sorted(world.microsoft_tenants)],
        "policy_workloads": [(w,) for w in world.workloads],
        "policy_settings": [(int(world.before_first.total_seconds()),)],
        "tenants": [(t, t not in world.unevaluated) for t in sorted(tenants)],
    }  # fmt: skip


def _accesses(world: World) -> dict[str, list[Sequence[Any]]]:
    """Return the forms of the world's events, as they share them, and the events."""
    forms: dict[tuple[Any, ...], list[Event]] = {}
    for e in world.events:
        permissions = None if e.permissions is None else tuple(e.permissions)
        key = (
            e.tenant, e.app_id, e.access_kind, e.workload, e.operation, permissions, e.resource_kind, e.resource_id,
            e.resource_name, e.succeeded,
        )  # fmt: skip
        forms.setdefault(key, []).append(e)
    rows: dict[str, list[Sequence[Any]]] = {"access_forms": [], "landed_calls": []}
    for number, (key, events) in enumerate(forms.items(), start=1):
        tenant, app, kind, workload, operation, permissions, *rest = key
        times = sorted(e.occurred_at for e in events if e.occurred_at is not None)
        rows["access_forms"].append(
            (
                number, tenant, FEED, app, kind, workload, operation,
                None if permissions is None else list(permissions), *rest, len(events), len(events) - len(times),
                times[0] if times else None, times[-1] if times else None,
            )
        )  # fmt: skip
        rows["landed_calls"] += [(tenant, 1, e.event_id, number, 1, True, e.occurred_at) for e in events]
    return rows


def _versions(record: Record) -> Iterable[Sequence[Any]]:
    for position, entry in enumerate(record.history):
        for process in entry.processes:
            yield (
                record.tenant, record.record, process.id, position, process.workload, list(process.operations),
                [{"name": name, "kind": kind, "api": "microsoft_graph"} for name, kind in process.permissions],
                process.covers_all, list(process.ids), list(process.groups), entry.effective_from,
                entry.effective_until,
            )  # fmt: skip


def segments(record: Record) -> Iterable[Sequence[Any]]:
    """Return the record's segments by asking the oracle once between any two moments at which it could change."""
    moments = sorted(
        {e.effective_from for e in record.history}
        | {e.effective_from + record.stop_within for e in record.history}
        | {e.effective_until for e in record.history if e.effective_until}
    )
    edges: list[datetime | None] = [None, *moments, None]
    for process in sorted({p.id for e in record.history for p in e.processes}):
        for start, end in pairwise(edges):
            version, reason = oracle.period(record, process, start or datetime.min.replace(tzinfo=moments[0].tzinfo))
            yield record.tenant, record.record, process, start, end, version, reason


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[Sequence[Any]]) -> None:
    if not rows:
        return
    marks = ", ".join("(" + ", ".join("?" * len(rows[0])) + ")" for _ in rows)
    connection.execute(f"INSERT INTO {table} VALUES {marks}", [value for row in rows for value in row])  # noqa: S608 - table is a constant of this module

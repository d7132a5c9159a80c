"""Faults in some of forty tenants: what is stored and told of the others is byte for byte what it is without faults."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from m365audit.pipeline import Outcome
from m365audit.simulator.service import FOR_EVER, Fault
from m365audit.simulator.service.clock import SimulatedClock

from .living import living, small_world

TENANTS: Final = 40
FEEDS: Final = ("directory_audits", "audit_exchange", "users")
AUDITS: Final = "*/auditlogs/directoryaudits"
CONTENT: Final = "*/subscriptions/content"
WAYS: Final = (
    Fault("login_refused", "*/token", count=FOR_EVER, detail={"code": 7000222}),
    Fault("permission_removed", AUDITS, count=FOR_EVER),
    Fault("throttled_without_header", AUDITS, count=FOR_EVER),
    Fault("unavailable", CONTENT, count=FOR_EVER, detail={"status": 503}),
    Fault("hostile_link", AUDITS, count=FOR_EVER),
    Fault("html", "*/users", count=FOR_EVER),
    Fault("link_loop", CONTENT, count=FOR_EVER, detail={"form": "growing"}),
    Fault("deep_nesting", AUDITS, count=FOR_EVER, detail={"depth": 100_000}),
    Fault("redirected", AUDITS, count=FOR_EVER, detail={"status": 302}),
    Fault("aborted", AUDITS, count=FOR_EVER, detail={"at": "body"}),
)
"""Ways to fail: each befalls every fourth tenant in turn."""

TABLES: Final = {
    "landed_records": "SELECT tenant_id, feed, record_id, version, is_newest, occurred_at, record::VARCHAR",
    "collection_windows": "SELECT tenant_id, feed, collection, covered_from, covered_to, state, reason, detail, pulls, "
    "records, added_last",
    "collection_listings": "SELECT tenant_id, feed, collection, is_whole, reason, detail, records",
    "sign_in_states": "SELECT tenant_id, is_signed_in, is_refused, code",
}
"""What is compared: all but the numbers and the moments of a run."""


def collected(folder: Path, struck: Sequence[int]) -> tuple[dict[str, dict[str, list[Any]]], Outcome, list[str]]:
    """Collect forty tenants; return the rows of each table by tenant, the outcome, and the tenants that were struck."""
    world = small_world(40, tenants=TENANTS, records=4)
    names = list(world.clients)
    faults = [
        Fault(way.kind, way.where, tenant=names[number], count=way.count, detail=way.detail)
        for number, way in zip(struck, WAYS, strict=False)
    ]
    with living(folder, world, faults, feeds=FEEDS, clock=SimulatedClock(world.now, pace=0)) as one:
        outcome = one.run(within=timedelta(hours=6), end=world.now)
        one.require_exact(outcome)
        rows: dict[str, dict[str, list[Any]]] = {name: {} for name in names}
        for table, question in TABLES.items():
            for row in one.asked(f"{question} FROM {table} ORDER BY ALL"):
                rows[row[0]].setdefault(table, []).append(row)
    return rows, outcome, [names[number] for number in struck]


def test_what_befalls_ten_of_forty_changes_nothing_of_the_others(tmp_path: Path) -> None:
    clean, undisturbed, _ = collected(tmp_path / "clean", ())
    rows, outcome, struck = collected(tmp_path / "struck", range(1, TENANTS, 4))
    assert len(struck) == len(WAYS)
    others = [tenant for tenant in clean if tenant not in struck]
    assert all(set(clean[tenant]) == set(TABLES) for tenant in others), "each has something of everything"
    differing = [
        (one, other)
        for tenant in others
        for table in TABLES
        for one, other in zip_longest(clean[tenant][table], rows[tenant].get(table, []))
        if repr(one) != repr(other)
    ]
    assert not differing
    assert {each.tenant for each in outcome.collected if each.is_partial} == set(struck)
    assert all(rows[tenant] != clean[tenant] for tenant in struck), "faults that change nothing show nothing"
    assert not undisturbed.is_partial
    assert not outcome.is_locked_out

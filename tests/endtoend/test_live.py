"""The demo's world collected live, twice: what the product says is what was built in, and it knows what it missed."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import
from m365audit.pipeline.collecting import Wanted
from m365audit.simulator.demonstration import Demonstration, demonstration
from m365audit.simulator.service import writes
from m365audit.simulator.truth import ExpectedCoverage, ExpectedFinding, Truth

from .audited import Quiet


def _collect(demo: Demonstration) -> None:
    """Collect twice, a day apart; judge when that is done."""
    settings = load_settings(demo.world.config).settings
    policy = load_policy(settings.policy)
    imports = [Import(item.path, t.id, item.kind, window=item.window) for t in settings.tenants for item in t.imports]
    begin, end = demo.watched
    wanted = Wanted(settings.tenants, begin=begin, end=end, pace=100)
    for moment in demo.collections():
        is_last = moment == demo.live.collected_at[1]
        pipeline.run(
            settings, policy, imports if is_last else [], Quiet(), command="test", wanted=wanted, evaluate=is_last
        )


def test_living_tenants_are_audited_as_they_were_built(tmp_path: Path) -> None:
    """One test, because there is one world: each line is a claim of its own."""
    with demonstration(tmp_path) as demo:
        _collect(demo)
        written = [f"{r.method} {r.path}" for r in writes(demo.simulator.log)]
    truth = demo.world.truth
    with duckdb.connect(str(tmp_path / "state/m365audit.duckdb"), read_only=True) as connection:
        stored = _ids(connection)
    with duckdb.connect(str(tmp_path / "publish/m365audit.duckdb"), read_only=True) as published:
        published.execute("SET TimeZone = 'UTC'")
        verdicts, findings, coverage = _verdicts(published), _findings(published), _coverage(published)
    kinds = {"ids": _unlike(stored, truth), "coverage": [r for r in truth.coverage if not _holds(r, coverage)]}
    assert kinds == {"ids": {}, "coverage": []}
    assert verdicts == Counter(
        {(v.tenant_id, v.feed, v.app_id, v.verdict, v.reasons): v.events for v in truth.verdicts}
    )
    assert [wrong for wrong in truth.findings if not any(_is_about(wrong, *f) for f in findings)] == []
    assert [f for f in findings if any(_is_about(calm, *f) for calm in truth.quiet)] == []
    assert all("subscriptions/start" in w or "/security/auditLog/queries" in w or w.endswith("/token") for w in written)


Key = tuple[str, str, str | None, str, tuple[str, ...]]
Row = tuple[str, str, datetime, datetime, str, str]


def _ids(connection: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], frozenset[str]]:
    rows = connection.execute(
        "SELECT tenant_id, feed, list(DISTINCT record_id) FROM landed_records WHERE is_newest GROUP BY ALL"
    ).fetchall()
    return {(tenant, feed): frozenset(ids) for tenant, feed, ids in rows}


def _unlike(stored: dict[tuple[str, str], frozenset[str]], truth: Truth) -> dict[tuple[str, str], tuple[int, int]]:
    """Return tenant and feed of what is not stored exactly, with how many are missing, and too many."""
    none: frozenset[str] = frozenset()
    pairs = {key: (truth.ids.get(key, none), stored.get(key, none)) for key in stored.keys() | truth.ids.keys()}
    return {key: (len(due - held), len(held - due)) for key, (due, held) in pairs.items() if due != held}


def _verdicts(published: duckdb.DuckDBPyConnection) -> Counter[Key]:
    rows = published.execute(
        "SELECT tenant_id, feed, app_id, verdict, reasons, count(*) FROM verdicts "
        "JOIN access_events USING (tenant_id, feed, event_id) GROUP BY ALL"
    ).fetchall()
    return Counter({(tenant, feed, app, verdict, tuple(reasons)): n for tenant, feed, app, verdict, reasons, n in rows})


def _findings(published: duckdb.DuckDBPyConnection) -> list[tuple[str, str, dict[str, object]]]:
    rows = published.execute("SELECT tenant_id, rule, subject FROM findings WHERE state = 'open'").fetchall()
    return [(tenant, rule, json.loads(subject)) for tenant, rule, subject in rows]


def _is_about(expected: ExpectedFinding, tenant: str, rule: str, subject: dict[str, object]) -> bool:
    is_rule = expected.tenant_id == tenant and expected.rule in {"*", rule}
    return is_rule and all(subject.get(name) == value for name, value in expected.subject.items())


def _coverage(published: duckdb.DuckDBPyConnection) -> list[Row]:
    rows = published.execute(
        "SELECT tenant_id, feed, epoch(covered_from), epoch(covered_to), state, reason FROM coverage"
    ).fetchall()
    return [
        (tenant, feed, datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC), state, reason)
        for tenant, feed, begin, end, state, reason in rows
    ]


def _holds(expected: ExpectedCoverage, coverage: list[Row]) -> bool:
    """Say whether all rows that are about the interval agree, and leave no moment of it untold."""
    rows = [
        row for row in coverage
        if row[:2] == (expected.tenant_id, expected.feed) and row[2] < expected.end and row[3] > expected.begin
    ]  # fmt: skip
    told = sum((min(row[3], expected.end) - max(row[2], expected.begin)).total_seconds() for row in rows)
    agree = all(row[4] == expected.state and expected.reason in {"", row[5]} for row in rows)
    return agree and told == (expected.end - expected.begin).total_seconds()

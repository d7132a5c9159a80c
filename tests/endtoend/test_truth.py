"""What the product says about the demo's world is what was built into it: every verdict, every wrong, nothing more."""

from __future__ import annotations

import json
from collections import Counter

import duckdb
import pytest

from m365audit.simulator.truth import ExpectedFinding

from .audited import Audited

Key = tuple[str, str, str | None, str, tuple[str, ...]]


def _verdicts(published: duckdb.DuckDBPyConnection) -> Counter[Key]:
    rows = published.execute(
        "SELECT tenant_id, feed, app_id, verdict, reasons, count(*) FROM verdicts "
        "JOIN access_events USING (tenant_id, feed, event_id) GROUP BY ALL"
    ).fetchall()
    return Counter({(tenant, feed, app, verdict, tuple(reasons)): n for tenant, feed, app, verdict, reasons, n in rows})


def _is_about(expected: ExpectedFinding, tenant: str, rule: str, subject: dict[str, object]) -> bool:
    is_rule = expected.tenant_id == tenant and expected.rule in {"*", rule}
    return is_rule and all(subject.get(name) == value for name, value in expected.subject.items())


def _findings(published: duckdb.DuckDBPyConnection) -> list[tuple[str, str, dict[str, object]]]:
    rows = published.execute("SELECT tenant_id, rule, subject FROM findings WHERE state = 'open'").fetchall()
    return [(tenant, rule, json.loads(subject)) for tenant, rule, subject in rows]


def test_every_access_has_the_verdict_that_was_built_in(audited: Audited, published: duckdb.DuckDBPyConnection) -> None:
    """Counts by tenant, feed, app, verdict and reasons are equal to the truth, with nothing left over."""
    expected = Counter(
        {(v.tenant_id, v.feed, v.app_id, v.verdict, tuple(v.reasons)): v.events for v in audited.world.truth.verdicts}
    )
    assert _verdicts(published) == expected


def test_every_wrong_is_found(audited: Audited, published: duckdb.DuckDBPyConnection) -> None:
    """Each wrong of the story has its finding."""
    found = _findings(published)
    missing = [wrong for wrong in audited.world.truth.findings if not any(_is_about(wrong, *f) for f in found)]
    assert missing == []


def test_what_is_in_order_is_left_alone(audited: Audited, published: duckdb.DuckDBPyConnection) -> None:
    """Nothing is found where nothing is wrong."""
    found = _findings(published)
    wrong = [f for f in found if any(_is_about(calm, *f) for calm in audited.world.truth.quiet)]
    assert wrong == []


def test_every_rule_of_the_story_fired(audited: Audited, published: duckdb.DuckDBPyConnection) -> None:
    """The ten rules that the story is about each have a finding."""
    wanted = {wrong.rule for wrong in audited.world.truth.findings}
    assert len(wanted) >= 10
    assert wanted <= {rule for _, rule, _ in _findings(published)}


def test_every_event_is_judged_once(published: duckdb.DuckDBPyConnection) -> None:
    """Law 1: events in = verdicts out."""
    counts = published.execute(
        "SELECT (SELECT count(*) FROM access_events), (SELECT count(*) FROM verdicts), "
        "(SELECT count(DISTINCT (tenant_id, feed, event_id)) FROM verdicts)"
    ).fetchone()
    assert counts is not None
    assert counts[0] == counts[1] == counts[2] > 3000


@pytest.mark.parametrize("table", ["landed_forms", "access_events"])
def test_no_query_values_are_kept(audited: Audited, table: str) -> None:
    """A request's query string may hold names and search words; neither database has any."""
    name = audited.settings.state if table == "landed_forms" else audited.settings.publish
    column = "path" if table == "landed_forms" else "endpoint"
    with duckdb.connect(str(name / "m365audit.duckdb"), read_only=True) as connection:
        row = connection.execute(
            f"SELECT count(*) FILTER (WHERE contains({column}, '?') OR contains({column}, '$filter')), "  # noqa: S608
            f"count(*) FROM {table}"
        ).fetchone()
    assert row is not None
    assert row[0] == 0 < row[1]

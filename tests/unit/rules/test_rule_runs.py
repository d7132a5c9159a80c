"""Running rules: tenants and rules do not touch each other, nothing is left behind, strangers' text stays text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rule_database import MemoryDatabase

from m365audit.errors import QueryError
from m365audit.findings.identity import finding_id
from m365audit.rules.loader import check_rule
from m365audit.rules.rule import Rule, plain
from m365audit.rules.runner import run_rules

TEXT = """\
/*---
id: seen
version: 1
severity: low
title: "{app_id} did {operation}"
question: Who was here?
identity: [app_id, operation]
needs: [graph_activity, app_role_assignments]
evidence: Accesses.
misses: The rest.
advice: Ask.
references: ["GDPR Art. 5(2)"]
---*/
SELECT
    e.tenant_id, e.app_id, e.operation, e.feed, e.event_id, e.occurred_at, ['b', 'a'] AS reasons,
    CAST(NULL AS VARCHAR) AS record, CAST(NULL AS VARCHAR) AS process
FROM access_events AS e
LEFT JOIN grants AS g ON e.tenant_id = g.tenant_id
"""


@pytest.fixture
def database() -> MemoryDatabase:
    return MemoryDatabase()


@pytest.fixture
def rule(database: MemoryDatabase) -> Rule:
    rule, problems = check_rule(database, "use/seen.sql", TEXT)
    assert rule is not None, problems
    return rule


def tenant(database: MemoryDatabase, name: str, *feeds: str) -> None:
    database.insert("tenants", {"tenant_id": name, "is_evaluated": True})
    for feed in feeds:
        database.insert("coverage", {"tenant_id": name, "feed": feed, "state": "complete"})


def event(database: MemoryDatabase, tenant_id: str, event_id: str, **more: object) -> None:
    row = {"tenant_id": tenant_id, "feed": "graph_activity", "event_id": event_id, "app_id": "app", **more}
    database.insert("access_events", row)


def test_tenants_are_told_apart(database: MemoryDatabase, rule: Rule) -> None:
    tenant(database, "a", "graph_activity", "app_role_assignments")
    tenant(database, "b", "graph_activity", "app_role_assignments")
    tenant(database, "c", "graph_activity")
    event(database, "a", "e1")
    results = run_rules(database, [rule], finding_id)
    said = {outcome.tenant_id: (outcome.outcome, outcome.findings, outcome.is_covered) for outcome in results.outcomes}
    assert said == {"a": ("findings", 1, True), "b": ("clean", 0, True), "c": ("not_evaluated", 0, False)}
    assert {finding.tenant_id for finding in results.findings} == {"a"}


def test_a_rule_that_fails_stops_no_other(database: MemoryDatabase, rule: Rule) -> None:
    tenant(database, "a", "graph_activity", "app_role_assignments")
    event(database, "a", "e1", endpoint="not a number")
    broken = replace(rule, id="broken", sql=rule.sql.replace("['b', 'a']", "[CAST(e.endpoint::BIGINT AS VARCHAR)]"))
    results = run_rules(database, [broken, rule], finding_id)
    assert [(o.rule, o.outcome) for o in results.outcomes] == [("broken", "error"), ("seen", "findings")]
    assert "Conversion" in (results.outcomes[0].reason or "")
    assert not results.outcomes[0].is_covered


def test_a_candidate_that_cannot_be_read_is_no_rules_fault(database: MemoryDatabase, rule: Rule) -> None:
    database.execute("DROP TABLE coverage")
    with pytest.raises(QueryError):
        run_rules(database, [rule], finding_id)


def test_nothing_but_the_evidence_is_left_behind(database: MemoryDatabase, rule: Rule) -> None:
    before = set(database.execute("SELECT table_name FROM duckdb_tables()"))
    tenant(database, "a", "graph_activity", "app_role_assignments")
    event(database, "a", "e1")
    run_rules(database, [rule, replace(rule, sql="SELECT 1 AS tenant_id")], finding_id)
    assert set(database.execute("SELECT table_name FROM duckdb_tables()")) == before


def test_the_same_evidence_twice_is_one_piece(database: MemoryDatabase, rule: Rule) -> None:
    tenant(database, "a", "graph_activity", "app_role_assignments")
    for operation in ("read", None):
        for number in range(3):
            event(database, "a", f"e{number}", operation=operation, occurred_at=f"2026-03-0{number + 1}T00:00:00Z")
    for grant in ("g1", "g2"):
        database.insert("grants", {"tenant_id": "a", "grant_id": grant})
    results = run_rules(database, [rule], finding_id)
    assert sorted((f.subject, f.evidence_count, f.reasons) for f in results.findings) == [
        ('{"app_id":"app","operation":"read"}', 3, ("a", "b")),
        ('{"app_id":"app","operation":null}', 3, ("a", "b")),
    ]
    rows = database.execute("SELECT finding_id, count(*), min(occurred_at)::VARCHAR FROM finding_evidence GROUP BY 1")
    assert sorted(rows) == sorted((f.finding_id, 3, "2026-03-01 00:00:00+00") for f in results.findings)


def test_running_again_gives_the_same_findings(database: MemoryDatabase, rule: Rule) -> None:
    tenant(database, "a", "graph_activity", "app_role_assignments")
    for number in range(20):
        event(database, "a", f"e{number}", app_id=f"app-{number % 7}")
    first = run_rules(database, [rule], finding_id)
    database.execute("DELETE FROM finding_evidence")
    assert run_rules(database, [rule], finding_id) == first


def test_a_renamed_rule_keeps_its_findings(database: MemoryDatabase, rule: Rule) -> None:
    tenant(database, "a", "graph_activity", "app_role_assignments")
    event(database, "a", "e1")
    renamed = replace(rule, id="new-name", aliases=("seen", "later-name"))
    (before,) = run_rules(database, [rule], finding_id).findings
    (after,) = run_rules(database, [renamed], finding_id).findings
    assert (after.finding_id, after.rule) == (before.finding_id, "new-name")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("{app_id} {0}", "{app_id} {0}"),
        ("a\x1b[31m\nb\u202ec\u200b d\u2028e", "a[31mbc de"),
        (None, "unknown"),
        ("", "unknown"),
    ],
)
def test_a_strangers_text_stays_plain_text(rule: Rule, value: str | None, shown: str) -> None:
    assert rule.title_for({"app_id": value, "operation": "read"}) == f"{shown} did read"


def test_a_strangers_long_text_is_cut() -> None:
    assert plain("x" * 5000) == "x" * 119 + "…"

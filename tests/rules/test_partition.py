"""Every verdict ``outside`` is named by exactly one rule: all reasons that verdicts can have together, and more."""

from __future__ import annotations

from itertools import product
from typing import Final

from rule_database import MemoryDatabase

from m365audit.findings import with_finding_ids
from m365audit.rules.loader import load_rules
from m365audit.rules.runner import run_rules

RULES: Final = (
    "used-after-end", "used-before-start", "operation-beyond-record", "application-where-delegated",
    "resource-outside-record", "used-not-recorded",
)  # fmt: skip
ENDINGS: Final = {"after_withdrawal", "after_expiry", "invalidated"}
PERIODS: Final = ("before_start", "invalidated", "after_withdrawal", "after_expiry")
OTHERS: Final = ("workload", "operation", "access_kind", "permission", "resource")
TENANT: Final = "11111111-1111-4111-8111-111111111111"


def expected_rule(reasons: tuple[str, ...], kind: str | None) -> str:
    """Say in Python which rule names a verdict: the first of the list that is about one of its reasons."""
    if ENDINGS & set(reasons):
        return "used-after-end"
    if "before_start" in reasons:
        return "used-before-start"
    if "workload" in reasons:
        return "used-not-recorded"
    if "operation" in reasons:
        return "operation-beyond-record"
    if "access_kind" in reasons and kind == "application":
        return "application-where-delegated"
    return "resource-outside-record" if "resource" in reasons else "used-not-recorded"


def combinations() -> list[tuple[tuple[str, ...], str | None]]:
    """Return all sets of reasons, also those with several periods, of which verdicts have one at most."""
    words = (*PERIODS, *OTHERS, "no_record", "a_reason_of_tomorrow")
    chosen = product((False, True), repeat=len(words))
    sets = [tuple(word for word, is_in in zip(words, row, strict=True) if is_in) for row in chosen]
    return [(reasons, kind) for reasons in sets for kind in ("application", "delegated", None)]


def test_every_outside_verdict_is_named_by_exactly_one_rule() -> None:
    database = MemoryDatabase()
    cases = combinations()
    numbers = list(range(len(cases)))
    database.insert("tenants", {"tenant_id": TENANT, "is_evaluated": True})
    database.execute(
        "INSERT INTO verdicts BY NAME SELECT $tenant AS tenant_id, 'graph_activity' AS feed, 'e' || i AS event_id,"
        " 'outside' AS verdict, string_split_regex(reasons, ' ') AS reasons, 'crm' AS record, 'log' AS process"
        " FROM (SELECT unnest($numbers) AS i, unnest($reasons) AS reasons)",
        {"tenant": TENANT, "numbers": numbers, "reasons": [" ".join(reasons) for reasons, _ in cases]},
    )
    database.execute(
        "INSERT INTO access_events BY NAME SELECT $tenant AS tenant_id, 'graph_activity' AS feed, 'e' || i AS event_id,"
        " TIMESTAMPTZ '2026-03-10 08:00:00+00' AS occurred_at, 'app' AS app_id, kind AS access_kind,"
        " 'mail' AS workload, 'read' AS operation FROM (SELECT unnest($numbers) AS i,"
        " unnest($kinds::VARCHAR[]) AS kind)",
        {"tenant": TENANT, "numbers": numbers, "kinds": [kind for _, kind in cases]},
    )
    chosen = [rule for rule in load_rules(database) if rule.id in RULES]
    assert len(chosen) == len(RULES)

    run_rules(database, chosen, with_finding_ids)

    rows = database.execute(
        "SELECT e.event_id, f.rule FROM finding_evidence AS e JOIN present_findings AS f USING (tenant_id, finding_id)"
    )
    named = sorted((int(event[1:]), rule) for event, rule in rows)
    assert named == [(number, expected_rule(*case)) for number, case in enumerate(cases)]
    assert {rule for _, rule in named} == set(RULES)


def test_a_verdict_without_reasons_is_named_too() -> None:
    database = MemoryDatabase()
    database.insert("tenants", {"tenant_id": TENANT, "is_evaluated": True})
    event = {"tenant_id": TENANT, "feed": "graph_activity", "event_id": "e"}
    database.insert("access_events", event)
    database.insert("verdicts", {**event, "verdict": "outside", "reasons": None})

    run_rules(database, [rule for rule in load_rules(database) if rule.id in RULES], with_finding_ids)

    assert [finding["rule"] for finding in database.present()] == ["used-not-recorded"]

"""Every case of tests/rules/*.yml: rows in, findings and outcome out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from rule_database import MemoryDatabase

from m365audit.catalogue import auditor_permission_rows, full_mailbox_permission_rows, workload_feed_rows
from m365audit.findings import with_finding_ids
from m365audit.model import AUDITED_WORKLOADS, FEEDS, LOG_FEEDS
from m365audit.resources import yaml_values
from m365audit.rules.loader import load_rules
from m365audit.rules.rule import Rule
from m365audit.rules.runner import run_rules

FOLDER: Final = Path(__file__).parent
TENANT: Final = "11111111-1111-4111-8111-111111111111"
GRAPH: Final = "00000003-0000-0000-c000-000000000000"
EXCHANGE: Final = "00000002-0000-0ff1-ce00-000000000000"
WATCHED: Final = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")

REACH: Final = (
    (GRAPH, "Mail.Read", "application", "mail"),
    (GRAPH, "Mail.Read", "delegated", "mail"),
    (GRAPH, "Mail.Send", "application", "mail"),
    (GRAPH, "Calendars.Read", "application", "calendar"),
    (GRAPH, "User.Read.All", "application", "directory"),
    (GRAPH, "Presence.Read.All", "application", "presence"),
    (EXCHANGE, "full_access_as_app", "application", "mail"),
    (EXCHANGE, "full_access_as_app", "application", "calendar"),
    (EXCHANGE, "Application Mail.Read", "application", "mail"),
)
"""What permissions reach in the cases; ``directory`` is no audited workload."""

DEFAULTS: Final[dict[str, dict[str, object]]] = {
    "tenants": {"is_evaluated": True, "is_collected": True, "watched_from": WATCHED[0], "watched_to": WATCHED[1]},
    "grants": {
        "resource_app_id": GRAPH,
        "kind": "application",
        "source": "app_role_assignment",
        "first_seen_at": WATCHED[0],
        "last_seen_at": WATCHED[1],
        "is_current": True,
    },
    "access_events": {
        "feed": "graph_activity",
        "occurred_at": "2026-03-10T08:00:00Z",
        "access_kind": "application",
        "workload": "mail",
        "operation": "read",
        "permissions": ["Mail.Read", "Mail.ReadWrite"],
        "succeeded": True,
    },
    "auditor": {"app_id": "auditor-app", "is_signed_in": True, "clock_at": WATCHED[1], "permissions": [], "scopes": []},
    "auditor_events": {"occurred_at": "2026-03-10T08:00:00Z", "detail": "", "run_id": "run-1"},
    "collected_feeds": {"clock_at": WATCHED[1], "collections": ["c"], "open_windows": 0, "gap_windows": 0},
    "sign_ins": {"occurred_at": "2026-03-10T08:00:00Z", "succeeded": True},
    "service_principals": {"observed_at": WATCHED[1]},
    "applications": {"observed_at": WATCHED[1]},
    "app_credentials": {
        "place": "service_principal",
        "kind": "secret",
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2026-07-01T00:00:00Z",
        "observed_at": WATCHED[1],
    },
    "tenant_policies": {
        "observed_at": WATCHED[1],
        "security_defaults": False,
        "mfa_policies": 0,
        "mfa_for_all": False,
    },
    "mail_forwarding": {
        "feed": "audit_exchange",
        "occurred_at": "2026-03-10T08:00:00Z",
        "operation": "New-InboxRule",
        "target": "me@elsewhere.example",
        "target_domain": "elsewhere.example",
        "is_external": True,
        "succeeded": True,
    },
    "privacy_statements": {
        "shown_by": "app",
        "first_seen_at": WATCHED[0],
        "last_seen_at": WATCHED[1],
        "is_current": True,
    },
    "directory_users": {"is_enabled": True, "observed_at": WATCHED[1]},
    "calls": {"kind": "direct_routing", "started_at": "2026-03-10T08:00:00Z"},
    "admin_changes": {"feed": "audit_exchange", "occurred_at": "2026-03-10T08:00:00Z", "succeeded": True},
    "directory_changes": {
        "occurred_at": "2026-03-10T08:00:00Z",
        "activity": "Consent to application",
        "result": "success",
        "permissions": ["Mail.Read"],
    },
}


@cache
def database() -> MemoryDatabase:
    """Return the one database of this module; every case empties it first."""
    return MemoryDatabase()


@cache
def rules() -> Mapping[str, Rule]:
    """Return the product's rules by id."""
    return {rule.id: rule for rule in load_rules(database())}


def cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yml")):
        for case in yaml_values(path.read_text("utf-8"))["cases"]:
            yield pytest.param(path.stem, case, id=f"{path.stem}: {case['name']}")


NO_TENANT: Final = (
    "policy_workloads", "policy_settings", "permission_reach", "workload_feeds", "full_mailbox_permissions",
    "auditor_permissions", "first_party_apps", "microsoft_tenants", "policy_versions", "policy_categories",
)  # fmt: skip
_AGREED: Final = (
    "legal_basis", "data_categories", "data_subjects", "legitimate_interest_ref", "consent_store", "recipients",
    "policy_version", "notice_sha256",
)  # fmt: skip
NO_TABLES: Final = ("use", "habits", "register", "unwatched", "provisional", "forgotten")


def fill(given: dict[str, Any]) -> None:
    """Insert what a case gives; tables it does not name get what a well-watched tenant has."""
    rows = {name: given[name] for name in given if name not in NO_TABLES}
    rows.setdefault("tenants", [{}])
    rows.setdefault(
        "policy_settings",
        [
            {
                "consent_record_within_seconds": 7 * 86400,
                "record_ending_notice_seconds": 30 * 86400,
                "credential_notice_seconds": 30 * 86400,
                "collection_pause_seconds": 3 * 86400,
            }
        ],
    )
    rows["policy_workloads"] = [{"workload": workload} for workload in AUDITED_WORKLOADS]
    names = ("resource_app_id", "permission", "kind", "workload")
    rows["workload_feeds"] = list(workload_feed_rows())
    rows["full_mailbox_permissions"] = list(full_mailbox_permission_rows())
    rows["auditor_permissions"] = list(auditor_permission_rows())
    rows["permission_reach"] = [{**dict(zip(names, row, strict=True)), "operations": ["read"]} for row in REACH]
    rows["coverage"] = [*coverage(given), *rows.get("coverage", [])]
    for number, use in enumerate(given.get("use", [])):
        event, verdict = use_rows(number, dict(use))
        rows.setdefault("access_events", []).append(event)
        rows.setdefault("verdicts", []).append(verdict)
    for process in given.get("register", []):
        for table, row in register_rows(dict(process)):
            if row not in rows.setdefault(table, []):
                rows[table].append(row)
    for table, members in rows.items():
        owner = {} if table in NO_TENANT else {"tenant_id": TENANT}
        database().insert_all(table, ({**owner, **DEFAULTS.get(table, {}), **row} for row in members))
    for number, habit in enumerate(given.get("habits", [])):
        live(number, dict(habit))


def live(number: int, habit: dict[str, Any]) -> None:
    """Let an app make ``counts`` accesses on the days from the begin of the watched time, one a minute.

    ``mailboxes`` is how many it goes round; the other words are columns of the event and of its verdict, as in ``use``.
    """
    counts = habit.pop("counts")
    mailboxes = habit.pop("mailboxes", [1] * len(counts))
    event, verdict = use_rows(number, {"verdict": "within", "record": "crm", "process": "log", **habit})
    for day, (count, width) in enumerate(zip(counts, mailboxes, strict=True)):
        begin = datetime.fromisoformat(WATCHED[0]) + timedelta(days=day)
        same = {"resource_kind": "user", **DEFAULTS["access_events"], **event, "begin": begin, "width": width}
        moment = "$begin + to_minutes(i) AS occurred_at, 'mailbox-' || i % $width AS resource_id"
        _insert_many("access_events", f"habit-{number}-{day}", count, same, moment)
        _insert_many("verdicts", f"habit-{number}-{day}", count, verdict)


def _insert_many(table: str, name: str, count: int, same: dict[str, object], *made: str) -> None:
    """Insert ``count`` rows that differ in their ids, and in what is ``made`` of i, from 0."""
    given = {**same, "tenant_id": TENANT, "name": name, "count": count}
    kept = [f"${key} AS {key}" for key in same if key not in {"event_id", "occurred_at", "begin", "width"}]
    columns = ", ".join([*kept, "$tenant_id AS tenant_id", "$name || '-' || i AS event_id", *made])
    used = {key: value for key, value in given.items() if key not in {"event_id", "occurred_at"}}
    rows = "FROM range($count) AS r (i)"
    database().execute(f"INSERT INTO {table} BY NAME SELECT {columns} {rows}", used)


def coverage(given: dict[str, Any]) -> list[dict[str, object]]:
    """Cover every feed completely, but what the case calls ``unwatched``, ``provisional`` or ``forgotten``."""
    rows: list[dict[str, object]] = []
    for feed in set(FEEDS) - set(given.get("forgotten", [])):
        row: dict[str, object] = {
            "feed": feed,
            "covered_from": WATCHED[0],
            "covered_to": WATCHED[1],
            "state": "complete",
        }
        if feed in given.get("unwatched", []):
            row |= {"state": "gap", "reason": "not_collected"}
        elif feed in given.get("provisional", []):
            row |= {"state": "provisional"}
        rows.append(row)
    return rows


def use_rows(number: int, use: dict[str, Any]) -> tuple[dict[str, object], dict[str, object]]:
    """Split one ``use`` of a case into the event and its verdict."""
    keys = ("verdict", "reasons", "record", "process")
    event_id = f"event-{number}"
    verdict = {key: use.pop(key) for key in keys if key in use}
    feed = use.get("feed", "graph_activity")
    return {"event_id": event_id, **use}, {"event_id": event_id, "feed": feed, **verdict}


def register_rows(process: dict[str, Any]) -> Iterator[tuple[str, dict[str, object]]]:
    """Make the register's tables from ``record, process, version, app_id, workload, operations, permissions``.

    It is in force from ``start`` to ``end``; ``periods`` takes the place of the three that come of these. A period is a
    list of from, to and reason; null is open, or active.
    """
    record, name = process["record"], process.get("process", "process-1")
    key = {"record": record, "process": name}
    start, end = process.get("start", "2026-01-01T00:00:00Z"), process.get("end", "2027-01-01T00:00:00Z")
    yield "register_apps", {"record": record, "app_id": process.get("app_id", "crm-app")}
    permissions = [permission.split("/") for permission in process.get("permissions", ["Mail.Read/application"])]
    yield (
        "register_versions",
        {
            **key,
            "version": process.get("version", 1),
            "workload": process.get("workload", "mail"),
            "operations": process.get("operations", ["read"]),
            "covers_all": process.get("covers_all", True),
            "resource_ids": process.get("ids", []),
            "resource_groups": process.get("groups", []),
            "regions": process.get("regions"),
            "permissions": [{"name": p, "kind": k, "api": "microsoft_graph"} for p, k in permissions],
            "effective_from": start,
            "effective_until": process.get("effective_until", "2027-01-01T00:00:00Z"),
            "recorded_at": process.get("recorded_at", start),
            **{column: process.get(column) for column in _AGREED},
            "ended_at": process.get("end"),
        },
    )
    ended = process.get("reason", "after_expiry")
    periods = [(None, start, "before_start"), (start, end, None), (end, None, ended)]
    for valid_from, valid_to, reason in process.get("periods", periods):
        period = {"valid_from": valid_from, "valid_to": valid_to, "period_reason": reason}
        yield "register_segments", {**key, "version": process.get("version", 1), **period}


def shown(finding: Mapping[str, Any], keys: Mapping[str, object]) -> dict[str, object]:
    """Return what a case says about a finding, as the finding has it; other words are identity columns."""
    known = {**json.loads(finding["subject"]), **finding}
    values: dict[str, object] = {}
    for key in keys:
        value = values[key] = known[key]
        if key.endswith("_at") and value is not None:
            values[key] = value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return values


@pytest.mark.parametrize(("rule", "case"), list(cases()))
def test_case(rule: str, case: dict[str, Any]) -> None:
    database().clear()
    fill(case.get("given") or {})

    results = run_rules(database(), [rules()[rule]], with_finding_ids)

    expected = case.get("findings", [])
    assert [outcome.outcome for outcome in results.outcomes] == [case["expect"]], results.outcomes
    assert case.get("reason", "") in (results.outcomes[0].reason or "")
    found = database().present()
    assert len(found) == len(expected), found
    assert [shown(finding, wanted) for finding, wanted in zip(found, expected, strict=True)] == expected
    check_evidence()


def check_evidence() -> None:
    """Every finding has its pieces of evidence in the table, and the table has no others."""
    rows = database().execute("SELECT finding_id, count(*) FROM finding_evidence GROUP BY finding_id")
    assert dict(rows) == {finding["finding_id"]: finding["evidence_count"] for finding in database().present()}


def test_every_rule_has_a_firing_a_quiet_and_an_unevaluated_case() -> None:
    for rule in rules():
        outcomes = {c["expect"] for c in yaml_values((FOLDER / f"{rule}.yml").read_text("utf-8"))["cases"]}
        assert outcomes >= {"findings", "clean", "not_evaluated"}, rule


def test_every_file_of_cases_belongs_to_a_rule() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(rules())


def test_no_rule_is_clean_whose_log_lacks_records() -> None:
    """What was set aside of a log that was watched all the time may be what any rule on it looks for."""
    for feed in LOG_FEEDS:
        database().clear()
        fill({"coverage": [{"feed": feed, "state": "gap", "reason": "records_missing"}]})
        results = run_rules(database(), list(rules().values()), with_finding_ids)
        needing = {rule.id for rule in rules().values() if feed in rule.needs}
        said = {outcome.rule: outcome.outcome for outcome in results.outcomes}
        assert {rule for rule in needing if said[rule] in {"clean", "error"}} == set()
        assert {rule for rule in said if said[rule] == "not_evaluated"} == needing


def test_ten_thousand_calls_after_a_withdrawal_are_one_finding() -> None:
    database().clear()
    fill({})
    database().execute(
        "INSERT INTO access_events BY NAME SELECT $tenant AS tenant_id, 'graph_activity' AS feed, 'e' || i AS event_id,"
        " make_timestamptz(1773129600000000 + i * 1000000) AS occurred_at, 'crm-app' AS app_id, 'mail' AS workload,"
        " 'read' AS operation FROM range(10000) AS r (i)",
        {"tenant": TENANT},
    )
    database().execute(
        "INSERT INTO verdicts BY NAME SELECT tenant_id, feed, event_id, 'outside' AS verdict,"
        " CASE WHEN event_id LIKE '%7' THEN ['after_withdrawal', 'resource'] ELSE ['after_withdrawal'] END AS reasons,"
        " 'crm' AS record, 'log' AS process FROM access_events"
    )

    run_rules(database(), list(rules().values()), with_finding_ids)

    (finding,) = database().present()
    assert (finding["rule"], finding["evidence_count"]) == ("used-after-end", 10000)
    assert finding["reasons"] == ["after_withdrawal", "resource"]
    assert (finding["last_seen_at"] - finding["first_seen_at"]).total_seconds() == 9999

"""A small published database with known wrongs: three tenants, every kind of trouble that the report must show."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from .database import (
    ADATUM,
    CONTOSO,
    CRM,
    FABRIKAM,
    FROM,
    GRAPH,
    OUTLOOK,
    PERSON,
    PHONE,
    RUN_AT,
    SHADOW,
    SIGNATURES,
    TO,
    WITHDRAWN,
    Row,
    access,
    empty_world,
    insert,
    make_cells,
)  # fmt: skip
from .reviewed import add_reviews


def build_world() -> duckdb.DuckDBPyConnection:
    """Return the rich world: outside use, ended records, gaps, unknowns, an unreadable register in one tenant."""
    connection = empty_world()
    _tenants(connection)
    _coverage(connection)
    _register(connection)
    _grants(connection)
    _events(connection)
    _findings(connection)
    _troubles(connection)
    add_reviews(connection)
    make_cells(connection)
    return connection


def _tenants(connection: duckdb.DuckDBPyConnection) -> None:
    insert(
        connection, "tenants",
        {"tenant_id": CONTOSO, "name": "Contoso", "is_evaluated": True, "watched_from": FROM, "watched_to": TO,
         "access_events": 196, "unmapped_events": 7},
        {"tenant_id": FABRIKAM, "name": "Fabrikam", "is_evaluated": True, "watched_from": FROM, "watched_to": TO,
         "access_events": 12, "unmapped_events": 0},
        {"tenant_id": ADATUM, "name": "Adatum", "is_evaluated": False, "watched_from": FROM, "watched_to": TO,
         "not_evaluated_reason": "consent/adatum/crm.yaml:14: unknown key 'purpos'; did you mean 'purpose'?",
         "access_events": 9, "unmapped_events": 0},
    )  # fmt: skip
    for tenant, state in ((CONTOSO, "valid"), (FABRIKAM, "valid"), (ADATUM, "valid")):
        insert(
            connection, "runs",
            {"tenant_id": tenant, "run_id": "7f3c0a11", "command": "run", "started_at": RUN_AT, "finished_at": RUN_AT,
             "outcome": "partial", "version": "0.1.0", "register_hash": "8209a0acfcde2b2e", "register_state": state},
            {"tenant_id": tenant, "run_id": "6e2b9900", "command": "run", "started_at": RUN_AT - timedelta(days=7),
             "finished_at": RUN_AT - timedelta(days=7), "outcome": "done", "version": "0.1.0",
             "register_hash": "00", "register_state": state},
        )  # fmt: skip
    for app, label, publisher, kind, integration, first_party in (
        (CRM, "SalSoft CRM connector", "SalSoft", "crm", "SalSoft CRM", False),
        (PHONE, "3CX presence bridge", "3CX", "telephony", "3CX telephony", False),
        (SHADOW, "Free Mail Summarizer", "", None, None, False),
        (SIGNATURES, "Signature designer", "Signatures Ltd", "mail_addin", "Mail signatures", False),
        (OUTLOOK, "Office 365 Exchange Online", "Microsoft", None, None, True),
    ):
        for tenant in (CONTOSO, FABRIKAM, ADATUM):
            insert(
                connection, "apps",
                {"tenant_id": tenant, "app_id": app, "app_name": label, "sp_id": "sp-" + app[-4:],
                 "owner_tenant_id": "99999999-9999-4999-8999-999999999999", "publisher": publisher,
                 "is_first_party": first_party, "is_recorded": integration is not None and tenant != ADATUM,
                 "integration_kind": kind, "integration_name": integration, "first_seen_at": FROM,
                 "last_seen_at": TO},
            )  # fmt: skip


def _coverage(connection: duckdb.DuckDBPyConnection) -> None:
    middle = FROM + timedelta(days=25)
    rows: list[tuple[Any, ...]] = [
        (CONTOSO, "graph_activity", FROM, TO, "complete", None, 196),
        (CONTOSO, "audit_exchange", FROM, middle, "complete", None, 840),
        (CONTOSO, "audit_exchange", middle, TO, "gap", "not_collected", 0),
        (CONTOSO, "audit_teams", FROM, TO, "complete", None, 77),
        (CONTOSO, "sign_ins_interactive", FROM, TO, "provisional", None, 312),
        (CONTOSO, "sign_ins_service_principal", FROM, TO, "complete", None, 55),
        (CONTOSO, "directory_audits", FROM, TO, "complete", None, 20),
        (CONTOSO, "app_role_assignments", TO, TO, "complete", None, 5),
        (CONTOSO, "delegated_permission_grants", TO, TO, "complete", None, 3),
        (CONTOSO, "service_principals", TO, TO, "complete", None, 41),
        (FABRIKAM, "graph_activity", FROM, TO, "provisional", None, 12),
        (FABRIKAM, "sign_ins_interactive", FROM, middle, "complete", None, 90),
        (
            FABRIKAM,
            "sign_ins_interactive",
            middle,
            TO,
            "gap",
            "licence",
            0,
            "the tenant has no Entra ID P1; buy it, or export the log",
        ),
        (FABRIKAM, "app_role_assignments", TO, TO, "complete", None, 2),
        (ADATUM, "graph_activity", FROM, FROM + timedelta(hours=3), "complete", None, 9),
        (ADATUM, "graph_activity", FROM + timedelta(hours=3), TO, "gap", "file_broken_at_end", 0),
    ]
    seen = {(row[0], row[1]) for row in rows}
    rows += [
        (tenant, feed, FROM, TO, "gap", "not_collected", 0)
        for tenant in (CONTOSO, FABRIKAM, ADATUM)
        for feed in ("audit_exchange", "audit_teams", "call_records", "directory_audits")
        if (tenant, feed) not in seen
    ]
    names = ("tenant_id", "feed", "covered_from", "covered_to", "state", "reason", "records", "detail")
    insert(connection, "coverage", *(dict(zip(names, row, strict=False)) for row in rows))


def _register(connection: duckdb.DuckDBPyConnection) -> None:
    for workload in ("mail", "calendar", "contacts", "teams_chat", "teams_channel", "teams_meeting", "presence",
                     "telephony"):  # fmt: skip
        insert(connection, "policy_workloads", {"workload": workload})
    agreed = datetime(2025, 9, 1, tzinfo=UTC)
    until = datetime(2027, 1, 1, tzinfo=UTC)
    for tenant, record, app, integration, processes in (
        (CONTOSO, "contoso-salsoft-crm", CRM, "SalSoft CRM", (
            ("crm-calendar-sync", "calendar", ["read", "write"], "Calendars.ReadWrite", WITHDRAWN),
            ("crm-contacts", "contacts", ["read"], "Contacts.Read", None),
            ("crm-files", "files", ["read"], "Files.Read.All", None),
            ("crm-mail-log", "mail", ["read"], "Mail.Read", None))),
        (CONTOSO, "contoso-3cx", PHONE, "3CX telephony", (
            ("phone-presence", "presence", ["read"], "Presence.Read.All", None),)),
        (FABRIKAM, "fabrikam-signatures", SIGNATURES, "Mail signatures", (
            ("signatures-mail", "mail", ["read", "write"], "Mail.ReadWrite", None),)),
    ):  # fmt: skip
        insert(connection, "register_records",
               {"tenant_id": tenant, "record": record, "integration_kind": "crm", "integration_name": integration,
                "file": f"{record}.yaml"})  # fmt: skip
        insert(connection, "register_apps", {"tenant_id": tenant, "record": record, "app_id": app})
        for process, workload, operations, permission, ended in processes:
            insert(connection, "register_versions",
                   {"tenant_id": tenant, "record": record, "process": process, "version": 1, "workload": workload,
                    "operations": operations, "covers_all": True,
                    "permissions": [{"name": permission, "kind": "application", "api": "microsoft_graph"}],
                    "purpose": "Log customer correspondence in the CRM", "legal_basis": "legitimate_interest",
                    "policy_version": "2025-08-07", "effective_from": agreed, "effective_until": until,
                    "recorded_at": agreed, "ended_at": ended, "ended_by": "withdrawn" if ended else None})  # fmt: skip
            edges = [(None, agreed, "before_start"), (agreed, ended or until, None),
                     (ended or until, None, "after_withdrawal" if ended else "after_expiry")]  # fmt: skip
            for begin, end, reason in edges:
                insert(connection, "register_segments",
                       {"tenant_id": tenant, "record": record, "process": process, "valid_from": begin,
                        "valid_to": end, "version": 1, "period_reason": reason})  # fmt: skip


def _grants(connection: duckdb.DuckDBPyConnection) -> None:
    for permission, workload in (("Mail.Read", "mail"), ("Calendars.ReadWrite", "calendar"),
                                 ("Contacts.Read", "contacts"), ("Mail.ReadWrite", "mail"),
                                 ("Presence.Read.All", "presence"), ("Chat.Read.All", "teams_chat")):  # fmt: skip
        for kind in ("application", "delegated"):
            insert(connection, "permission_reach",
                   {"resource_app_id": GRAPH, "permission": permission, "kind": kind, "workload": workload,
                    "operations": ["read"]})  # fmt: skip
    held: tuple[tuple[str, str, str | None, bool], ...] = (
        (CONTOSO, CRM, "Mail.Read", True), (CONTOSO, CRM, "Calendars.ReadWrite", True),
        (CONTOSO, CRM, "Contacts.Read", False), (CONTOSO, PHONE, "Presence.Read.All", True),
        (CONTOSO, SHADOW, "Mail.Read", True), (CONTOSO, SHADOW, "Chat.Read.All", True),
        (CONTOSO, OUTLOOK, "Mail.Read", True), (FABRIKAM, SIGNATURES, "Mail.ReadWrite", True),
        (FABRIKAM, CRM, None, True),
    )  # fmt: skip
    for tenant, app, granted, current in held:
        insert(connection, "grants",
               {"tenant_id": tenant, "grant_id": f"{app[-4:]}-{granted}", "app_id": app, "permission": granted,
                "resource_app_id": GRAPH, "kind": "application", "granted_for": "all_users",
                "source": "app_role_assignment", "is_current": current})  # fmt: skip


def _events(connection: duckdb.DuckDBPyConnection) -> None:
    record = "contoso-salsoft-crm"
    day = timedelta(days=1)
    batches = (
        access(CONTOSO, CRM, "mail", "read", "within", [], count=60, start=FROM, record=record,
               process="crm-mail-log"),
        access(CONTOSO, CRM, "mail", "send", "outside", ["operation", "permission"], count=4, start=FROM + day,
               record=record, process="crm-mail-log"),
        access(CONTOSO, CRM, "calendar", "read", "within", [], count=20, start=FROM, record=record,
               process="crm-calendar-sync"),
        access(CONTOSO, CRM, "calendar", "write", "outside", ["after_withdrawal"], count=45,
               start=WITHDRAWN + day, record=record, process="crm-calendar-sync"),
        access(CONTOSO, SHADOW, "mail", "read", "outside", ["no_record"], count=30, start=FROM + 3 * day),
        access(CONTOSO, CRM, None, None, "not_assessable", ["workload_unknown"], count=7, start=FROM + 5 * day,
               record=record, process="crm-mail-log"),
        access(CONTOSO, None, "mail", "read", "not_assessable", ["app_unknown"], count=3, start=FROM + 6 * day),
        access(CONTOSO, PHONE, "presence", "read", "within", [], count=22, start=FROM + 2 * day,
               record="contoso-3cx", process="phone-presence"),
        access(CONTOSO, OUTLOOK, "mail", "read", "out_of_scope", [], count=5, start=FROM),
        access(FABRIKAM, SIGNATURES, "mail", "write", "not_assessable", ["resource_unknown"], count=12,
               start=FROM + 4 * day, record="fabrikam-signatures", process="signatures-mail"),
        access(ADATUM, CRM, "contacts", "read", "not_assessable", ["register_invalid"], count=9, start=FROM),
    )  # fmt: skip
    for events, verdicts in batches:
        insert(connection, "access_events", *events)
        insert(connection, "verdicts", *verdicts)
    insert(connection, "sign_ins",
           {"tenant_id": CONTOSO, "event_id": "signin-1", "kind": "interactive", "occurred_at": FROM + day,
            "app_id": CRM, "user_name": PERSON, "country": "BR", "is_mfa": False, "succeeded": True})  # fmt: skip
    insert(connection, "directory_changes",
           {"tenant_id": CONTOSO, "event_id": "dir-1", "occurred_at": FROM + 3 * day,
            "activity": "Consent to application", "actor_id": "person-1", "app_id": SHADOW,
            "actor_name": PERSON})  # fmt: skip


def _finding(ordinal: int, rule: str, severity: str, title: str, question: str, **more: Any) -> Row:
    row: Row = {
        "tenant_id": CONTOSO, "finding_id": f"F1-{ordinal:026d}", "rule": rule, "severity": severity, "title": title,
        "question": question, "subject": json.dumps({"app_id": CRM}), "app_id": CRM, "state": "open",
        "first_seen_at": FROM, "last_seen_at": TO - timedelta(days=ordinal), "evidence_count": 0, "reasons": [],
        "opened_at": RUN_AT, "reopened": 0, "change": "unchanged", "is_seen": True,
    }  # fmt: skip
    return row | more


def _findings(connection: duckdb.DuckDBPyConnection) -> None:
    rows = [
        _finding(1, "used-after-end", "critical", "Use went on after the recorded consent had ended",
                 "Did the app stop when we withdrew?", change="new", evidence_count=45,
                 subject='{"record": "contoso-salsoft-crm", "process": "crm-calendar-sync"}',
                 reasons=["after_withdrawal"], record="contoso-salsoft-crm", process="crm-calendar-sync"),
        _finding(2, "use-outside-record", "high", "An app without any consent record reads mail",
                 "Who uses our data without an agreement?", change="reopened", reopened=1, evidence_count=30,
                 app_id=SHADOW, reasons=["no_record"],
                 subject=json.dumps({"app_id": SHADOW, "workload": "mail", "operation": "read"})),
        _finding(3, "use-outside-record", "medium", "Mail is sent where only reading was agreed to",
                 "Does the app do more than agreed?", evidence_count=4, reasons=["operation", "permission"],
                 record="contoso-salsoft-crm", process="crm-mail-log", decision="accepted",
                 subject=json.dumps({"app_id": CRM, "workload": "mail", "operation": "send"})),
        _finding(4, "granted-not-recorded", "low", "A permission is granted that no record names",
                 "What could happen that nobody agreed to?", app_id=SHADOW, is_seen=False, evidence_count=2,
                 subject=json.dumps({"app_id": SHADOW, "permission": "Chat.Read.All"})),
        _finding(5, "sign-in-without-mfa", "info", "A sign-in without a second factor",
                 "Do people sign in safely?", evidence_count=1, change="new"),
        _finding(6, "recorded-not-granted", "medium", "A recorded process has no grant any more",
                 "Is the register up to date?", state="resolved", change="resolved", resolved_at=RUN_AT,
                 is_seen=False, evidence_count=3),
    ]  # fmt: skip
    insert(connection, "findings", *rows)
    for ordinal, app, what in ((1, CRM, "calendar-write-outside"), (2, SHADOW, "mail-read-outside"),
                               (3, CRM, "mail-send-outside")):  # fmt: skip
        connection.execute(
            "INSERT INTO finding_evidence SELECT tenant_id, ?, feed, event_id, occurred_at FROM access_events"
            " WHERE app_id = ? AND event_id LIKE ?",
            [f"F1-{ordinal:026d}", app, f"%{what}%"],
        )
    insert(connection, "finding_evidence",
           {"tenant_id": CONTOSO, "finding_id": f"F1-{5:026d}", "feed": "sign_ins_interactive",
            "event_id": "signin-1", "occurred_at": FROM + timedelta(days=1)})  # fmt: skip


def _troubles(connection: duckdb.DuckDBPyConnection) -> None:
    insert(
        connection, "rule_outcomes",
        {"tenant_id": CONTOSO, "rule": "used-after-end", "outcome": "findings", "findings": 1},
        {"tenant_id": CONTOSO, "rule": "use-outside-record", "outcome": "findings", "findings": 2},
        {"tenant_id": CONTOSO, "rule": "legacy-protocol", "outcome": "clean", "findings": 0},
        {"tenant_id": CONTOSO, "rule": "recorded-never-used", "outcome": "not_evaluated", "findings": 0,
         "reason": "audit_exchange has gaps in the watched period"},
        {"tenant_id": CONTOSO, "rule": "token-burst", "outcome": "error", "findings": 0,
         "reason": "the query ran out of memory"},
        {"tenant_id": FABRIKAM, "rule": "sign-in-without-mfa", "outcome": "not_evaluated", "findings": 0,
         "reason": "sign_ins_service_principal was never collected"},
        {"tenant_id": ADATUM, "rule": "use-outside-record", "outcome": "not_evaluated", "findings": 0,
         "reason": "the register is invalid"},
    )  # fmt: skip
    insert(
        connection, "unmapped_calls",
        {"tenant_id": CONTOSO, "feed": "graph_activity", "method": "GET", "shape": "/beta/users/{}/cloudPCs",
         "calls": 5, "apps": 1, "first_at": FROM, "last_at": TO},
        {"tenant_id": CONTOSO, "feed": "graph_activity", "method": "POST", "shape": "/v1.0/viva/{}/goals",
         "calls": 2, "apps": 1, "first_at": FROM, "last_at": TO},
    )  # fmt: skip
    insert(
        connection, "sources",
        {"tenant_id": CONTOSO, "source_id": 1, "path": "exports/graph-2026-10.json.gz", "kind": "graph_activity",
         "bytes": 81234, "records": 210, "stored": 196, "duplicate": 12, "quarantined": 2, "outcome": "imported"},
        {"tenant_id": CONTOSO, "source_id": 2, "path": "exports/audit-2026-10.csv", "kind": "audit_records",
         "bytes": 912345, "records": 917, "stored": 917, "duplicate": 0, "quarantined": 0, "outcome": "imported"},
        {"tenant_id": FABRIKAM, "source_id": 3, "path": "exports/notes.docx", "kind": None, "bytes": 400,
         "records": 0, "stored": 0, "duplicate": 0, "quarantined": 0, "outcome": "refused",
         "message": "not a kind of export that is known"},
        {"tenant_id": ADATUM, "source_id": 4, "path": "exports/adatum.json.gz", "kind": "graph_activity",
         "bytes": 900, "records": 9, "stored": 9, "duplicate": 0, "quarantined": 0, "outcome": "partial",
         "message": "the compressed file ends early"},
    )  # fmt: skip
    insert(
        connection, "quarantine",
        *({"tenant_id": CONTOSO, "source_id": 1, "path": "exports/graph-2026-10.json.gz", "record": n, "line": n,
           "reason": "no event id", "excerpt": "{}"} for n in (17, 44)),
    )  # fmt: skip

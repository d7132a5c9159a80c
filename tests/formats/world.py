"""The rich world of the report's tests with decisions, clocks, controls and attestations of every kind."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import duckdb
from report.database import ADATUM, CONTOSO, FABRIKAM, FROM, RUN_AT, Row, insert
from report.world import build_world

from m365audit.store.review_tables import lay_over

DAY = timedelta(days=1)
_CONTROLS = """
    CREATE TABLE IF NOT EXISTS controls (
        tenant_id VARCHAR, control VARCHAR, clause VARCHAR, title VARCHAR, commitment VARCHAR, severity VARCHAR,
        outcome VARCHAR, reason_code VARCHAR, sentence VARCHAR, said VARCHAR, attach VARCHAR, owner VARCHAR,
        integration_name VARCHAR, rules VARCHAR[], finding_ids VARCHAR[], gdpr VARCHAR, iso VARCHAR,
        attested_by VARCHAR, attested_at TIMESTAMPTZ, attested_until TIMESTAMPTZ)"""
_POLICY = """
    CREATE TABLE IF NOT EXISTS policy_findings (
        rule VARCHAR, title VARCHAR, why VARCHAR, severity VARCHAR, gdpr VARCHAR, words VARCHAR)"""


def finding_id(ordinal: int) -> str:
    """Return the id of one of the rich world's findings."""
    return f"F1-{ordinal:026d}"


def decided_world() -> duckdb.DuckDBPyConnection:
    """Return the rich world after people have been at work in it."""
    connection = build_world()
    connection.execute(_CONTROLS)
    connection.execute(_POLICY)
    insert(connection, "controls", *_controls())
    insert(connection, "policy_findings", {
        "rule": "POL-01", "title": "CEO and data protection officer are one person",
        "why": "A DPO must have no conflict of interest", "severity": "high", "gdpr": "38(6); 38(3)",
    })  # fmt: skip
    _agreed(connection)

    def ask(sql: str, params: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        return connection.execute(sql, dict(params) or None).fetchall()

    lay_over(ask, _review_rows())
    return connection


def _agreed(connection: duckdb.DuckDBPyConnection) -> None:
    """Let one record say all that Art. 30 asks for; the others stay silent."""
    connection.execute("""
        UPDATE register_records SET controller = 'Contoso B.V.', processor = 'SalSoft', publisher = 'SalSoft'
        WHERE record = 'contoso-salsoft-crm'""")
    connection.execute("""
        UPDATE register_versions SET
            data_categories = ['message_content', 'contact_details'], data_subjects = ['customers', 'employees'],
            recipients = ['SalSoft'], retention = 'P3Y', regions = ['DE'],
            transfers = [{'country': 'US', 'recipient': 'SalSoft Inc', 'tool': 'standard_clauses', 'ref': 'SCC.pdf',
                          'sha256': NULL, 'valid_until': NULL}]
        WHERE record = 'contoso-salsoft-crm' AND process = 'crm-mail-log'""")
    connection.execute("UPDATE register_versions SET recipients = [] WHERE record = 'contoso-3cx'")
    connection.execute(
        "UPDATE register_versions SET effective_until = ? WHERE record = 'fabrikam-signatures'", [RUN_AT + 9 * DAY]
    )
    connection.execute(
        "UPDATE register_segments SET valid_to = ? WHERE record = 'fabrikam-signatures' AND period_reason IS NULL",
        [RUN_AT + 9 * DAY],
    )


def _controls() -> list[Row]:
    base: Row = {
        "tenant_id": CONTOSO, "severity": "high", "owner": "dpo", "rules": [], "finding_ids": [], "gdpr": "5(1)(b)",
        "iso": "7.2.1", "commitment": "Data is used for the agreed purposes alone",
    }  # fmt: skip
    rows: list[Row] = [
        {"control": "C12-6", "clause": "12", "title": "Use stops with the consent", "outcome": "outside",
         "sentence": "45 uses after the withdrawal", "finding_ids": [finding_id(1)], "rules": ["used-after-end"],
         "integration_name": "SalSoft CRM"},
        {"control": "C07-1", "clause": "7", "title": "Signing in takes two factors", "outcome": "within",
         "sentence": "Evidence agrees with the record for the whole window."},
        {"control": "C10-1", "clause": "10", "title": "Data stays in the EU", "outcome": "review",
         "sentence": "A person must decide.", "gdpr": "44; 46"},
        {"control": "C14-1", "clause": "14", "title": "No data of children", "outcome": "not_assessable",
         "reason_code": "outside_m365", "sentence": "Not assessable: outside Microsoft 365. This is not a pass.",
         "attach": "A statement of the CRM's owner", "attested_by": "dpo", "attested_at": RUN_AT - DAY,
         "attested_until": RUN_AT + 300 * DAY},
        {"control": "C12-8", "clause": "12", "title": "Telephony", "outcome": "not_applicable",
         "sentence": "Not applicable: no telephony is recorded.", "tenant_id": FABRIKAM, "gdpr": None},
    ]  # fmt: skip
    return [base | row for row in rows]


def _review(ordinal: int, **more: Any) -> Row:
    return {
        "tenant_id": CONTOSO, "finding_id": finding_id(ordinal), "version": 2, "is_second_person_off": False,
        "is_role_conflict": False, "decided_at": (RUN_AT - 3 * DAY).isoformat(), "decided_person": "j.devries",
        "decided_how": "os", "reason": "Looked at with the owner of the CRM", "evidence": ["graph_activity/1"],
    } | more  # fmt: skip


def _event(seq: int, kind: str, subject: str, event: str, **body: Any) -> Row:
    return {
        "tenant_id": CONTOSO, "seq": seq, "at": (RUN_AT - 3 * DAY).isoformat(), "kind": kind, "subject": subject,
        "version": seq, "event": event, "actor": "os:jdv", "person": "j.devries", "actor_name": "J. de Vries",
        "how": "os", "roles": ["dpo"], "body": json.dumps(body), "hash": f"{seq:064d}",
    }  # fmt: skip


def _review_rows() -> dict[str, list[Row]]:
    aware = RUN_AT - 1.3 * DAY
    return {
        "reviewed_findings": [
            _review(1, decision="confirmed", breach="yes", pending=None),
            _review(2, decision=None, pending="false_positive", requested_at=(RUN_AT - DAY).isoformat(),
                    requested_person="k.bos", requested_reason="This is the test app of the supplier"),
            _review(3, decision="accepted", owner="k.bos", expires_at=(RUN_AT + 20 * DAY).isoformat(),
                    approved_at=(RUN_AT - 3 * DAY).isoformat(), approved_person="k.bos"),
            _review(4, decision="remediating", owner="k.bos", due_at=(RUN_AT + 5 * DAY).isoformat()),
        ],
        "review_events": [
            _event(1, "finding", finding_id(1), "confirmed", decision="confirmed", breach="yes", reason="It is true"),
            _event(2, "finding", finding_id(3), "accepted", decision="accepted", reason="Small and known risk"),
            _event(3, "view", "report", "identified", purpose="Answering a data subject", what="report"),
        ],
        "breach_cases": [
            {"tenant_id": CONTOSO, "case_id": "BR-2026-001", "version": 2, "finding_ids": [finding_id(1)],
             "state": "aware", "risk": "risk", "detected_at": (RUN_AT - 3 * DAY).isoformat(),
             "aware_at": aware.isoformat(), "due_at": (aware + 3 * DAY).isoformat(), "hours": 72},
            {"tenant_id": FABRIKAM, "case_id": "BR-2026-002", "version": 5, "finding_ids": [], "state": "closed",
             "risk": "no_risk", "detected_at": FROM.isoformat(), "aware_at": FROM.isoformat(),
             "due_at": (FROM + 3 * DAY).isoformat(), "notified_at": (FROM + DAY).isoformat(),
             "closed_at": (FROM + 9 * DAY).isoformat(), "hours": 72},
        ],
        "subject_requests": [
            {"tenant_id": ADATUM, "request_id": "DS-19", "version": 1, "kind": "access", "state": "open",
             "received_at": (RUN_AT - 24 * DAY).isoformat(), "legal_due_at": (RUN_AT + 7 * DAY).isoformat(),
             "policy_due_at": (RUN_AT + 6 * DAY).isoformat(), "due_at": (RUN_AT + 6 * DAY).isoformat()},
        ],
        "attestations": [
            {"tenant_id": CONTOSO, "control": "C14-1", "kind": "statement", "ref": "children.pdf", "sha256": "0" * 64,
             "by_role": "dpo", "attested_at": (RUN_AT - DAY).isoformat(),
             "valid_until": (RUN_AT + 300 * DAY).isoformat(), "is_valid": True},
        ],
    }  # fmt: skip

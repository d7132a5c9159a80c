"""What people decided in the rich world, and what its policy promises: cases, requests, reviews, controls."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import duckdb

from .database import ADATUM, CONTOSO, FABRIKAM, PERSON, RUN_AT, insert

REASON = "The sender's address was agreed to by letter of 3 November, see the ticket"


def _finding(ordinal: int) -> str:
    return f"F1-{ordinal:026d}"


def add_reviews(connection: duckdb.DuckDBPyConnection) -> None:
    """Add everything that comes from the journal and from the policy."""
    _decisions(connection)
    _cases(connection)
    _controls(connection)


def _event(seq: int, at: datetime, subject: str, event: str, role: str, **body: Any) -> dict[str, Any]:
    return {
        "tenant_id": CONTOSO, "seq": seq, '"at"': at, "kind": "case" if subject.startswith("BR") else "finding",
        "subject": subject, "version": seq, "event": event, "actor": "os:anna", "person": PERSON,
        "actor_name": "Anna de Vries", "how": "os", "roles": [role], "body": json.dumps(body), "hash": f"{seq:064x}",
    }  # fmt: skip


def _decisions(connection: duckdb.DuckDBPyConnection) -> None:
    asked, decided = RUN_AT - timedelta(hours=20), RUN_AT - timedelta(hours=8)
    blank: dict[str, Any] = {"tenant_id": CONTOSO, "is_second_person_off": False, "evidence": ["TICKET-12"]}
    insert(
        connection, "finding_reviews",
        blank | {"finding_id": _finding(1), "decision": "confirmed", "breach": "yes", "reason": REASON,
                 "decided_at": decided, "decided_by": "os:anna", "decided_person": PERSON, "version": 1,
                 "due_at": RUN_AT - timedelta(hours=1)},
        blank | {"finding_id": _finding(2), "decision": "confirmed", "pending": "accepted", "reason": REASON,
                 "requested_at": asked, "requested_by": "os:anna", "requested_person": PERSON, "version": 2,
                 "owner": PERSON},
        blank | {"finding_id": _finding(3), "decision": "accepted", "reason": REASON, "decided_at": decided,
                 "approved_at": decided, "approved_by": "os:bram", "version": 3,
                 "expires_at": RUN_AT + timedelta(days=60), "owner": "risk_owner"},
        blank | {"finding_id": _finding(4), "decision": "confirmed", "returned": "expired", "reason": REASON,
                 "decided_at": decided, "version": 2},
    )  # fmt: skip
    insert(
        connection,
        "review_events",
        _event(1, asked, _finding(2), "request", "analyst", to="accepted", reason=REASON),
        _event(2, asked, _finding(3), "opinion", "dpo", opinion="disagree", reason=REASON),
        _event(3, decided, _finding(3), "approve", "risk_owner", to="accepted", reason=REASON),
        _event(4, decided, _finding(1), "confirm", "dpo", to="confirmed", reason=f"{REASON}, says {PERSON}"),
        _event(5, decided, "BR-2026-001", "open", "dpo"),
    )


def _cases(connection: duckdb.DuckDBPyConnection) -> None:
    aware = RUN_AT - timedelta(hours=30)
    insert(
        connection, "breach_cases",
        {"tenant_id": CONTOSO, "case_id": "BR-2026-001", "finding_ids": [_finding(1)], "state": "aware",
         "detected_at": aware - timedelta(hours=5), "first_seen_at": aware, "aware_at": aware,
         "due_at": aware + timedelta(hours=72), "hours": 72},
        {"tenant_id": FABRIKAM, "case_id": "BR-2026-002", "finding_ids": [], "state": "closed", "risk": "no_risk",
         "detected_at": aware - timedelta(days=9), "aware_at": aware - timedelta(days=8), "hours": 72,
         "due_at": aware - timedelta(days=5), "notified_at": aware - timedelta(days=6),
         "closed_at": aware - timedelta(days=2)},
    )  # fmt: skip
    received = RUN_AT - timedelta(days=24)
    insert(
        connection, "subject_requests",
        {"tenant_id": CONTOSO, "request_id": "DS-19", "kind": "access", "received_at": received,
         "legal_due_at": received + timedelta(days=31), "policy_due_at": received + timedelta(days=30),
         "due_at": received + timedelta(days=30), "state": "open"},
    )  # fmt: skip


def _controls(connection: duckdb.DuckDBPyConnection) -> None:
    rows = (
        ("C03-1", "3", "Only data that was declared", "within", None, None, None),
        ("C05-1", "5", "Only for the purposes that were named", "outside", None, None, None),
        ("C08-4", "8", "Deleted when it is not needed any more", "not_assessable", "vendor_side",
         "the provider's statement of deletion", "vendor"),
        ("C10-2", "10", "Primarily inside the EU", "review", None, None, None),
        ("C12-1", "12", "Telephony", "not_applicable", None, None, None),
        ("C12-3", "12", "Only what was agreed to", "outside", None, None, None),
    )  # fmt: skip
    for tenant in (CONTOSO, FABRIKAM, ADATUM):
        for control, clause, title, outcome, why, attach, owner in rows:
            attested = control == "C08-4" and tenant == CONTOSO
            insert(
                connection, "controls",
                {"tenant_id": tenant, "control": control, "clause": clause, "title": title,
                 "commitment": f"The policy promises it in clause {clause}.", "severity": "high", "outcome": outcome,
                 "reason_code": why, "attach": attach, "owner": owner,
                 "finding_ids": [_finding(1)] if outcome == "outside" and tenant == CONTOSO else [],
                 "gdpr": "5(1)(b)", "iso": "A.1.2.2", "attested_by": "vendor" if attested else None,
                 "attested_at": RUN_AT if attested else None,
                 "attested_until": RUN_AT + timedelta(days=300) if attested else None},
            )  # fmt: skip
    insert(
        connection, "attestations",
        {"tenant_id": CONTOSO, "control": "C08-4", "kind": "letter", "ref": "letters/deletion.pdf", "sha256": "ab" * 32,
         "by_role": "vendor", "attested_at": RUN_AT, "valid_until": RUN_AT + timedelta(days=300), "is_valid": True},
    )  # fmt: skip
    insert(
        connection, "policy_findings",
        {"rule": "POL-01", "title": "One person leads and protects data", "why": "Four eyes with one person",
         "severity": "high", "gdpr": "38(6)"},
    )  # fmt: skip

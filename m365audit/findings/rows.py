"""The journal as rows: what published database, report and review page show of decisions. Pure functions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from m365audit.config.clocks import Clocks
from m365audit.findings import case as cases
from m365audit.findings import requests, review
from m365audit.findings.holds import Hold, fold_holds
from m365audit.findings.values import Facts, Review
from m365audit.store.journal import Entry

Row = dict[str, object]
OPENED: Final = "opened"
"""Event of the view entry that says when a person first looked at a finding; it shows no identity."""

_OF_REVIEW: Final = (
    "finding_id", "version", "decision", "pending", "returned", "returned_from", "reason", "breach", "owner", "due_at",
    "expires_at", "decided_at", "decided_by", "decided_person", "decided_how", "requested_at", "requested_by",
    "requested_person", "requested_reason", "requested_owner", "requested_until", "approved_at", "approved_by",
    "approved_person", "is_second_person_off", "is_role_conflict", "opinion",
)  # fmt: skip
_OF_CASE: Final = (
    "case_id", "version", "state", "risk", "detected_at", "first_seen_at", "aware_at", "pending_aware_at", "due_at",
    "notified_at", "completed_at", "controller_told_at", "people_informed_at", "closed_at", "late_reason", "hours",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """What the machine says now, and by which clocks and calendar to look at it.

    Attributes:
        facts: of the findings that anybody has ever decided on.
        openings: (tenant, severity, opened_at, when its clock began), each once, of all open findings.
        policy_days: days that the policy names for a person's request; None for the clocks' own.
    """

    facts: Sequence[Facts]
    openings: Sequence[tuple[Any, ...]]
    now: datetime
    clocks: Clocks
    zone: tzinfo
    policy_days: int | None = None


def decided_ids(entries: Iterable[Entry]) -> list[str]:
    """Return the ids of the findings that the journal is about."""
    return sorted({entry.subject for entry in entries if entry.kind == "finding"})


def by_subject(entries: Iterable[Entry], kind: str) -> dict[tuple[str, str], list[Entry]]:
    """Return the entries of a kind by tenant and subject."""
    found: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.kind == kind:
            found[entry.tenant, entry.subject].append(entry)
    return found


def review_rows(entries: Sequence[Entry], seen: Seen) -> dict[str, list[Row]]:
    """Return the rows of every table that the journal makes, by table."""
    return {
        "reviewed_findings": [_review_row(each) for each in reviews(entries, seen)],
        "review_due": list(_due_rows(seen)),
        "review_events": [_event_row(entry) for entry in entries],
        "breach_cases": [_case_row(each) for each in case_list(entries, seen.clocks)],
        "subject_requests": [_request_row(each, seen.zone) for each in request_list(entries, seen)],
        "attestations": [_attestation_row(each, seen.now) for each in entries if each.kind == "attestation"],
        "holds": [_hold_row(each, seen.now) for each in fold_holds(entry for entry in entries if entry.kind == "hold")],
        "identity_views": [_view_row(each) for each in entries if each.kind == "view" and each.event != OPENED],
        "purges": [_purge_row(each) for each in entries if each.kind == "purge"],
    }


def reviews(entries: Sequence[Entry], seen: Seen) -> Iterator[Review]:
    """Yield how every finding stands that somebody has decided on, also where no evaluation shows it any more."""
    known = {(facts.tenant, facts.finding_id): facts for facts in seen.facts}
    for key, written in by_subject(entries, "finding").items():
        yield review.fold(written, known.get(key) or _last_known(written), seen.now, seen.clocks)


def case_list(entries: Sequence[Entry], clocks: Clocks) -> list[cases.Case]:
    """Return how every breach case stands."""
    return [cases.fold(written, clocks) for written in by_subject(entries, "case").values()]


def request_list(entries: Sequence[Entry], seen: Seen) -> list[requests.SubjectRequest]:
    """Return how every request of a person stands."""
    found = by_subject(entries, "request").values()
    return [requests.fold(written, seen.clocks, seen.policy_days) for written in found]


def _last_known(written: Sequence[Entry]) -> Facts:
    """Return what the machine said when somebody last decided on a finding that is not published any more."""
    then: Mapping[str, Any] = next((entry.body["facts"] for entry in reversed(written) if entry.body.get("facts")), {})
    return Facts(
        written[0].tenant, written[0].subject, then.get("rule", ""), then.get("severity", "info"),
        tuple(then.get("reasons", ())), "resolved", int(then.get("reopened", 0)), None, None, then.get("app_id"),
    )  # fmt: skip


def _review_row(each: Review) -> Row:
    row: Row = {"tenant_id": each.tenant, **{name: _plain(getattr(each, name)) for name in _OF_REVIEW}}
    reason = each.opinions[-1].reason if each.opinions else None
    return row | {"evidence": list(each.evidence), "opinion_reason": reason}


def _due_rows(seen: Seen) -> Iterator[Row]:
    for tenant, severity, opened_at, since in seen.openings:
        due = review.first_due(severity, since, seen.clocks)
        yield {"tenant_id": tenant, "severity": severity, "opened_at": _plain(opened_at), "due_at": _plain(due)}


def _event_row(entry: Entry) -> Row:
    return {
        "tenant_id": entry.tenant, "seq": entry.seq, "at": _plain(entry.at), "kind": entry.kind,
        "subject": entry.subject, "version": entry.version, "event": entry.event, "actor": entry.actor.id,
        "person": entry.actor.person, "actor_name": entry.actor.name, "how": entry.actor.how,
        "roles": list(entry.actor.roles), "body": json.dumps(entry.body, ensure_ascii=False), "hash": entry.hash,
    }  # fmt: skip


def _case_row(each: cases.Case) -> Row:
    row: Row = {"tenant_id": each.tenant, **{name: _plain(getattr(each, name)) for name in _OF_CASE}}
    return row | {"finding_ids": list(each.finding_ids)}


def _request_row(each: requests.SubjectRequest, zone: tzinfo) -> Row:
    received = requests.end_of(each.received_on, zone).astimezone(zone).replace(hour=0, minute=0, second=0)
    return {
        "tenant_id": each.tenant, "request_id": each.request_id, "version": each.version, "kind": each.kind,
        "received_at": _plain(received), "legal_due_at": _plain(requests.end_of(each.legal_due_on, zone)),
        "policy_due_at": _plain(requests.end_of(each.policy_due_on, zone)),
        "due_at": _plain(requests.end_of(each.due_on, zone)), "answered_at": _plain(each.answered_at),
        "state": each.state,
    }  # fmt: skip


def _attestation_row(entry: Entry, now: datetime) -> Row:
    body = entry.body
    until = datetime.fromisoformat(body["valid_until"]) if body.get("valid_until") else None
    return {
        "tenant_id": entry.tenant, "control": entry.subject, "kind": body.get("kind"), "ref": body.get("ref"),
        "sha256": body.get("sha256"), "by_role": body.get("role"), "attested_at": _plain(entry.at),
        "valid_until": _plain(until), "is_valid": until is not None and until > now,
    }  # fmt: skip


def _hold_row(hold: Hold, now: datetime) -> Row:
    return {
        "tenant_id": hold.tenant, "hold_id": hold.hold_id, "object": hold.object, "reason": hold.reason,
        "until": _plain(hold.until), "set_by": hold.set_by, "approved_by": hold.approved_by,
        "is_active": hold.is_active(now),
    }  # fmt: skip


def _view_row(entry: Entry) -> Row:
    body: Mapping[str, Any] = entry.body
    return {
        "tenant_id": entry.tenant, "at": _plain(entry.at), "actor": entry.actor.id,
        "purpose": body.get("purpose") or body.get("reason"), "case_id": body.get("case_id"),
        "what": body.get("what") or entry.subject, "rows": body.get("rows"),
    }  # fmt: skip


def _purge_row(entry: Entry) -> Row:
    return {
        "tenant_id": entry.tenant, "at": _plain(entry.at), "actor": entry.actor.id, "event": entry.event,
        "body": json.dumps(entry.body, ensure_ascii=False),
    }  # fmt: skip


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value

"""Owns the values of what persons decided and of what runs by the clock; part of the document, no words, no layout.

Persons are told by their role, or by a token; times left are as of the document's ``now``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Review:
    """Where the review of one finding stands.

    ``decision``: None, confirmed, remediating, false_positive, explained, accepted, resolved. ``pending``: the ending
    that was asked for and waits for a second person. ``returned``: why the machine took a decision back: expired,
    severity, scope, reappeared. ``breach``: yes, no, unclear. Roles: dpo, risk_owner, analyst, admin, reviewer.
    """

    decision: str | None
    pending: str | None
    returned: str | None
    reason: str | None
    breach: str | None
    owner: str | None
    due_at: datetime | None
    expires_at: datetime | None
    decided_at: datetime | None
    decided_roles: tuple[str, ...]
    requested_at: datetime | None
    requested_roles: tuple[str, ...]
    approved_at: datetime | None
    approved_roles: tuple[str, ...]
    is_second_person_off: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewEvent:
    """One entry of the journal. ``how``: entra, os (nobody proved who it was), machine. ``opinion``: the DPO's."""

    tenant_id: str
    tenant_name: str
    seq: int
    at: datetime | None
    kind: str
    subject: str
    event: str
    roles: tuple[str, ...]
    person: str
    how: str | None
    state: str | None
    reason: str | None
    opinion: str | None


@dataclass(frozen=True, slots=True)
class BreachCase:
    """One suspected or certain breach of personal data.

    ``state``: suspected, aware, assessed, notified_initial, notified_complete, closed. ``seconds_left`` until
    ``due_at``: negative when that has passed, None when no clock runs (nobody is aware yet, or it was notified).
    """

    tenant_id: str
    tenant_name: str
    case_id: str
    finding_ids: tuple[str, ...]
    state: str
    risk: str | None
    detected_at: datetime | None
    first_seen_at: datetime | None
    aware_at: datetime | None
    due_at: datetime | None
    notified_at: datetime | None
    controller_told_at: datetime | None
    people_informed_at: datetime | None
    closed_at: datetime | None
    late_reason: str | None
    hours: int | None
    seconds_left: int | None


@dataclass(frozen=True, slots=True)
class SubjectRequest:
    """One request of a data subject. ``days_left`` until ``due_at``, negative when overdue; None when answered."""

    tenant_id: str
    tenant_name: str
    request_id: str
    kind: str
    received_at: datetime | None
    legal_due_at: datetime | None
    policy_due_at: datetime | None
    due_at: datetime | None
    answered_at: datetime | None
    state: str
    days_left: int | None


@dataclass(frozen=True, slots=True)
class RecordEnding:
    """A process of the consent register that ends within thirty days of ``now``."""

    tenant_id: str
    tenant_name: str
    record: str
    process: str
    integration_name: str | None
    ends_at: datetime
    days_left: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """Everything that has a time to be done by; lists hold what is open, the most urgent first, totals count it all."""

    breaches: tuple[BreachCase, ...]
    breaches_total: int
    requests: tuple[SubjectRequest, ...]
    requests_total: int
    records_ending: tuple[RecordEnding, ...]
    records_ending_total: int
    reviews_overdue: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for a decision, and what was decided, counted over all findings.

    ``opinions``: acceptances asked for on which the DPO has not said anything yet. ``expired``: acceptances that came
    back because their time was over. ``disagreed``: accepted ones that the DPO disagreed with. ``is_known`` False: the
    database does not say, which is not zero.
    """

    is_known: bool
    pending: int
    grave_undecided: int
    returned: int
    opinions: int
    undecided: int
    expired: int
    accepted: int
    disagreed: int
    false_positive: int
    explained: int
    first_finding_ids: tuple[str, ...]

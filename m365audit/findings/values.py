"""What decisions are made of: a finding's present facts, a wish, the review that follows. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from m365audit.config.clocks import Clocks
from m365audit.model import SEVERITIES

DECISIONS: Final = ("confirmed", "remediating", "false_positive", "explained", "accepted", "resolved")
ENDING: Final = ("false_positive", "explained", "accepted", "resolved")
"""Decisions that end a finding: for the grave ones they need two people."""
GRAVE: Final = ("high", "critical")
BREACH_ANSWERS: Final = ("yes", "no", "unclear")
OPINIONS: Final = ("agree", "disagree", "conditions")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the machine says of a finding now.

    Attributes:
        tenant: tenant id.
        finding_id: its id.
        rule: rule that made it.
        severity: info to critical.
        reasons: reasons of the verdicts behind it.
        state: open or resolved.
        reopened: how often it came back.
        opened_at: when it could first be decided on.
        last_seen_at: time of its newest evidence.
        app_id: application concerned.
    """

    tenant: str
    finding_id: str
    rule: str
    severity: str
    reasons: tuple[str, ...]
    state: str
    reopened: int
    opened_at: datetime | None
    last_seen_at: datetime | None
    app_id: str | None = None

    @property
    def rank(self) -> int:
        """How grave it is, as a number."""
        return SEVERITIES.index(self.severity)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to decide.

    Attributes:
        to: one of ``DECISIONS``.
        reason: why, in words.
        evidence: references to what proves it.
        owner: who sees to it, or bears the risk.
        until: end of an acceptance, or the day by which it is to be mended.
        breach: whether it is a breach of personal data; asked when a finding is confirmed.
    """

    to: str
    reason: str
    evidence: tuple[str, ...] = ()
    owner: str | None = None
    until: datetime | None = None
    breach: str | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the data protection officer says of an acceptance; it never blocks it."""

    opinion: str
    reason: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Review:
    """How a finding stands with the people who decide on it.

    Attributes:
        version: newest entry on it; 0 when there is none.
        decision: one of ``DECISIONS``, None while nobody has decided. What the machine gave back is ``confirmed``.
        pending: decision that was asked for and waits for a second person.
        returned: why the machine gave it back: expired, severity, scope or reappeared.
        returned_from: the decision it gave back.
        due_at: when the next step is due.
        expires_at: end of an acceptance.
        approver_role: role that one of the two people must hold for what is pending; None for any.
    """

    tenant: str
    finding_id: str
    version: int = 0
    decision: str | None = None
    pending: str | None = None
    returned: str | None = None
    returned_from: str | None = None
    reason: str | None = None
    breach: str | None = None
    owner: str | None = None
    due_at: datetime | None = None
    expires_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decided_person: str | None = None
    decided_how: str | None = None
    requested_at: datetime | None = None
    requested_by: str | None = None
    requested_person: str | None = None
    requested_roles: tuple[str, ...] = ()
    requested_reason: str | None = None
    requested_owner: str | None = None
    requested_until: datetime | None = None
    approved_at: datetime | None = None
    approved_by: str | None = None
    approved_person: str | None = None
    is_second_person_off: bool = False
    is_role_conflict: bool = False
    evidence: tuple[str, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    acceptances: tuple[str, ...] = ()
    planned_until: datetime | None = None
    first_decided_at: datetime | None = None

    @property
    def opinion(self) -> str | None:
        """The newest opinion on the acceptance that is asked for or in force."""
        return self.opinions[-1].opinion if self.opinions else None


@dataclass(frozen=True, slots=True)
class Terms:
    """The conditions under which decisions are made: people, roles, clocks.

    Attributes:
        clocks: hours, days and limits by date.
        is_second_person_needed: ending a grave finding takes two natural persons.
        holders: role → the natural persons who hold it; empty when the configuration gives nobody a role.
        people: natural persons whom the configuration names; empty when it names nobody, and anybody may decide.
        ids: id → the natural person who has it, by the configuration.
    """

    clocks: Clocks
    is_second_person_needed: bool = True
    holders: Mapping[str, frozenset[str]] | None = None
    people: frozenset[str] = frozenset()
    ids: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_roles(self) -> bool:
        """Somebody has a role, so that roles count."""
        return bool(self.holders)

    def holds(self, person: str, role: str) -> bool:
        """Return whether a natural person holds a role."""
        return person in (self.holders or {}).get(role, frozenset())

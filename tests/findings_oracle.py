"""How findings go on from one evaluation to the next: new, reopened, resolved, unchanged. Deletes nothing, ever.

The second implementation of ``queries/ledger/10_findings.sql``, as a pure function; where they differ, one is wrong. A
finding that is gone is resolved only when its rule has spoken about its tenant on evidence that was all there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from m365audit.rules.runner import RuleOutcome

State = Literal["open", "resolved"]
Change = Literal["new", "reopened", "resolved", "unchanged"]
Key = tuple[str, str]
"""Tenant id and finding id."""


@dataclass(frozen=True, slots=True)
class Present:
    """A finding that the evidence shows now: a row of ``present_findings``."""

    tenant_id: str
    finding_id: str
    rule: str
    severity: str
    title: str
    question: str
    subject: str
    app_id: str | None
    record: str | None
    process: str | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    evidence_count: int
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True)
class FindingState:
    """One row of the finding ledger: a finding as the last evaluation left it.

    Attributes:
        first_seen_at: of its newest evidence, as are ``last_seen_at``, ``evidence_count`` and ``reasons``; a finding
            that is resolved keeps what it had.
        opened_at: evidence time of the evaluation that first found it; never changes.
        resolved_at: evidence time of the evaluation that resolved it; None while it is open.
        reopened: how often it came back.
        change: what the last evaluation did to it.
        decision: what a person decided about it; None here: an evaluation decides nothing.
        is_seen: the last evaluation shows it.
    """

    tenant_id: str
    finding_id: str
    rule: str
    severity: str
    title: str
    question: str
    subject: str
    app_id: str | None
    record: str | None
    process: str | None
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    evidence_count: int
    reasons: Sequence[str]
    state: State
    opened_at: datetime | None
    resolved_at: datetime | None
    reopened: int
    change: Change
    decision: str | None = None
    is_seen: bool = True

    def __post_init__(self) -> None:
        # A database hands out lists; a state is a value, and equal to what it was made from.
        object.__setattr__(self, "reasons", tuple(self.reasons))


@dataclass(frozen=True, slots=True)
class FindingChange:
    """One line of the append-only history: what happened to a finding, at which evidence time."""

    tenant_id: str
    finding_id: str
    change: Change
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """The whole ledger after an evaluation, by tenant and finding id, and what is to be added to the history."""

    states: tuple[FindingState, ...]
    changes: tuple[FindingChange, ...]


def next_ledger(
    previous: Iterable[FindingState],
    present: Iterable[Present],
    outcomes: Iterable[RuleOutcome],
    *,
    evidence_time: Mapping[str, datetime | None],
    aliases: Mapping[str, str] | None = None,
) -> Ledger:
    """Return the ledger after an evaluation.

    Args:
        previous: the ledger before it; every row of it is in the answer.
        present: the findings that the rules gave; at most one per tenant and id.
        outcomes: what every rule came to for every tenant.
        evidence_time: per tenant the newest time of its evidence; never the time of day.
        aliases: earlier rule ids and today's, so that a renamed rule can resolve what it found under its old name.
    """
    known = {(state.tenant_id, state.finding_id): state for state in previous}
    found = {(finding.tenant_id, finding.finding_id): finding for finding in present}
    spoken = {(o.tenant_id, o.rule) for o in outcomes if o.is_covered and o.outcome in ("findings", "clean")}
    renamed = aliases or {}
    states = []
    for key in sorted({*known, *found}):
        at = evidence_time.get(key[0])
        if key in found:
            states.append(_seen(known.get(key), found[key], at))
        else:
            before = known[key]
            is_gone = (before.tenant_id, renamed.get(before.rule, before.rule)) in spoken
            states.append(_unseen(before, at, is_gone=is_gone))
    changes = [
        FindingChange(s.tenant_id, s.finding_id, s.change, evidence_time.get(s.tenant_id))
        for s in states
        if s.change != "unchanged"
    ]
    return Ledger(tuple(states), tuple(changes))


def _seen(before: FindingState | None, now: Present, at: datetime | None) -> FindingState:
    change: Change = "new" if before is None else "reopened" if before.state == "resolved" else "unchanged"
    return FindingState(
        tenant_id=now.tenant_id,
        finding_id=now.finding_id,
        rule=now.rule,
        severity=now.severity,
        title=now.title,
        question=now.question,
        subject=now.subject,
        app_id=now.app_id,
        record=now.record,
        process=now.process,
        first_seen_at=now.first_seen_at,
        last_seen_at=now.last_seen_at,
        evidence_count=now.evidence_count,
        reasons=now.reasons,
        state="open",
        opened_at=at if before is None else before.opened_at,
        resolved_at=None,
        reopened=0 if before is None else before.reopened + (change == "reopened"),
        change=change,
    )


def _unseen(before: FindingState, at: datetime | None, *, is_gone: bool) -> FindingState:
    if before.state == "open" and is_gone:
        return replace(before, state="resolved", resolved_at=at, change="resolved", is_seen=False)
    return replace(before, change="unchanged", is_seen=False)

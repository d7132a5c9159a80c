"""From entries to how a finding stands: what was decided, what waits, what the machine gave back, what is due.

Pure: the same entries, facts and time give the same review. Nothing is ever lost: every entry counts or is history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from m365audit.config.clocks import Clocks
from m365audit.findings.values import ENDING, Facts, Opinion, Review
from m365audit.model import SEVERITIES
from m365audit.store.journal import Entry

_NOTHING_ASKED: Final[dict[str, Any]] = {
    "pending": None, "requested_at": None, "requested_by": None, "requested_person": None, "requested_roles": (),
    "requested_reason": None, "requested_owner": None, "requested_until": None,
}  # fmt: skip


def fold(entries: Sequence[Entry], facts: Facts, now: datetime, clocks: Clocks) -> Review:
    """Return how a finding stands.

    Args:
        entries: all entries on it, in order.
        facts: what the machine says of it now.
        now: the time to look from.
        clocks: how long things may take.
    """
    review, asked, base = Review(facts.tenant, facts.finding_id), None, None
    for entry in entries:
        review = replace(review, version=entry.version)
        if entry.event == "request":
            review, asked = _ask(review, entry), entry
        elif entry.event in {"deny", "withdraw"}:
            review, asked = replace(review, **_NOTHING_ASKED), None
        elif entry.event == "opinion":
            said = Opinion(str(entry.body["opinion"]), str(entry.body["reason"]), entry.at, entry.actor.id)
            review = replace(review, opinions=(*review.opinions, said))
        elif entry.event == "approve" and asked is not None:
            review, base, asked = _approved(review, asked, entry), entry, None
        elif entry.event in {"confirm", "remediate", "decide"}:
            review, base = _decided(review, entry), entry
    if base is not None and review.decision in ENDING:
        review = _given_back(review, facts, base, now)
    return replace(review, due_at=_due(review, facts, clocks))


def first_due(severity: str, opened_at: datetime | None, clocks: Clocks) -> datetime | None:
    """Return when a finding that nobody has decided on has to be decided; None when there is no clock for it."""
    clock = None if opened_at is None else clocks.find(f"decision.{severity}", opened_at)
    return clock.after(opened_at) if clock is not None and opened_at is not None else None


def _ask(review: Review, entry: Entry) -> Review:
    body = entry.body
    kept = review.opinions if review.decision == body["state"] == "accepted" else ()
    return replace(
        review, pending=str(body["state"]), requested_at=entry.at, requested_by=entry.actor.id,
        requested_person=entry.actor.person, requested_roles=entry.actor.roles, requested_reason=body.get("reason"),
        requested_owner=body.get("owner"), requested_until=_moment(body.get("until")), opinions=kept,
    )  # fmt: skip


def _decided(review: Review, entry: Entry) -> Review:
    """Return the review after a decision of one person."""
    body, to = entry.body, str(entry.body["state"])
    until = _moment(body.get("until"))
    return replace(
        review, **_NOTHING_ASKED, decision=to, returned=None, returned_from=None, reason=body.get("reason"),
        breach=body.get("breach") or review.breach, owner=body.get("owner") or review.owner,
        expires_at=until if to == "accepted" else None, planned_until=until if to == "remediating" else None,
        decided_at=entry.at, decided_by=entry.actor.id, decided_person=entry.actor.person, decided_how=entry.actor.how,
        approved_at=None, approved_by=None, approved_person=None, evidence=tuple(body.get("evidence") or ()),
        is_second_person_off=bool(body.get("is_second_person_off")) and to in ENDING,
        is_role_conflict=bool(body.get("is_role_conflict")),
        acceptances=(*review.acceptances, str(body.get("owner")).strip()) if to == "accepted" else review.acceptances,
        opinions=review.opinions if to == "accepted" else (),
        first_decided_at=review.first_decided_at or entry.at,
    )  # fmt: skip


def _approved(review: Review, asked: Entry, entry: Entry) -> Review:
    """Return the review after a second person let through what the first had asked for."""
    made = _decided(replace(review, opinions=review.opinions), asked)
    return replace(
        made, decided_at=entry.at, approved_at=entry.at, approved_by=entry.actor.id,
        approved_person=entry.actor.person, is_second_person_off=False,
        is_role_conflict=bool(entry.body.get("is_role_conflict")),
        requested_at=asked.at, requested_by=asked.actor.id, requested_person=asked.actor.person,
        requested_roles=asked.actor.roles,
    )  # fmt: skip


def _given_back(review: Review, facts: Facts, base: Entry, now: datetime) -> Review:
    """Return the review, confirmed again where what was decided on is not so any more."""
    why = _why_back(review, facts, base.body.get("facts") or {}, now)
    if why is None:
        return review
    return replace(review, decision="confirmed", returned=why, returned_from=review.decision)


def _why_back(review: Review, facts: Facts, then: Mapping[str, Any], now: datetime) -> str | None:
    if review.decision == "accepted" and (review.expires_at is None or review.expires_at <= now):
        return "expired"
    if facts.rank > SEVERITIES.index(then.get("severity", "info")):
        return "severity"
    if set(facts.reasons) - set(then.get("reasons", ())):
        return "scope"
    if review.decision != "false_positive" and facts.reopened > int(then.get("reopened", 0)):
        return "reappeared"
    return "reappeared" if review.decision == "resolved" and _is_seen_since(review, facts) else None


def _is_seen_since(review: Review, facts: Facts) -> bool:
    """Return whether there is evidence from after the decision."""
    seen, decided = facts.last_seen_at, review.decided_at
    return facts.state == "open" and seen is not None and decided is not None and seen > decided


def _due(review: Review, facts: Facts, clocks: Clocks) -> datetime | None:
    """Return when somebody has to act next; None when it ended, or is gone and nothing was asked for."""
    if review.pending is not None and review.requested_at is not None:
        clock = clocks.find(f"decision.{facts.severity}", review.requested_at)
        return clock.after(review.requested_at) if clock else None
    if facts.state == "resolved" or review.decision in ENDING:
        return None
    if review.decision is None:
        return first_due(facts.severity, facts.opened_at, clocks)
    if review.returned is not None:
        return first_due(facts.severity, _returned_at(review, facts), clocks)
    if review.planned_until is not None:
        return review.planned_until
    clock = clocks.find(f"resolve.{facts.severity}", review.decided_at) if review.decided_at else None
    return clock.after(review.decided_at) if clock and review.decided_at else None


def _returned_at(review: Review, facts: Facts) -> datetime | None:
    return review.expires_at if review.returned == "expired" else facts.last_seen_at or review.decided_at


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(str(text)) if text else None

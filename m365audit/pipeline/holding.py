"""Holds: set, approved, released and listed. A hold works from the moment it is set; only releasing one takes two."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from m365audit.config import Settings
from m365audit.errors import ReviewError
from m365audit.findings.conditions import check_reason
from m365audit.findings.holds import LONGEST, Hold, fold_holds
from m365audit.findings.roles import check_may, check_second
from m365audit.model import FEEDS
from m365audit.pipeline.reviewing import terms_of
from m365audit.store.journal import Actor, Draft, open_journal

_PEOPLE: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})
_OBJECT: Final = re.compile(r"tenant|feed:[a-z_]+|finding:F1-[A-Z2-7]{26}|person:P-[A-Z2-7]{10}")


def holds(state: Path) -> list[Hold]:
    """Return every hold that was ever set."""
    with open_journal(state) as journal:
        return fold_holds(journal.entries(kind="hold"))


def active_holds(state: Path, now: datetime) -> list[Hold]:
    """Return the holds that hold now."""
    return [hold for hold in holds(state) if hold.is_active(now)]


def set_hold(
    settings: Settings, tenant: str, what: str, *, reason: str, until: datetime, actor: Actor, now: datetime
) -> Hold:
    """Set a hold.

    Raises:
        ReviewError: it names nothing, ends too late or not at all, or says no reason; nothing is written.
    """
    check_may(terms_of(settings), actor, _PEOPLE, "set a hold")
    if not _OBJECT.fullmatch(what) or (what.startswith("feed:") and what[5:] not in FEEDS):
        raise ReviewError(
            f"{what!r} cannot be held",
            hint="name tenant, feed:FEED, finding:ID or person:TOKEN (the token of the report, never a name)",
        )
    check_reason(reason)
    if not now < until <= now + LONGEST:
        raise ReviewError("a hold ends within twelve months", hint="give a day after today, a year ahead at most")
    with open_journal(settings.state) as journal:
        number = 1 + sum(entry.event == "set" for entry in journal.entries(kind="hold", tenant=tenant))
        hold_id = f"H-{now:%Y}-{number:03d}"
        body = {
            "object": what, "reason": reason.strip(), "until": until.isoformat(),
            "is_single": settings.review.second_person == "off",
        }  # fmt: skip
        journal.append(Draft("hold", tenant, hold_id, "set", actor, body), expected_version=0, at=now)
        return next(h for h in fold_holds(journal.entries(kind="hold", tenant=tenant)) if h.hold_id == hold_id)


def approve_hold(settings: Settings, tenant: str, hold_id: str, *, actor: Actor, now: datetime) -> Hold:
    """Agree to a hold as its second person.

    Raises:
        ReviewError: there is none, or the same person set it.
    """
    return _follow(settings, tenant, hold_id, "approve", "", actor=actor, now=now)


def release_hold(settings: Settings, tenant: str, hold_id: str, *, reason: str, actor: Actor, now: datetime) -> Hold:
    """Release a hold: where a second person is required, by another one than who set it.

    Raises:
        ReviewError: there is none, the reason says nothing, or the same person set it.
    """
    check_reason(reason)
    return _follow(settings, tenant, hold_id, "release", reason.strip(), actor=actor, now=now)


def _follow(
    settings: Settings, tenant: str, hold_id: str, event: str, reason: str, *, actor: Actor, now: datetime
) -> Hold:
    terms = terms_of(settings)
    check_may(terms, actor, _PEOPLE | {"reviewer"}, f"{event} a hold")
    with open_journal(settings.state) as journal:
        entries = journal.entries(kind="hold", tenant=tenant)
        hold = next((h for h in fold_holds(entries) if h.hold_id == hold_id), None)
        if hold is None or not hold.is_active(now):
            raise ReviewError(f"there is no active hold {hold_id}", hint="list them with `m365audit hold list`")
        if settings.review.second_person == "required":
            check_second(terms, hold.set_by, actor, f"{hold_id} was set by the same person")
        body = {"reason": reason} if reason else {}
        journal.append(Draft("hold", tenant, hold_id, event, actor, body), expected_version=hold.version, at=now)
        return next(h for h in fold_holds(journal.entries(kind="hold", tenant=tenant)) if h.hold_id == hold_id)

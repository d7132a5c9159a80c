"""Owns the way from a page to what is decided: every check and every entry is ``pipeline.reviewing``'s own.

One at a time in this process: what it opens of the published database is open once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from m365audit.config.review import ROLES
from m365audit.errors import ReviewError
from m365audit.findings import conditions, decisions, roles
from m365audit.findings.decisions import MOVES
from m365audit.findings.requests import end_of
from m365audit.findings.values import BREACH_ANSWERS, DECISIONS, OPINIONS, Facts, Review, Terms, Wish
from m365audit.pipeline import reviewing
from m365audit.pipeline.casework import Doing
from m365audit.pipeline.reviewing import FindingKey
from m365audit.report.words import Words
from m365audit.store.journal import Actor, Draft, Entry, open_journal
from m365audit.web.desk import Desk
from m365audit.web.refusals import Told, told

__all__ = [
    "BREACH_ANSWERS", "DECISIONS", "MOVES", "OPINIONS", "TRIAL", "Standing", "answer", "decide", "doing", "in_turn",
    "looked_at",
    "opinion", "refusal", "standing", "wish",
]  # fmt: skip
_TURN: Final = threading.Lock()
_ALL: Final = frozenset(ROLES)
TRIAL: Final = "This is how a reason looks that is long enough."

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a finding stands, and what one person may do about it.

    ``may``: decision or answer → None when it is possible now, else why not.
    """

    review: Review
    facts: Facts
    entries: list[Entry]
    may: Mapping[str, Told | None]
    is_own_request: bool


def in_turn(work: Callable[[], _Value]) -> _Value:
    """Run a use case while no other runs."""
    with _TURN:
        return work()


def standing(desk: Desk, actor: Actor, key: FindingKey) -> Standing:
    """Return how a finding stands for somebody: each thing that may be done is tried, and nothing is written."""
    now = desk.now()
    review, facts, entries = in_turn(lambda: reviewing.review_of(desk.settings, key, now))
    terms, words = reviewing.terms_of(desk.settings), desk.words
    may = {to: refusal(words, lambda to=to: _try(terms, review, facts, actor, to=to, now=now)) for to in DECISIONS}  # type: ignore[misc]
    may |= {
        "approve": refusal(words, lambda: decisions.approve(terms, review, facts, actor, TRIAL, now=now)),
        "deny": refusal(words, lambda: decisions.deny(terms, review, actor, TRIAL)),
        "opinion": refusal(words, lambda: decisions.give_opinion(terms, review, actor, OPINIONS[0], TRIAL)),
    }
    return Standing(review, facts, entries, may, review.requested_person == actor.person)


def _try(terms: Terms, review: Review, facts: Facts, actor: Actor, *, to: str, now: datetime) -> object:
    trial = Wish(to, TRIAL, ("-",), "-", now + timedelta(hours=1), "no")
    return decisions.decide(terms, review, facts, actor, trial, now=now)


def refusal(words: Words, attempt: Callable[[], object]) -> Told | None:
    """Return in the reader's words why something that is tried cannot be done; None when it can."""
    try:
        attempt()
    except ReviewError as error:
        return told(words, error)
    return None


def wish(
    desk: Desk, *, to: str, reason: str, evidence: tuple[str, ...], owner: str | None, until: date | None,
    breach: str | None,
) -> Wish:  # fmt: skip
    """Return what somebody wants; a day ends in the reader's zone. Fields that do not belong to it are left out."""
    needed = to in {"remediating", "accepted"}
    moment = end_of(until, reviewing.zone_of(desk.settings)) if until is not None and needed else None
    whole = Wish(to, reason, evidence, owner if needed else None, moment, None)
    return replace(whole, breach=breach) if to == "confirmed" else whole


def decide(desk: Desk, actor: Actor, key: FindingKey, wanted: Wish, version: int) -> Entry:
    """Decide on a finding; see ``reviewing.decide``."""
    now = desk.now()
    return in_turn(lambda: reviewing.decide(desk.settings, actor, key, wanted, expected_version=version, now=now))


def answer(
    desk: Desk, actor: Actor, key: FindingKey, reason: str, version: int, *, is_approved: bool
) -> Entry:  # fmt: skip
    """Approve or deny what another person asked for; see ``reviewing.approve``."""
    now = desk.now()
    said = reviewing.approve if is_approved else reviewing.deny
    return in_turn(lambda: said(desk.settings, actor, key, reason, expected_version=version, now=now))


def opinion(desk: Desk, actor: Actor, key: FindingKey, opinion: str, reason: str) -> Entry:
    """Give an opinion on an acceptance; see ``reviewing.give_opinion``."""
    now = desk.now()
    return in_turn(lambda: reviewing.give_opinion(desk.settings, actor, key, opinion, reason, now=now))


def looked_at(desk: Desk, actor: Actor, key: FindingKey) -> None:
    """Note that a person looked at a finding, the first time."""
    now = desk.now()
    in_turn(lambda: reviewing.note_opened(desk.settings, actor, key, now))


def doing(desk: Desk, actor: Actor, version: int | None = None) -> Doing:
    """Return who does something now, on which version."""
    return Doing(desk.settings, actor, desk.now(), version)


def note_view(desk: Desk, actor: Actor, tenant: str, token: str, reason: str) -> None:
    """Write down that somebody is shown who is behind a token; before it is shown.

    Raises:
        ReviewError: the reason says nothing, or this person may not decide here either.
    """
    terms = reviewing.terms_of(desk.settings)
    roles.check_may(terms, actor, _ALL, "be shown a person")
    conditions.check_reason(reason)
    body = {"what": token, "purpose": reason, "rows": 1}
    with open_journal(desk.settings.state) as journal:
        draft = Draft("view", tenant, token, "identified", actor, body)
        journal.append(draft, expected_version=None, at=desk.now())

"""The table of decisions: from where, by whom, with what; and what is written when one is taken.

Pure functions. What a state is follows from the entries (``review.fold``); here stands what may be added to them. Who
may is asked of ``roles``, what a decision has to bring of ``conditions``; each has the sentence for whoever may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from m365audit.config.spelling import suggestion
from m365audit.errors import ReviewError
from m365audit.findings.conditions import (
    check_acceptable,
    check_given,
    check_plan,
    check_reason,
    check_still_acceptable,
)
from m365audit.findings.roles import check_holder, check_may, check_second, is_conflict, known_as
from m365audit.findings.values import DECISIONS, GRAVE, OPINIONS, Facts, Review, Terms, Wish
from m365audit.store.journal import Actor

_DECIDERS: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})
_SECOND: Final = _DECIDERS | {"reviewer"}
_OPEN: Final = frozenset({None, "confirmed", "remediating"})


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table.

    Attributes:
        event: what the journal calls it.
        sources: decisions from which it is possible; None is "nobody has decided".
        roles: who may ask for it or decide it; one of them is enough.
        needs: fields of the wish that must be given.
        holder: role that one of the two people must hold where two are needed; None for any.
        is_ending: it ends the finding.
    """

    event: str
    sources: frozenset[str | None]
    roles: frozenset[str]
    needs: tuple[str, ...] = ()
    holder: str | None = None
    is_ending: bool = False


MOVES: Final[Mapping[str, Move]] = {
    "confirmed": Move("confirm", frozenset({None, *DECISIONS}), _DECIDERS, ("breach",)),
    "remediating": Move("remediate", frozenset({"confirmed", "remediating"}), _DECIDERS, ("owner",)),
    "false_positive": Move("decide", _OPEN, _DECIDERS, ("evidence",), "dpo", is_ending=True),
    "explained": Move("decide", _OPEN, _DECIDERS, ("evidence",), "dpo", is_ending=True),
    "accepted": Move(
        "decide", frozenset({"confirmed", "remediating", "accepted"}), _DECIDERS - {"dpo"},
        ("evidence", "owner", "until"), "risk_owner", is_ending=True,
    ),
    "resolved": Move("decide", frozenset({"confirmed", "remediating"}), _DECIDERS, ("evidence",), is_ending=True),
}  # fmt: skip
"""Decision wanted → what it takes."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What may be written: the event, and the particulars of its entry."""

    event: str
    body: dict[str, Any]


def decide(terms: Terms, review: Review, facts: Facts, actor: Actor, wish: Wish, *, now: datetime) -> Ruling:
    """Return the entry that a wish comes to: a decision, or the request for one that takes a second person.

    Raises:
        ReviewError: it is not possible; says why, and what is.
    """
    move = MOVES.get(wish.to)
    if move is None:
        raise ReviewError(
            f"there is no decision {wish.to!r}", hint=suggestion(wish.to, DECISIONS), key="no_choice", field="to"
        )
    check_may(terms, actor, move.roles, f"decide {wish.to}")
    if review.pending is not None:
        what = f"{review.pending} was asked for and waits for a second person"
        hint = "approve or deny it first; who asked for it may deny it, too, to take it back"
        raise ReviewError(what, hint=hint, key="pending", decision=review.pending)
    _check_source(review, wish, move)
    check_reason(wish.reason)
    check_given(wish, move.needs, now)
    if wish.to == "accepted":
        check_acceptable(terms, review, facts, wish, now)
    if wish.to == "remediating" and wish.until is not None:
        check_plan(terms, facts, wish.until, now)
    is_pending = is_second_needed(terms, facts, actor, move)
    body = _body(wish, facts, terms) | {"state": wish.to}
    if wish.to == "accepted" and not is_pending:
        body["is_role_conflict"] = is_conflict(terms, [actor.person])
    return Ruling("request" if is_pending else move.event, body)


def approve(terms: Terms, review: Review, facts: Facts, actor: Actor, reason: str, *, now: datetime) -> Ruling:
    """Return the entry with which a second person lets a decision through.

    Raises:
        ReviewError: nothing waits, it is the same natural person, or the role is missing.
    """
    move = _pending_move(review)
    check_may(terms, actor, _SECOND, "approve")
    check_second(terms, str(review.requested_person), actor, "who asked for a decision cannot approve it")
    check_reason(reason)
    people = [known_as(terms, str(review.requested_person)), actor.person]
    conflict = False
    if move.holder is not None and terms.has_roles:
        check_holder(terms, people, move.holder)
        conflict = move.holder == "risk_owner" and is_conflict(terms, people)
    if review.pending == "accepted":
        check_still_acceptable(terms, review, facts, now)
    return Ruling("approve", {"state": review.pending, "reason": reason.strip(), "facts": facts_of(facts),
                              "is_role_conflict": conflict})  # fmt: skip


def deny(terms: Terms, review: Review, actor: Actor, reason: str) -> Ruling:
    """Return the entry with which a second person refuses a decision, or who asked for it takes it back.

    Raises:
        ReviewError: nothing waits, or the role is missing.
    """
    _pending_move(review)
    check_may(terms, actor, _SECOND, "deny")
    check_reason(reason)
    event = "withdraw" if actor.person == known_as(terms, str(review.requested_person)) else "deny"
    return Ruling(event, {"state": review.pending, "reason": reason.strip()})


def give_opinion(terms: Terms, review: Review, actor: Actor, opinion: str, reason: str) -> Ruling:
    """Return the entry with the data protection officer's opinion on an acceptance; it never blocks one.

    Raises:
        ReviewError: there is no acceptance, or it is not the officer who speaks.
    """
    check_may(terms, actor, frozenset({"dpo"}), "give an opinion")
    if opinion not in OPINIONS:
        raise ReviewError(
            f"there is no opinion {opinion!r}", hint=suggestion(opinion, OPINIONS), key="no_choice", field="opinion"
        )
    if "accepted" not in {review.pending, review.decision}:
        hint = "it is asked for or in force first"
        raise ReviewError("there is no acceptance to have an opinion on", hint=hint, key="no_acceptance")
    check_reason(reason)
    return Ruling("opinion", {"opinion": opinion, "reason": reason.strip()})


def is_second_needed(terms: Terms, facts: Facts, actor: Actor, move: Move) -> bool:
    """Return whether somebody else has to approve what ``actor`` wants."""
    if not move.is_ending:
        return False
    if move.holder == "risk_owner" and terms.has_roles and not terms.holds(actor.person, "risk_owner"):
        return True
    return terms.is_second_person_needed and facts.severity in GRAVE


def facts_of(facts: Facts) -> dict[str, Any]:
    """Return what the machine said when somebody decided, as it is written down: later facts are held against it."""
    return {
        "severity": facts.severity, "reasons": sorted(facts.reasons), "state": facts.state,
        "reopened": facts.reopened, "rule": facts.rule, "app_id": facts.app_id,
    }  # fmt: skip


def _body(wish: Wish, facts: Facts, terms: Terms) -> dict[str, Any]:
    return {
        "reason": wish.reason.strip(), "evidence": [each.strip() for each in wish.evidence], "owner": wish.owner,
        "until": wish.until.isoformat() if wish.until else None, "breach": wish.breach, "facts": facts_of(facts),
        "is_second_person_off": not terms.is_second_person_needed,
    }  # fmt: skip


def _check_source(review: Review, wish: Wish, move: Move) -> None:
    if review.decision in move.sources:
        return
    if review.decision is None:
        what = f"it cannot become {wish.to}: nobody has confirmed it"
        hint = "confirm it first: whether it is a breach of personal data has to be answered before anything else"
        raise ReviewError(what, hint=hint, key="confirm_first")
    possible = tuple(to for to, other in MOVES.items() if review.decision in other.sources)
    what, hint = f"it cannot become {wish.to}: it is {review.decision}", f"possible from here: {', '.join(possible)}"
    raise ReviewError(what, hint=hint, key="not_from_here", decision=review.decision, possible=possible)


def _pending_move(review: Review) -> Move:
    if review.pending is None:
        hint = "`m365audit findings list --waiting` shows what does"
        raise ReviewError("nothing waits for a second person here", hint=hint, key="nothing_waits")
    return MOVES[review.pending]

"""The table of decisions: from where, by whom, on what conditions; and the sentence for whoever may not.

Pure functions. What a state is follows from the entries (``review.fold``); here stands what may be added to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from m365audit.config.spelling import suggestion
from m365audit.errors import ReviewError
from m365audit.findings.values import BREACH_ANSWERS, DECISIONS, GRAVE, OPINIONS, Facts, Review, Terms, Wish
from m365audit.store.journal import Actor

SHORTEST_REASON: Final = 20
LONGEST_TEXT: Final = 4_000
MOST_EVIDENCE: Final = 50
NEVER_ACCEPTED: Final[Mapping[str, str]] = {
    "used-after-end": "data were used after the consent had ended",
    "granted-after-end": "access was granted after the consent had ended",
    "full-mailbox-permission": "it is a permission on the list of prohibited ones",
    "minor-in-scope": "it concerns data of minors",
}
"""Rules whose findings are no risk that anybody may accept, and why."""

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

_HOW: Final[Mapping[str, str]] = {
    "breach": "say whether it is a breach of personal data: yes, no or unclear",
    "owner": "name who sees to it",
    "until": "say until when",
    "evidence": "name at least one piece of evidence: an event id, a ticket, a document",
}


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
    _check_needs(wish, move, now)
    if wish.to == "accepted":
        _check_acceptable(terms, review, facts, wish, now)
    if wish.to == "remediating" and wish.until is not None:
        _check_plan(terms, facts, wish.until, now)
    is_pending = is_second_needed(terms, facts, actor, move)
    body = _body(wish, facts, terms) | {"state": wish.to}
    if wish.to == "accepted" and not is_pending:
        body["is_role_conflict"] = _conflict(terms, [actor.person])
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
        _check_holder(terms, people, move.holder)
        conflict = move.holder == "risk_owner" and _conflict(terms, people)
    if review.pending == "accepted":
        _check_still_acceptable(terms, review, facts, now)
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


def check_may(terms: Terms, actor: Actor, roles: frozenset[str], what: str) -> None:
    """Make sure that somebody may do this.

    Raises:
        ReviewError: nobody, or somebody else, may.
    """
    if actor.how == "machine":
        raise ReviewError(f"only people {what}", key="only_people", action=what)
    if actor.how == "entra" and not terms.people:  # every account of the tenant can sign in, a guest's too
        hint = f"name who may decide under review.people, e.g. with the id {actor.id}"
        said = f"the configuration names nobody who may {what}"
        raise ReviewError(said, hint=hint, key="nobody_named", action=what, id=actor.id)
    if terms.people and actor.person not in terms.people:
        hint = f"add {actor.id} to the ids of one of review.people in the configuration"
        said = f"{actor.id} is nobody whom the configuration names, and may not {what}"
        raise ReviewError(said, hint=hint, key="not_named", action=what, id=actor.id)
    if terms.has_roles and not any(terms.holds(actor.person, role) for role in roles):
        wanted = " or ".join(sorted(roles))
        said = f"{actor.person} may not {what}: that takes the role {wanted}"
        raise ReviewError(said, hint="ask who has it", key="other_role", action=what, role=tuple(sorted(roles)))


def known_as(terms: Terms, person: str) -> str:
    """Return the natural person of somebody who was nobody but an id when the configuration named no people yet."""
    return terms.ids.get(person, person)


def check_second(terms: Terms, first: str, actor: Actor, what: str) -> None:
    """Make sure that somebody is another natural person than the first one.

    Args:
        terms: the conditions; they say which ids are one person's.
        first: the first person, as the journal has it.
        actor: the second one.
        what: what the first one cannot do.

    Raises:
        ReviewError: they are one, or nobody has said that they are two.
    """
    if actor.person in {first, known_as(terms, first)}:
        hint = "two ids of one natural person count once"
        raise ReviewError(f"{what}: a second person is needed", hint=hint, key="same_person")
    ways = {known_as(terms, first).partition(":")[0], actor.person.partition(":")[0]}
    if ways == {"os", "entra"}:
        said = f"{what}: nobody has said whether {first} and {actor.person} are two people"
        hint = "name them, with their ids, under review.people in the configuration"
        raise ReviewError(said, hint=hint, key="perhaps_same_person", first=first, second=actor.person)


def check_reason(reason: str) -> None:
    """Make sure that a reason says something.

    Raises:
        ReviewError: it is too short or too long.
    """
    length = len(" ".join(reason.split()))
    if length < SHORTEST_REASON:
        hint = f"write at least {SHORTEST_REASON} characters: who reads it in a year must understand it"
        said = f"the reason has {length} characters"
        raise ReviewError(said, hint=hint, key="reason_short", length=length, least=SHORTEST_REASON)
    if length > LONGEST_TEXT:
        said = f"the reason has more than {LONGEST_TEXT} characters"
        raise ReviewError(said, hint="name a document as evidence", key="reason_long", most=LONGEST_TEXT)


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


def _check_needs(wish: Wish, move: Move, now: datetime) -> None:
    given = {
        "breach": wish.breach, "owner": (wish.owner or "").strip(), "until": wish.until,
        "evidence": [each for each in wish.evidence if each.strip()],
    }  # fmt: skip
    missing = [name for name in move.needs if not given[name]]
    if missing:
        hint = "; ".join(_HOW[name] for name in missing)
        said = f"{wish.to} needs {' and '.join(missing)}"
        raise ReviewError(said, hint=hint, key="needs", decision=wish.to, field=tuple(missing))
    if wish.breach is not None and wish.breach not in BREACH_ANSWERS:
        raise ReviewError(f"{wish.breach!r} is no answer", hint=_HOW["breach"], key="no_choice", field="breach")
    if wish.until is not None and wish.until <= now:
        raise ReviewError("until lies in the past", hint=f"it is {now:%Y-%m-%d %H:%M} UTC", key="past", now=now)
    if len(wish.evidence) > MOST_EVIDENCE or any(
        len(each) > LONGEST_TEXT for each in (*wish.evidence, wish.owner or "")
    ):
        what = "there is too much evidence"
        raise ReviewError(what, hint="name one document that lists it", key="too_much_evidence")


def _check_acceptable(terms: Terms, review: Review, facts: Facts, wish: Wish, now: datetime) -> None:
    why = NEVER_ACCEPTED.get(facts.rule)
    if why is not None:
        what = f"this is no risk that can be accepted: {why}"
        raise ReviewError(what, hint="mend it: --as remediating", key="never_accepted", never=facts.rule)
    limit = terms.clocks.at(f"acceptance.{facts.severity}", now)
    latest = limit.after(now)
    if wish.until is not None and wish.until > latest:
        what = f"a {facts.severity} risk is accepted for {limit.text} at most"
        hint = f"until {latest:%Y-%m-%d} at the latest"
        raise ReviewError(what, hint=hint, key="accepted_long", severity=facts.severity, latest=latest)
    owner = (wish.owner or "").strip()
    if review.acceptances.count(owner) > 1:
        what = f"{owner} has accepted this risk and renewed it once"
        hint = "somebody else has to bear it, or it has to be mended"
        raise ReviewError(what, hint=hint, key="accepted_twice", owner=owner)
    if terms.has_roles and not (terms.holders or {}).get("risk_owner"):
        hint = "give it to somebody in review.people who is not the data protection officer"
        what = "nobody has the role risk_owner, and only a risk owner accepts a risk"
        raise ReviewError(what, hint=hint, key="no_risk_owner")


def _check_still_acceptable(terms: Terms, review: Review, facts: Facts, now: datetime) -> None:
    """Make sure that what was asked for is possible now that it is approved: severity may have risen meanwhile."""
    latest = terms.clocks.at(f"acceptance.{facts.severity}", now).after(now)
    if review.requested_until is None or not now < review.requested_until <= latest:
        what = f"the acceptance that was asked for is over, or longer than a {facts.severity} risk may be accepted"
        hint = "deny it; a new one may be asked for"
        raise ReviewError(what, hint=hint, key="acceptance_over", severity=facts.severity)


def _check_plan(terms: Terms, facts: Facts, until: datetime, now: datetime) -> None:
    clock = terms.clocks.find(f"resolve.{facts.severity}", now)
    if clock is not None and until > (latest := clock.after(now)):
        what = f"a {facts.severity} finding is mended within {clock.text}"
        hint = f"until {latest:%Y-%m-%d} at the latest; for longer, have it accepted"
        raise ReviewError(what, hint=hint, key="mended_late", severity=facts.severity, latest=latest)


def _pending_move(review: Review) -> Move:
    if review.pending is None:
        hint = "`m365audit findings list --waiting` shows what does"
        raise ReviewError("nothing waits for a second person here", hint=hint, key="nothing_waits")
    return MOVES[review.pending]


def _check_holder(terms: Terms, people: Sequence[str], role: str) -> None:
    """Make sure that one of the two people has the role that it takes; for a risk not the DPO, if there is another."""
    holding = [person for person in people if terms.holds(person, role)]
    if not holding:
        what = f"one of the two people must have the role {role}"
        raise ReviewError(what, hint=f"ask the {role} to approve it", key="holder_needed", role=role)
    others = {person for person in (terms.holders or {}).get(role, ()) if not terms.holds(person, "dpo")}
    if role == "risk_owner" and others and not others & set(holding):
        what = "the data protection officer advises on risks and does not accept them (GDPR Art. 38(6))"
        raise ReviewError(what, hint="another risk owner has to approve it", key="officer_accepts")


def _conflict(terms: Terms, people: Sequence[str]) -> bool:
    """Return whether the only one of them who may accept a risk is the data protection officer."""
    holding = [person for person in people if terms.holds(person, "risk_owner")]
    return bool(holding) and all(terms.holds(person, "dpo") for person in holding)

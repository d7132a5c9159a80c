"""What a decision has to bring before it is written: a reason, evidence, an owner, and an end within the clocks.

Pure functions. Who decides is asked elsewhere (``roles``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from m365audit.errors import ReviewError
from m365audit.findings.values import BREACH_ANSWERS, Facts, Review, Terms, Wish

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

_HOW: Final[Mapping[str, str]] = {
    "breach": "say whether it is a breach of personal data: yes, no or unclear",
    "owner": "name who sees to it",
    "until": "say until when",
    "evidence": "name at least one piece of evidence: an event id, a ticket, a document",
}


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


def check_given(wish: Wish, needs: Sequence[str], now: datetime) -> None:
    """Make sure that a wish brings what its decision takes, and nothing that nobody can read or that is over.

    Args:
        wish: what somebody wants.
        needs: fields of it that must be given: breach, owner, until, evidence.
        now: the present.

    Raises:
        ReviewError: something is missing, no answer, in the past, or too much.
    """
    given = {
        "breach": wish.breach, "owner": (wish.owner or "").strip(), "until": wish.until,
        "evidence": [each for each in wish.evidence if each.strip()],
    }  # fmt: skip
    missing = [name for name in needs if not given[name]]
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


def check_acceptable(terms: Terms, review: Review, facts: Facts, wish: Wish, now: datetime) -> None:
    """Make sure that a risk may be accepted: its kind, for so long, by this owner, and that somebody may accept any.

    Raises:
        ReviewError: it may not.
        ConfigurationError: no clock says for how long.
    """
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


def check_still_acceptable(terms: Terms, review: Review, facts: Facts, now: datetime) -> None:
    """Make sure that what was asked for is possible now that it is approved: severity may have risen meanwhile.

    Raises:
        ReviewError: it is over, or too long for the severity of now.
        ConfigurationError: no clock says for how long.
    """
    latest = terms.clocks.at(f"acceptance.{facts.severity}", now).after(now)
    if review.requested_until is None or not now < review.requested_until <= latest:
        what = f"the acceptance that was asked for is over, or longer than a {facts.severity} risk may be accepted"
        hint = "deny it; a new one may be asked for"
        raise ReviewError(what, hint=hint, key="acceptance_over", severity=facts.severity)


def check_plan(terms: Terms, facts: Facts, until: datetime, now: datetime) -> None:
    """Make sure that a repair ends in the time that findings of this severity are given, where a clock gives any.

    Raises:
        ReviewError: it ends later.
    """
    clock = terms.clocks.find(f"resolve.{facts.severity}", now)
    if clock is not None and until > (latest := clock.after(now)):
        what = f"a {facts.severity} finding is mended within {clock.text}"
        hint = f"until {latest:%Y-%m-%d} at the latest; for longer, have it accepted"
        raise ReviewError(what, hint=hint, key="mended_late", severity=facts.severity, latest=latest)

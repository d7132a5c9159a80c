"""Who may do what: roles, and when a second person is another natural person. Pure functions, no state."""

from __future__ import annotations

from collections.abc import Sequence

from m365audit.errors import ReviewError
from m365audit.findings.values import Terms
from m365audit.store.journal import Actor


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


def check_holder(terms: Terms, people: Sequence[str], role: str) -> None:
    """Make sure that one of the two people has the role that it takes; for a risk not the DPO, if there is another.

    Raises:
        ReviewError: neither has it, or only the DPO of the two where somebody else holds it.
    """
    holding = [person for person in people if terms.holds(person, role)]
    if not holding:
        what = f"one of the two people must have the role {role}"
        raise ReviewError(what, hint=f"ask the {role} to approve it", key="holder_needed", role=role)
    others = {person for person in (terms.holders or {}).get(role, ()) if not terms.holds(person, "dpo")}
    if role == "risk_owner" and others and not others & set(holding):
        what = "the data protection officer advises on risks and does not accept them (GDPR Art. 38(6))"
        raise ReviewError(what, hint="another risk owner has to approve it", key="officer_accepts")


def is_conflict(terms: Terms, people: Sequence[str]) -> bool:
    """Return whether the only one of them who may accept a risk is the data protection officer."""
    holding = [person for person in people if terms.holds(person, "risk_owner")]
    return bool(holding) and all(terms.holds(person, "dpo") for person in holding)

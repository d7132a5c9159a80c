"""A journal in memory and people to write in it: what the tests of decisions are made of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from m365audit.config.clocks import load_clocks
from m365audit.findings import decisions, review
from m365audit.findings.decisions import Ruling
from m365audit.findings.values import Facts, Review, Terms, Wish
from m365audit.store.journal import Actor, Entry

CLOCKS = load_clocks()
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
REASON = "a reason that says something to whoever reads it"
FACTS = Facts("t", "F1", "used-not-recorded", "high", ("no_record",), "open", 0, NOW - timedelta(days=1), NOW)
PEOPLE: dict[str, tuple[str, ...]] = {
    "dora": ("dpo",), "rik": ("risk_owner",), "ana": ("analyst",), "adam": ("admin",), "rev": ("reviewer",),
}  # fmt: skip


def person(name: str, roles: Iterable[str] = (), identity: str = "") -> Actor:
    """Return somebody, by default with the id that is their name."""
    return Actor(identity or f"os:{name}", name, name, tuple(roles), "os")


def terms(people: dict[str, tuple[str, ...]] | None = None, *, second: bool = True) -> Terms:
    """Return conditions under which these people, or anybody, decide."""
    people = people or {}
    roles = {role for held in people.values() for role in held}
    holders = {role: frozenset(name for name, held in people.items() if role in held) for role in roles}
    return Terms(CLOCKS, second, holders, frozenset(people))


def wish(to: str, *, until: datetime | None = None, breach: str | None = "no") -> Wish:
    """Return a wish with everything that it needs."""
    ends = until or (NOW + timedelta(days=20) if to == "accepted" else None)
    return Wish(to, REASON, ("T-1",), "rik", ends, breach if to == "confirmed" else None)


@dataclass
class Memory:
    """The entries on one finding."""

    facts: Facts = FACTS
    terms: Terms = field(default_factory=terms)
    now: datetime = NOW
    entries: list[Entry] = field(default_factory=list)

    def review(self, now: datetime | None = None) -> Review:
        """Return how the finding stands."""
        return review.fold(self.entries, self.facts, now or self.now, CLOCKS)

    def decide(self, actor: Actor, made: Wish) -> Review:
        """Decide, and return how it stands then."""
        return self.write(actor, decisions.decide(self.terms, self.review(), self.facts, actor, made, now=self.now))

    def approve(self, actor: Actor) -> Review:
        """Approve what is pending."""
        return self.write(actor, decisions.approve(self.terms, self.review(), self.facts, actor, REASON, now=self.now))

    def deny(self, actor: Actor) -> Review:
        """Deny what is pending, or take it back."""
        return self.write(actor, decisions.deny(self.terms, self.review(), actor, REASON))

    def say(self, actor: Actor, opinion: str) -> Review:
        """Give an opinion."""
        return self.write(actor, decisions.give_opinion(self.terms, self.review(), actor, opinion, REASON))

    def write(self, actor: Actor, ruling: Ruling) -> Review:
        """Append an entry."""
        number = len(self.entries) + 1
        self.entries.append(
            Entry("finding", "t", "F1", ruling.event, actor, ruling.body, number, self.now, number, "", str(number))
        )
        return self.review()

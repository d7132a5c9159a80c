"""Owns the filters of the list of findings: what stands in the address, and what is asked of the database.

Nothing of an address reaches SQL but as a value; what is not one of the known words is as if it were not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Final, Self

from m365audit.model import SEVERITIES

PER_PAGE: Final = 50
_LONGEST: Final = 200
_MOST_WORDS: Final = 8
_LAST_PAGE: Final = 100_000
STATES: Final = ("open", "resolved", "all")
DECISIONS: Final = ("none", "confirmed", "remediating", "false_positive", "explained", "accepted", "resolved")
WAITING: Final = ("decision", "approval", "returned")


@dataclass(frozen=True, slots=True)
class Filter:
    """What is wanted of the findings; an empty text wants all. ``page`` counts from 1."""

    q: str = ""
    severity: str = ""
    tenant: str = ""
    rule: str = ""
    integration: str = ""
    decision: str = ""
    waiting: str = ""
    state: str = ""
    page: int = 1

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Return the filter of an address."""

        def one_of(name: str, known: tuple[str, ...]) -> str:
            return query[name] if query.get(name) in known else ""

        def text(name: str) -> str:
            return query.get(name, "").strip()[:_LONGEST]

        number = query.get("page", "1")
        page = int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1  # noqa: PLR2004
        return cls(
            q=text("q"),
            severity=one_of("severity", SEVERITIES),
            tenant=text("tenant"),
            rule=text("rule"),
            integration=text("integration"),
            decision=one_of("decision", DECISIONS),
            waiting=one_of("waiting", WAITING),
            state=one_of("state", STATES),
            page=min(max(page, 1), _LAST_PAGE),
        )

    @property
    def parameters(self) -> dict[str, object]:
        """What the query ``page-findings`` is asked with; open ones where nothing is said about the state."""
        state = {"": "open", "all": None}.get(self.state, self.state)
        return {
            "words": self.q.lower().split()[:_MOST_WORDS],
            "state": state,
            **{name: getattr(self, name) or None for name in
               ("severity", "tenant", "rule", "integration", "decision", "waiting")},
            "limit": PER_PAGE,
            "skip": (self.page - 1) * PER_PAGE,
        }  # fmt: skip

    @property
    def is_narrow(self) -> bool:
        """Whether anything is left out that is there by default."""
        return replace(self, page=1) != Filter()

    def at(self, page: int) -> dict[str, object]:
        """Return what stands in the address of another page of the same list."""
        return {**asdict(self), "page": page if page > 1 else None}

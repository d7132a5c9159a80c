"""Decides, from the coverage ledger, whether a rule may speak about a tenant. Never looks at what the rule found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from m365audit.model import STATE_FEEDS
from m365audit.rules.rule import Rule
from m365audit.rules.sql_tree import Database

CoverageState = Literal["complete", "provisional", "gap", "never"]


NOT_COLLECTED: Final = "everything came in files: the auditor itself read nothing from this tenant"


@dataclass(frozen=True, slots=True)
class Feed:
    """How one feed of one tenant was watched over the tenant's whole watched period, with the reason in words."""

    state: CoverageState
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant: id, whether its register could be used and why not, whether it is collected, and its feeds."""

    id: str
    is_evaluated: bool
    not_evaluated_reason: str
    is_collected: bool
    feeds: Mapping[str, Feed]

    def feed(self, name: str) -> Feed:
        """Return how ``name`` was watched; a feed without any coverage row was never collected."""
        return self.feeds.get(name, Feed("never", f"{name} was never collected"))

    def uncovered(self, rule: Rule) -> str:
        """Return, in words, the first thing of the evidence that the rule needs and lacks; empty when it has all."""
        for name in rule.needs:
            if self.feed(name).state in ("gap", "never"):
                return self.feed(name).words
        return ""

    def refusal(self, rule: Rule) -> str:
        """Return why the rule must say nothing about this tenant whatever its rows are; empty when it may speak."""
        if rule.needs_register and not self.is_evaluated:
            return self.not_evaluated_reason or "the consent register could not be used"
        if rule.needs_collection and not self.is_collected:
            return NOT_COLLECTED
        if not rule.needs_complete:
            return ""
        unsettled = [n for n in rule.needs if n not in STATE_FEEDS and self.feed(n).state == "provisional"]
        return self.uncovered(rule) or (f"{unsettled[0]} is covered provisionally only" if unsettled else "")


_TENANTS: Final = "SELECT tenant_id, is_evaluated, not_evaluated_reason, is_collected FROM tenants ORDER BY tenant_id"

# A log has to cover the whole watched period, in which every hole is a row, and what was set aside is one without a
# time; of a listing there is a row too when it could not be read after it was whole, or was not read for too long.
_FEEDS: Final = """
SELECT tenant_id, feed,
       count(*) FILTER (WHERE state = 'complete') AS complete,
       count(*) FILTER (WHERE state = 'provisional') AS provisional,
       count(*) FILTER (WHERE state = 'gap') AS gaps,
       arg_min(
           struct_pack(f := covered_from, t := covered_to, r := reason, d := detail),
           coalesce(covered_from, '-infinity')
       )
           FILTER (WHERE state = 'gap') AS first_gap
FROM coverage
GROUP BY tenant_id, feed
ORDER BY tenant_id, feed
"""


def tenants(database: Database) -> tuple[Tenant, ...]:
    """Return every tenant of the candidate with the state of its feeds, in the order of their ids."""
    feeds: dict[str, dict[str, Feed]] = {}
    for tenant_id, feed, complete, provisional, gaps, first_gap in database.execute(_FEEDS):
        feeds.setdefault(tenant_id, {})[feed] = _feed(feed, complete, provisional, gaps, first_gap)
    return tuple(
        Tenant(tenant_id, bool(is_evaluated), reason or "", bool(is_collected), feeds.get(tenant_id, {}))
        for tenant_id, is_evaluated, reason, is_collected in database.execute(_TENANTS)
    )


def _feed(name: str, complete: int, provisional: int, gaps: int, gap: Mapping[str, Any] | None) -> Feed:
    if not complete and not provisional:
        return Feed("never", f"{name} was never collected" + _because(gap))
    if gaps and name in STATE_FEEDS:
        return Feed("gap", f"{name} was read before and is not known any more{_because(gap)}")
    if gaps:
        more = f", and {gaps - 1} more" if gaps > 1 else ""
        return Feed("gap", f"{name} {_hole(gap)}{more}")
    return Feed("provisional" if provisional else "complete")


def _hole(gap: Mapping[str, Any] | None) -> str:
    if gap is not None and gap["r"] == "records_missing":
        return f"lacks records: {gap['d'] or 'some could not be taken in'}"
    return f"has no evidence {_period(gap)}{_because(gap)}"


def _period(gap: Mapping[str, Any] | None) -> str:
    if gap is None or gap["f"] is None or gap["t"] is None:
        return "for some time"
    return f"from {_moment(gap['f'])} to {_moment(gap['t'])} UTC"


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _because(gap: Mapping[str, Any] | None) -> str:
    reason = gap["r"] if gap is not None else None
    return f" ({str(reason).replace('_', ' ')})" if reason else ""

"""Owns page 1's answer: which sentence the evidence allows, and everything that limits it. Reads values only.

Unknown is never worded as fine: ``none_seen`` needs evidence and not one open question; everything else says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from m365audit.model import LOG_FEEDS
from m365audit.report.document import Answer, FeedCoverage
from m365audit.report.sheets import SourceAccount, TenantSection
from m365audit.report.unknowns import NotAssessable, NotJudged, Unknown
from m365audit.report.use import CellTotals, Judgement
from m365audit.report.words import Words

HIGHLIGHTS = 4
_EARLY = timedelta(days=2)
"""By how much a tenant's evidence may end before the newest one's: the period on page 1 reaches to that one."""
_GRANT_FEEDS = ("app_role_assignments", "delegated_permission_grants")
_INNER_GRANT_FEEDS = ("rsc_grants", "exchange_role_assignments")
"""Grants that Entra does not list: inside one team or chat, inside Exchange."""


@dataclass(frozen=True, slots=True)
class Findable:
    """Everything that the answer is made from."""

    register_state: str
    cells: tuple[CellTotals, ...]
    coverage: tuple[FeedCoverage, ...]
    outside: tuple[Judgement, ...]
    not_assessable: NotAssessable
    sources: tuple[SourceAccount, ...]
    tenants: tuple[TenantSection, ...]


def make_answer(given: Findable, words: Words) -> Answer:
    """Return the answer to "was data used outside the recorded consent?" with all that limits it."""
    unknowns = tuple(_unknown(words, *item) for item in _unknowns(given) if item[1])
    state = _state(given, unknowns)
    more = ".more" if state == "outside" and unknowns else ""
    return Answer(
        state=state,
        headline=words.plain(f"answer.{state}.headline"),
        explanation=words.plain(f"answer.{state}.explanation{more}"),
        outside_events=sum(item.outside_events for item in given.cells),
        outside_cells=sum(item.outside_cells for item in given.cells),
        used_cells=sum(item.used_cells for item in given.cells),
        events=sum(item.events for item in given.cells),
        tenants=len(given.tenants),
        tenants_outside=sum(1 for item in given.cells if item.outside_cells),
        not_judged=_not_judged(given.tenants, words),
        highlights=given.outside[:HIGHLIGHTS],
        unknowns=unknowns,
        is_register_absent=given.register_state == "absent",
    )


def _state(given: Findable, unknowns: Sequence[Unknown]) -> str:
    if not any(tenant.is_evaluated for tenant in given.tenants):
        return "nothing_judged"
    if any(item.outside_cells for item in given.cells):
        return "outside"
    if not any(item.used_cells for item in given.cells):
        return "no_events"
    return "cannot_tell" if unknowns else "none_seen"


def _not_judged(tenants: Iterable[TenantSection], words: Words) -> tuple[NotJudged, ...]:
    return tuple(
        NotJudged(tenant.tenant_id, tenant.name, tenant.not_evaluated_reason or words.plain("word.no_reason"))
        for tenant in tenants
        if not tenant.is_evaluated
    )


Counted = tuple[str, int, str]
"""What is not known, how often, and the section that lists it."""


def _unknown(words: Words, code: str, count: int, section: str) -> Unknown:
    return Unknown(code, count, words.plain(f"unknown.{code}", count=count), section)


def _unknowns(given: Findable) -> list[Counted]:
    return [*_unknown_use(given), *_unknown_sources(given), *_unknown_files(given)]


def _unknown_use(given: Findable) -> list[Counted]:
    rules = given.not_assessable.rules
    tenants = given.tenants
    unaudited = [process for item in tenants for process in item.processes if not process.is_audited]
    return [
        ("tenants_not_judged", sum(1 for item in tenants if not item.is_evaluated), "tenants"),
        ("tenants_ended_early", _ended_early(tenants), "tenants"),
        ("events_not_assessable", sum(item.not_assessable for item in tenants), "unknown-use"),
        ("events_without_verdict", sum(max(item.unjudged, 0) for item in tenants), "tenants"),
        ("unmapped_calls", sum(item.unmapped_events for item in tenants), "unknown-calls"),
        ("rules_not_evaluated", sum(1 for item in rules if item.outcome != "error"), "unknown-rules"),
        ("rules_failed", sum(1 for item in rules if item.outcome == "error"), "unknown-rules"),
        ("processes_not_audited", len(unaudited), "tenants"),
    ]


def _ended_early(tenants: Sequence[TenantSection]) -> int:
    """Count the tenants of which the end of the period shows nothing: a gap after a tenant's last log is no row."""
    ends = [item.watched_to for item in tenants if item.watched_to is not None]
    return sum(1 for end in ends if max(ends) - end > _EARLY)


def _unknown_sources(given: Findable) -> list[Counted]:
    logs = [item.state for item in given.coverage if item.feed in LOG_FEEDS]
    unread = {
        feeds: {item.tenant_id for item in given.coverage if item.feed in feeds and item.state in ("none", "partial")}
        for feeds in (_GRANT_FEEDS, _INNER_GRANT_FEEDS)
    }
    return [
        ("logs_with_gaps", logs.count("partial"), "coverage"),
        ("logs_missing", logs.count("none"), "coverage"),
        ("logs_provisional", logs.count("provisional"), "coverage"),
        ("grants_not_read", len(unread[_GRANT_FEEDS]), "coverage"),
        ("inner_grants_not_read", len(unread[_INNER_GRANT_FEEDS]), "coverage"),
        ("grants_unreadable", sum(item.unreadable_grants for item in given.tenants), "tenants"),
    ]


def _unknown_files(given: Findable) -> list[Counted]:
    sources = given.sources
    quarantined = max(sum(item.quarantined for item in sources), given.not_assessable.quarantine_total)
    return [
        ("files_refused", sum(item.files_refused for item in sources), "unknown-files"),
        ("files_partial", sum(item.files_partial for item in sources), "unknown-files"),
        ("records_quarantined", quarantined, "unknown-files"),
        ("sources_unbalanced", sum(1 for item in sources if not item.is_balanced), "sources"),
    ]

"""Owns page 1's answer: which sentence the evidence allows, and everything that limits it. Reads values only.

Unknown is never worded as fine: ``none_seen`` needs evidence and not one open question; everything else says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from m365audit.model import LOG_FEEDS
from m365audit.report.document import (
    Answer,
    CellTotals,
    FeedCoverage,
    Judgement,
    NotAssessable,
    NotJudged,
    Unknown,
)
from m365audit.report.sheets import SourceAccount, TenantSection

HIGHLIGHTS = 4
_GRANT_FEEDS = ("app_role_assignments", "delegated_permission_grants")
_INNER_GRANT_FEEDS = ("rsc_grants", "exchange_role_assignments")
"""Grants that Entra does not list: inside one team or chat, inside Exchange."""

_WORDS = {
    "nothing_judged": (
        "Nothing was judged.",
        (
            "Evidence may have been collected, but no use was compared with the consent register. "
            "Nothing below says that processing was in order."
        ),
    ),
    "outside": (
        "Yes. Data was used outside the recorded consent.",
        "Everything else that is in scope was judged.",
    ),
    "no_events": (
        "No use was seen, and that proves nothing.",
        "The evidence holds not one access that could be judged. No events is not the same as no processing.",
    ),
    "cannot_tell": (
        "None was seen, but it cannot be ruled out.",
        "What could be judged agrees with the consent register. Not everything could be judged: see what is not known.",
    ),
    "none_seen": (
        "None was seen in complete evidence.",
        "Every logged use agrees with the consent register, and every log was there for the whole time.",
    ),
}

_MAY_BE_MORE = "The evidence shows it. There may be more: not everything could be judged, see what is not known."


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


def make_answer(given: Findable) -> Answer:
    """Return the answer to "was data used outside the recorded consent?" with all that limits it."""
    unknowns = tuple(item for item in _unknowns(given) if item.count)
    state = _state(given, unknowns)
    headline, explanation = _WORDS[state]
    if state == "outside" and unknowns:
        explanation = _MAY_BE_MORE
    return Answer(
        state=state,
        headline=headline,
        explanation=explanation,
        outside_events=sum(item.outside_events for item in given.cells),
        outside_cells=sum(item.outside_cells for item in given.cells),
        used_cells=sum(item.used_cells for item in given.cells),
        events=sum(item.events for item in given.cells),
        tenants=len(given.tenants),
        tenants_outside=sum(1 for item in given.cells if item.outside_cells),
        not_judged=_not_judged(given.tenants),
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


def _not_judged(tenants: Iterable[TenantSection]) -> tuple[NotJudged, ...]:
    return tuple(
        NotJudged(tenant.tenant_id, tenant.name, tenant.not_evaluated_reason or "no reason was recorded")
        for tenant in tenants
        if not tenant.is_evaluated
    )


def _unknowns(given: Findable) -> list[Unknown]:
    return [*_unknown_use(given), *_unknown_sources(given), *_unknown_files(given)]


def _unknown(code: str, count: int, one: str, many: str, section: str) -> Unknown:
    return Unknown(code, count, one if count == 1 else many, section)


def _unknown_use(given: Findable) -> list[Unknown]:
    rules = given.not_assessable.rules
    tenants = given.tenants
    unaudited = [process for item in tenants for process in item.processes if not process.is_audited]
    return [
        _unknown("tenants_not_judged", sum(1 for item in tenants if not item.is_evaluated),
                 "tenant was not judged", "tenants were not judged", "tenants"),
        _unknown("events_not_assessable", sum(item.not_assessable for item in tenants),
                 "use of data could not be judged", "uses of data could not be judged", "unknown-use"),
        _unknown("events_without_verdict", sum(max(item.unjudged, 0) for item in tenants),
                 "event has no verdict", "events have no verdict", "tenants"),
        _unknown("unmapped_calls", sum(item.unmapped_events for item in tenants),
                 "call is of a kind not known", "calls are of a kind not known", "unknown-calls"),
        _unknown("rules_not_evaluated", sum(1 for item in rules if item.outcome != "error"),
                 "check could not be made", "checks could not be made", "unknown-rules"),
        _unknown("rules_failed", sum(1 for item in rules if item.outcome == "error"),
                 "check failed", "checks failed", "unknown-rules"),
        _unknown("processes_not_audited", len(unaudited),
                 "recorded process is of a kind of data not audited",
                 "recorded processes are of a kind of data not audited", "tenants"),
    ]  # fmt: skip


def _unknown_sources(given: Findable) -> list[Unknown]:
    logs = [item.state for item in given.coverage if item.feed in LOG_FEEDS]
    unread = {
        feeds: {item.tenant_id for item in given.coverage if item.feed in feeds and item.state in ("none", "partial")}
        for feeds in (_GRANT_FEEDS, _INNER_GRANT_FEEDS)
    }
    return [
        _unknown("logs_with_gaps", logs.count("partial"), "log has gaps", "logs have gaps", "coverage"),
        _unknown("logs_missing", logs.count("none"), "log was never received", "logs were never received", "coverage"),
        _unknown("logs_provisional", logs.count("provisional"),
                 "log may be incomplete", "logs may be incomplete", "coverage"),
        _unknown("grants_not_read", len(unread[_GRANT_FEEDS]),
                 "tenant's grants were not read in full", "tenants' grants were not read in full", "coverage"),
        _unknown("inner_grants_not_read", len(unread[_INNER_GRANT_FEEDS]),
                 "tenant's grants inside teams or Exchange were not read in full",
                 "tenants' grants inside teams or Exchange were not read in full", "coverage"),
        _unknown("grants_unreadable", sum(item.unreadable_grants for item in given.tenants),
                 "grant is of a permission not known", "grants are of a permission not known", "tenants"),
    ]  # fmt: skip


def _unknown_files(given: Findable) -> list[Unknown]:
    sources = given.sources
    quarantined = max(sum(item.quarantined for item in sources), given.not_assessable.quarantine_total)
    return [
        _unknown("files_refused", sum(item.files_refused for item in sources),
                 "file was refused", "files were refused", "unknown-files"),
        _unknown("files_partial", sum(item.files_partial for item in sources),
                 "file was taken in only partly", "files were taken in only partly", "unknown-files"),
        _unknown("records_quarantined", quarantined,
                 "record could not be taken in", "records could not be taken in", "unknown-files"),
        _unknown("sources_unbalanced", sum(1 for item in sources if not item.is_balanced),
                 "tenant's records do not add up", "tenants' records do not add up", "sources"),
    ]  # fmt: skip

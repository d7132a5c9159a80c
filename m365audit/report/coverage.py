"""Owns what the report says about coverage: one line per tenant and source, also for sources nobody ever saw."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from m365audit.model import FEEDS, STATE_FEEDS
from m365audit.report.document import FeedCoverage
from m365audit.report.rows import Reader, Row, count, moment, texts, words

COVERAGE_GROUPS: Final = (
    ("graph_activity", ("graph_activity",)),
    ("audit_exchange", ("audit_exchange",)),
    ("audit_teams", ("audit_teams",)),
    ("sign_ins", ("sign_ins_interactive", "sign_ins_non_interactive", "sign_ins_service_principal",
                  "sign_ins_managed_identity")),
    ("directory_audits", ("directory_audits",)),
    ("grants", ("app_role_assignments", "delegated_permission_grants")),
)  # fmt: skip
"""Columns of the coverage table on page 1: the sources that decide whether an answer is possible."""
_WORST_FIRST = ("none", "partial", "provisional", "observed", "complete")


@dataclass(frozen=True, slots=True)
class GroupCoverage:
    """The worst of a group of sources in one tenant, for the table on page 1; ``seen`` of ``members`` were read."""

    label: str
    state: str
    covered_percent: int | None
    covered_seconds: int
    seen: int
    members: int


@dataclass(frozen=True, slots=True)
class NotSeen:
    """Sources of one tenant that were not seen, or not for all of the time (``is_in_part``), for the same reasons."""

    feeds: tuple[str, ...]
    is_in_part: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TenantCoverage:
    """One tenant's groups of page 1, and what was not seen of it, and why."""

    tenant_id: str
    name: str
    groups: tuple[GroupCoverage, ...]
    not_seen: tuple[NotSeen, ...]

    @property
    def badness(self) -> tuple[int, ...]:
        """Sort key: how many groups are in each state, the worst state first."""
        states = [group.state for group in self.groups]
        return tuple(states.count(state) for state in _WORST_FIRST)


def build_coverage(reader: Reader, tenants: dict[str, str]) -> tuple[FeedCoverage, ...]:
    """Return one line for every tenant and feed; a feed that the database never mentions is ``none``, not absent."""
    known = {(words(row, "tenant_id"), words(row, "feed")): row for row in reader.rows("report-coverage")}
    extra = sorted({feed for _, feed in known} - set(FEEDS))
    return tuple(
        _line(tenant, name, feed, known.get((tenant, feed)))
        for tenant, name in tenants.items()
        for feed in (*FEEDS, *extra)
    )


def _line(tenant: str, name: str, feed: str, row: Row | None) -> FeedCoverage:
    if row is None:
        return FeedCoverage(tenant, name, feed, "none", _share(feed, 0, 0, 0), 0, 0, 0, 0, ("not_collected",), 0,
                            None, None)  # fmt: skip
    watched, covered = count(row, "watched_seconds"), count(row, "covered_seconds")
    complete, gaps = count(row, "complete_seconds"), count(row, "gaps")
    return FeedCoverage(
        tenant_id=tenant,
        tenant_name=name,
        feed=feed,
        state=_state(feed, count(row, "observations"), gaps, watched - covered, watched - complete),
        covered_percent=_share(feed, covered, watched, gaps),
        watched_seconds=watched,
        covered_seconds=covered,
        complete_seconds=complete,
        gaps=gaps,
        gap_reasons=texts(row, "gap_reasons"),
        records=count(row, "records"),
        first_at=moment(row, "first_at"),
        last_at=moment(row, "last_at"),
        gap_details=texts(row, "gap_details"),
    )


def _state(feed: str, observations: int, gaps: int, uncovered: int, incomplete: int) -> str:
    if not observations:
        return "none"
    if feed in STATE_FEEDS:
        return "partial" if gaps else "observed"
    if gaps or uncovered > 0:
        return "partial"
    return "provisional" if incomplete > 0 else "complete"


def _share(feed: str, covered: int, watched: int, gaps: int) -> int | None:
    if feed in STATE_FEEDS:
        return None
    percent = covered * 100 // watched if watched > 0 else 0
    return min(percent, 99) if gaps else percent


def summarise(lines: Iterable[FeedCoverage]) -> list[TenantCoverage]:
    """Return per tenant the groups of page 1, each as bad as its worst source."""
    by_tenant: dict[tuple[str, str], dict[str, FeedCoverage]] = {}
    for line in lines:
        by_tenant.setdefault((line.tenant_id, line.tenant_name), {})[line.feed] = line
    return [
        TenantCoverage(
            tenant,
            name,
            tuple(_group(label, [feeds[feed] for feed in members]) for label, members in COVERAGE_GROUPS),
            _not_seen(feeds.values()),
        )
        for (tenant, name), feeds in by_tenant.items()
    ]


def _group(label: str, members: list[FeedCoverage]) -> GroupCoverage:
    seen = [line for line in members if line.state != "none"]
    worst = min((line.state for line in members), key=_WORST_FIRST.index)
    if worst == "none":
        # A share of one log says nothing about a group of which other logs are missing.
        return GroupCoverage(label, "partial" if seen else "none", None, 0, len(seen), len(members))
    shares = [line.covered_percent for line in members if line.covered_percent is not None]
    covered = min(line.covered_seconds for line in members)
    return GroupCoverage(label, worst, min(shares, default=None), covered, len(seen), len(members))


def _not_seen(lines: Iterable[FeedCoverage]) -> tuple[NotSeen, ...]:
    found: dict[tuple[bool, tuple[str, ...]], list[str]] = {}
    for line in lines:
        if line.state in ("none", "partial"):
            found.setdefault((line.state == "partial", line.gap_reasons or ("not_covered",)), []).append(line.feed)
    return tuple(NotSeen(tuple(feeds), is_in_part, reasons) for (is_in_part, reasons), feeds in found.items())

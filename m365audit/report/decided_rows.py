"""Owns what persons decided and what waits for them, from rows: reviews, their history, the journal, the counts."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from m365audit.report.decided import Review, ReviewEvent, Waiting
from m365audit.report.present import Tables
from m365audit.report.rows import Row, TenantNames, count, flag, moment, text, texts, total, words

_ENTRIES = 20
"""Entries of the history of one finding, the newest; the journal has all of them."""
_JOURNAL = 200

Key = tuple[str, str]
"""Tenant and finding."""


def build_reviews(
    tables: Tables, names: TenantNames, findings: int
) -> tuple[dict[Key, Review], dict[Key, list[ReviewEvent]]]:
    """Return reviews and their history, by tenant and finding, of the findings that the report shows."""
    histories: dict[Key, list[ReviewEvent]] = defaultdict(list)
    for row in tables.rows("report-history", "review_events", findings=findings, rows=_ENTRIES):
        histories[words(row, "tenant_id"), words(row, "subject_id")].append(_event(row, names))
    reviews = {}
    for row in tables.rows("report-reviews", "finding_reviews", findings=findings):
        key = words(row, "tenant_id"), words(row, "finding_id")
        reviews[key] = _review(row, histories.get(key, []))
    return reviews, histories


def build_journal(tables: Tables, names: TenantNames) -> tuple[tuple[ReviewEvent, ...], int]:
    """Return the newest entries of the journal, and how many there are in all."""
    rows = tables.rows("report-journal", "review_events", limit=_JOURNAL)
    return tuple(_event(row, names) for row in rows), total(rows)


def build_waiting(tables: Tables, now: datetime) -> tuple[Waiting, int]:
    """Return what waits and what was decided, and how many reviews are overdue."""
    for row in tables.rows("report-waiting", "finding_reviews", "review_events", now=now):
        waiting = Waiting(
            is_known=True,
            pending=count(row, "pending"),
            grave_undecided=count(row, "grave_undecided"),
            returned=count(row, "returned"),
            opinions=count(row, "opinions"),
            undecided=count(row, "undecided"),
            expired=count(row, "expired"),
            accepted=count(row, "accepted"),
            disagreed=count(row, "disagreed"),
            false_positive=count(row, "false_positive"),
            explained=count(row, "explained"),
            first_finding_ids=texts(row, "finding_ids"),
        )
        return waiting, count(row, "overdue")
    return Waiting(False, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ()), 0  # noqa: FBT003 - the names stand above


def _review(row: Row, history: list[ReviewEvent]) -> Review:
    roles = {event.at: event.roles for event in history}
    decided, requested, approved = (moment(row, name) for name in ("decided_at", "requested_at", "approved_at"))
    return Review(
        decision=text(row, "decision"),
        pending=text(row, "pending"),
        returned=text(row, "returned"),
        reason=text(row, "reason"),
        breach=text(row, "breach"),
        owner=text(row, "owner"),
        due_at=moment(row, "due_at"),
        expires_at=moment(row, "expires_at"),
        decided_at=decided,
        decided_roles=roles.get(decided, ()),
        requested_at=requested,
        requested_roles=roles.get(requested, ()),
        approved_at=approved,
        approved_roles=roles.get(approved, ()),
        is_second_person_off=flag(row, "is_second_person_off"),
        evidence=texts(row, "evidence"),
    )


def _event(row: Row, names: TenantNames) -> ReviewEvent:
    return ReviewEvent(
        *names.of(row),
        seq=count(row, "seq"),
        at=moment(row, "at"),
        kind=words(row, "kind"),
        subject=words(row, "subject_id"),
        event=words(row, "event"),
        roles=texts(row, "roles"),
        person=words(row, "person"),
        how=text(row, "how"),
        state=text(row, "asked_state"),
        reason=text(row, "reason"),
        opinion=text(row, "opinion"),
    )

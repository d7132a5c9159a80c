"""Writing what people decide: every check is made on the very entries that the new one is written behind.

Two people never decide at once on the same state, and nothing is half-written: one decision is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from m365audit.config import Settings
from m365audit.findings.decisions import Ruling
from m365audit.findings.values import Facts
from m365audit.pipeline.completeness import check_journal
from m365audit.store.journal import Actor, Draft, Entry, Journal, JournalMovedError, open_journal

_ATTEMPTS: Final = 20
Drafts = list[tuple[Draft, int | None]]
"""Entries to be written together, each with the version that its subject has now."""


def write(settings: Settings, made: Callable[[Journal], Drafts], now: datetime) -> list[Entry]:
    """Write what ``made`` says by all entries; when somebody else was faster, ask it again by theirs.

    Raises:
        StoreError: decisions that were published are missing; nothing is written.
    """
    check_journal(settings)
    with open_journal(settings.state) as journal:
        for _ in range(_ATTEMPTS):
            head, _ = journal.head()
            try:
                return journal.append_all(made(journal), at=now, expected_head=head)
            except JournalMovedError:
                continue
        return journal.append_all(made(journal), at=now)


def write_ruling(
    settings: Settings, made: Callable[[Journal], tuple[str, str, str, Ruling, int]], actor: Actor, now: datetime
) -> Entry:  # fmt: skip
    """Write the one entry that ``made`` (kind, tenant, subject, ruling, version) comes to; see ``decide``."""

    def drafts(journal: Journal) -> Drafts:
        kind, tenant, subject, ruling, version = made(journal)
        return [(draft_of(kind, tenant, subject, ruling, actor), version)]

    return write(settings, drafts, now)[0]


def draft_of(kind: str, tenant: str, subject: str, ruling: Ruling, actor: Actor) -> Draft:
    """Return the entry that a ruling comes to."""
    return Draft(kind, tenant, subject, ruling.event, actor, ruling.body)


def next_id(journal: Journal, kind: str, prefix: str, now: datetime) -> str:
    """Return the next free id of a case or request, e.g. BR-2026-001; numbers begin anew every year."""
    begin = f"{prefix}-{now.year}-"
    taken = {entry.subject for entry in journal.entries(kind=kind) if entry.subject.startswith(begin)}
    return f"{begin}{len(taken) + 1:03d}"


def case_drafts(
    journal: Journal, tenant: str, facts: Sequence[Facts], actor: Actor, *, body: Mapping[str, Any], now: datetime
) -> tuple[str, Drafts]:  # fmt: skip
    """Return the id of a new case and the entry that opens it."""
    case_id = next_id(journal, "case", "BR", now)
    ids = [each.finding_id for each in facts]
    seen = [*looked_at(journal, tenant, ids), now]
    detected = [each.opened_at for each in facts if each.opened_at is not None]
    whole = {
        **body, "findings": ids, "first_seen_at": min(seen).isoformat() if ids else None,
        "detected_at": min(detected).isoformat() if detected else None,
    }  # fmt: skip
    return case_id, [(Draft("case", tenant, case_id, "open", actor, whole), 0)]


def looked_at(journal: Journal, tenant: str, ids: Sequence[str]) -> list[datetime]:
    """Return when people looked at findings, or did something about them."""
    return [
        entry.at
        for each in ids
        for kind in ("view", "finding")
        for entry in journal.entries(kind=kind, tenant=tenant, subject=each)
        if entry.actor.how != "machine"
    ]

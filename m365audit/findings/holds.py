"""Holds: what must not be purged or erased, until when and why. Pure functions over entries of the journal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from m365audit.store.journal import Entry

LONGEST: Final = timedelta(days=366)
"""A hold ends by itself after a year at most; who still needs it sets another, and says why again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold as it stands.

    Attributes:
        tenant: tenant id.
        hold_id: e.g. H-2026-001.
        object: ``tenant``, ``feed:<feed>``, ``finding:<id>`` or ``person:<token>``.
        reason: why.
        until: when it ends by itself.
        set_by: the person who set it.
        approved_by: the second person; None while there is none.
        released_at: when it was released; None when it was not.
        version: newest version in the journal.
        is_single: it needs no second person.
    """

    tenant: str
    hold_id: str
    object: str
    reason: str
    until: datetime
    set_by: str
    approved_by: str | None
    released_at: datetime | None
    version: int
    is_single: bool

    def is_active(self, now: datetime) -> bool:
        """Say whether it holds: also before the second person has agreed, for what is gone does not come back."""
        return self.released_at is None and now < self.until


def fold_holds(entries: Iterable[Entry]) -> list[Hold]:
    """Return every hold that was ever set, in order."""
    found: dict[tuple[str, str], Hold] = {}
    for entry in entries:
        key = (entry.tenant, entry.subject)
        if entry.event == "set":
            body = entry.body
            found[key] = Hold(
                entry.tenant, entry.subject, body["object"], body["reason"], datetime.fromisoformat(body["until"]),
                entry.actor.person, None, None, entry.version, bool(body.get("is_single")),
            )  # fmt: skip
        elif key in found:
            found[key] = _after(found[key], entry)
    return list(found.values())


def _after(hold: Hold, entry: Entry) -> Hold:
    approved = entry.actor.person if entry.event == "approve" else hold.approved_by
    released = entry.at if entry.event == "release" else hold.released_at
    return Hold(
        hold.tenant, hold.hold_id, hold.object, hold.reason, hold.until, hold.set_by, approved, released,
        entry.version, hold.is_single,
    )  # fmt: skip

"""The checks of ``m365audit verify``, those of the store and the one of the register's history."""

from __future__ import annotations

from m365audit.config import Settings
from m365audit.errors import StoreError
from m365audit.findings import erasures
from m365audit.pipeline import completeness
from m365audit.store.database import open_store
from m365audit.store.journal import has_journal, open_journal
from m365audit.store.journal_head import kept_head
from m365audit.store.published import open_published
from m365audit.store.published_file import PUBLISHED_NAME
from m365audit.store.verifying import Check
from m365audit.store.verifying import verify as verify_store


def verify(settings: Settings) -> list[Check]:
    """Return every check; nothing is changed.

    Raises:
        StoreBusyError: a run is at work.
        StoreError: the working database cannot be opened.
    """
    with open_store(settings.state) as connection:
        checks = list(verify_store(connection, settings.state, settings.publish))
    return [*checks, _decisions(settings), _erasures(settings), _register(settings)]


def _erasures(settings: Settings) -> Check:
    name = "every erasure that was begun was carried out"
    try:
        with open_journal(settings.state) as journal:
            entries = journal.entries(kind="erasure")
    except StoreError as error:
        return Check(name, "damaged", 0, (error.message,))
    wrong = tuple(
        f"{subject} was begun on {entry.at:%Y-%m-%d} and broke off: the evidence still holds the person; erase again"
        for subject, entry in erasures.unfinished(entries).items()
    )
    return Check(name, "damaged" if wrong else "whole", len(entries), wrong)


def _decisions(settings: Settings) -> Check:
    name = "every decision that was written or published is in the journal"
    try:
        gone = completeness.missing(settings)
        noted = kept_head(settings.state)
    except StoreError as error:
        return Check(name, "damaged", 0, (error.message,))
    if gone is not None:
        return Check(name, "damaged", 1, (gone,))
    if noted is None and has_journal(settings.state):
        return Check(name, "not_checked", 0, ("nothing was noted beside the journal: the next decision notes it",))
    return Check(name, "whole", noted.seq if noted is not None else 0)


def _register(settings: Settings) -> Check:
    name = "no entry of the consent register was changed after it was judged with"
    if not (settings.publish / PUBLISHED_NAME).is_file():
        return Check(name, "not_checked", 0, ("nothing is published yet",))
    with open_published(settings.publish) as database:
        rows = database.execute("SELECT record, entry, event, change FROM register_changes ORDER BY ALL")
    wrong = tuple(f"{record}, entry {entry} ({event}): {change}" for record, entry, event, change in rows)
    return Check(name, "damaged" if wrong else "whole", len(rows), wrong)

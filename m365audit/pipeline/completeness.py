"""Whether the journal is the one whose decisions were published: a lost one is not begun anew. Decides nothing."""

from __future__ import annotations

from m365audit.config import Settings
from m365audit.errors import QueryError, StoreError
from m365audit.store import published
from m365audit.store import review_tables as tables
from m365audit.store.journal import open_journal


def check_journal(settings: Settings) -> None:
    """Make sure that no decision is lost that was published before.

    An evaluation would publish without it, and what is decided now would be the beginning of another journal.

    Raises:
        StoreError: the journal is gone, is an older one or another one, or cannot be read.
    """
    try:
        with published.open_published(settings.publish) as database:
            head = tables.published_head(database.execute)
    except (StoreError, QueryError):  # nothing is published, or nothing that can be read: it has nothing to tell
        return
    check_whole(settings, head)


def check_whole(settings: Settings, head: tuple[int, str]) -> None:
    """Make sure that the journal holds the entry that was the newest when something was published.

    Raises:
        StoreError: it does not.
    """
    seq, digest = head
    if seq == 0:
        return
    with open_journal(settings.state) as journal:
        found = [entry.hash for entry in journal.entries() if entry.seq == seq]
    if found != [digest]:
        raise StoreError(
            f"decisions are missing: {seq} entries were published, and the journal in {settings.state} is not that one",
            hint="put back the newest copy of review.sqlite; if there is none, move publish/m365audit.duckdb aside: "
            "everything has to be decided again then",
        )

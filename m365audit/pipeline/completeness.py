"""Whether the journal is the one whose decisions were published: a lost one is not begun anew. Decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from m365audit.config import Settings
from m365audit.errors import QueryError, StoreError
from m365audit.store import published
from m365audit.store import review_tables as tables
from m365audit.store.database import DATABASE_NAME
from m365audit.store.journal import open_journal
from m365audit.store.published_file import FileStamp, file_stamp
from m365audit.store.turns import InUseError

_HEADS: Final[dict[Path, tuple[FileStamp, tuple[int, str]]]] = {}
"""For a folder of publications: which file was there, and the newest entry of the journal that it shows."""


def check_journal(settings: Settings) -> None:
    """Make sure that no decision is lost that was written here, or published, before.

    An evaluation would publish without it, and what is decided now would be the beginning of another journal.

    Raises:
        StoreError: the journal is gone, is an older one or another one, or cannot be read; or what is published is held
            by another thread for too long.
    """
    _check_noted(settings)
    try:
        head = _published_head(settings.publish)
    except InUseError:
        raise  # it is there, and may tell of decisions that are missing
    except (StoreError, QueryError):  # nothing is published, or nothing that can be read: it has nothing to tell
        return
    check_whole(settings, head)


def _published_head(folder: Path) -> tuple[int, str]:
    """Return what the published file tells of the journal; it is opened once, for it is replaced and never changed.

    Raises:
        StoreError: there is none, or it cannot be opened.
        QueryError: it cannot be read.
    """
    before = file_stamp(folder)
    known = _HEADS.get(folder)
    if known is not None and before is not None and known[0] == before:
        return known[1]
    with published.open_published(folder) as database:
        head = tables.published_head(database.execute)
    if before is not None and file_stamp(folder) == before:
        _HEADS[folder] = before, head
    return head


def is_noted_missing(settings: Settings) -> bool:
    """Return whether the newest decision that was noted beside the journal is not in it; no publication is asked.

    Raises:
        StoreError: the journal is there and cannot be read.
    """
    try:
        _check_noted(settings)
    except StoreError as error:
        if error.key != "decisions_missing":
            raise
        return True
    return False


def missing(settings: Settings, ask: tables.Ask | None = None) -> str | None:
    """Return, in words, which decisions are missing; None when every entry that is known to have been is there.

    Args:
        settings: the configuration.
        ask: asks what is published, where it is open already.

    Raises:
        StoreError: the journal is there and cannot be read.
    """
    try:
        if ask is None:
            check_journal(settings)
            return None
        _check_noted(settings)
        # Whoever reads what is published elsewhere has no journal; where evidence is kept, there was one.
        if (settings.state / DATABASE_NAME).is_file():
            check_whole(settings, tables.published_head(ask))
    except StoreError as error:
        if error.key != "decisions_missing":
            raise
        return error.message
    return None


def _check_noted(settings: Settings) -> None:
    with open_journal(settings.state) as journal:
        journal.check_noted()


def check_whole(settings: Settings, head: tuple[int, str]) -> None:
    """Make sure that the journal holds the entry that was the newest when something was published.

    Raises:
        StoreError: it does not.
    """
    seq, digest = head
    if seq == 0:
        return
    with open_journal(settings.state) as journal:
        is_there = journal.holds(seq, digest)
    if not is_there:
        raise StoreError(
            f"decisions are missing: {seq} entries were published, and the journal in {settings.state} is not that one",
            hint="put back the newest copy of review.sqlite; if there is none, move publish/m365audit.duckdb aside: "
            "everything has to be decided again then",
            key="decisions_missing",
        )

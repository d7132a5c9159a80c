"""The newest entry of the journal, noted beside it: a journal that is lost or cut is told before it is published.

It proves nothing against who may write to the state folder; that is what the head kept elsewhere is for.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m365audit.errors import StoreError
from m365audit.log import get_logger
from m365audit.store.durable import sync_folder
from m365audit.store.journal_entries import Entry

HEAD_NAME: Final = "decisions.head"
"""Another name than the journal's: who removes or puts back all of ``review.sqlite*`` does not take it along."""


@dataclass(frozen=True, slots=True)
class Head:
    """Place, from 1, and hash of the newest entry that was noted."""

    seq: int
    hash: str


def kept_head(state: Path) -> Head | None:
    """Return the newest entry that was noted; None when none ever was.

    Raises:
        StoreError: the note is there and cannot be read: what it said is not known.
    """
    path = state / HEAD_NAME
    try:
        noted = json.loads(path.read_text(encoding="ascii"))
        return Head(int(noted["seq"]), str(noted["hash"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"the note of the newest decision, {path}, cannot be read",
            hint="compare the journal with its newest copy (m365audit verify shows its head); then move the note aside",
        ) from error


def keep_head(state: Path, entry: Entry) -> None:
    """Note that an entry was written. It is durable already, so a note that fails is told and stops nothing."""
    path = state / HEAD_NAME
    unfinished = path.with_name(f"{HEAD_NAME}.{os.getpid()}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        handle = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            json.dump({"seq": entry.seq, "hash": entry.hash}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        sync_folder(state)
    except OSError as error:
        get_logger().warning("decision_not_noted", entry=entry.seq, error=str(error))

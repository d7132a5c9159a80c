"""Who has which database file open in this process: one thread at a time.

DuckDB gives two that open one file in one process the same database, and the second finds its settings locked by the
first, or other ones. The review page reads and writes down decisions in several threads. Opens nothing itself.
"""

from __future__ import annotations

from pathlib import Path
from threading import Condition, get_ident
from typing import Final

from m365audit.errors import StoreError


class InUseError(StoreError):
    """Another thread did not let go of a file: it is there, and what it says is not known."""


PATIENCE: Final = 60.0
"""Seconds that a thread waits. What the review page keeps open are files of its own: nobody waits for those."""

_FREE: Final = Condition()
_HOLDERS: Final[dict[Path, int]] = {}
"""Path → the thread that has it open."""


def take(path: Path) -> bool:
    """Wait until no other thread has the file open.

    Returns:
        Whether it is taken now and has to be given back; False where this thread has it open already.

    Raises:
        InUseError: another thread did not let go of it.
    """
    me = get_ident()
    with _FREE:
        if not _FREE.wait_for(lambda: _HOLDERS.get(path, me) == me, PATIENCE):
            raise InUseError(f"the database {path} is in use by another part of this program", hint="try it again")
        is_taken = path not in _HOLDERS
        _HOLDERS[path] = me
    return is_taken


def give_back(path: Path) -> None:
    """Let the next thread have it."""
    with _FREE:
        _HOLDERS.pop(path, None)
        _FREE.notify_all()

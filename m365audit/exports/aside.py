"""Keeps the notes about records that could not be read in a file, so that a million of them cost no memory.

Must never hold a note, and never make a file when there is none.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Self

import msgspec

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.workspace import Workspace
from m365audit.model import Quarantined

if TYPE_CHECKING:
    from types import TracebackType

_encode = msgspec.json.Encoder().encode


class Aside:
    """The notes of one file: one JSON object per line, in the order in which they were added.

    Attributes:
        file: path of the file, None as long as there is no note.
        count: notes written.
    """

    def __init__(self, work: Workspace, source: str) -> None:
        self._work = work
        self._source = source
        self._out: IO[bytes] | None = None
        self.file: str | None = None
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()

    def add(self, note: Quarantined) -> None:
        """Write one note.

        Raises:
            EvidenceError: there are more than a log can have.
        """
        if self.count >= limits.MAX_QUARANTINED:
            raise EvidenceError(
                f"more than {limits.MAX_QUARANTINED:,} records of it cannot be read; the last: {note.reason}",
                file=self._source,
                hint="export it again, or import the part of it that is a log",
            )
        if self._out is None:
            path, self._out = self._work.create()
            self.file = str(path)
        self._out.write(_encode(note) + b"\n")
        self.count += 1

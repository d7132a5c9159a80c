"""A stretch of a file that moves forward, so that a document of any size is read with the same little memory.

Positions are byte offsets in the file. Must never go back: what was left behind is gone.
"""

from __future__ import annotations

import io
import re
from typing import IO

from m365audit.exports import limits

_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)


class Window:
    """The bytes of a file from ``base`` on, at least the longest record's worth of them unless the file ends before.

    Attributes:
        data: the bytes at hand.
        base: where in the file they begin.
        is_end: the file ends with them.
    """

    def __init__(self, file: IO[bytes], base: int) -> None:
        self._file = file
        self._reach = limits.WINDOW_BYTES
        self._line, self._counted = 1, base
        self.data = b""
        self.base = base
        self.is_end = False
        self.advance(base)

    @classmethod
    def of(cls, data: bytes) -> Window:
        """Return a window over bytes in memory."""
        return cls(io.BytesIO(data), 0)

    @property
    def end(self) -> int:
        """Where the bytes at hand end."""
        return self.base + len(self.data)

    def has(self, position: int) -> bool:
        """Say whether the file goes on at ``position``; what lies before it may be left behind."""
        if not self.is_end and self.end - position < self._reach:
            self.advance(position)
        return position < self.end

    def advance(self, position: int) -> bool:
        """Leave behind what lies before ``position`` and read on; False when nothing follows there."""
        self.line_at(position)
        kept = self.data[position - self.base :]
        self.base = position
        more = b"" if self.is_end else self._file.read(2 * self._reach - len(kept))
        self.is_end = self.is_end or len(kept) + len(more) < 2 * self._reach
        self.data = kept + more
        return bool(self.data)

    def finish(self) -> int:
        """Leave everything behind; return where that is."""
        position, self.data, self.is_end = self.end, b"", True
        self.base = self._counted = position
        return position

    def line_at(self, position: int) -> int:
        """Return the physical line of ``position``, 1 being where the window began; never asked for an earlier one."""
        self._line += self.data.count(b"\n", self._counted - self.base, position - self.base)
        self._counted = position
        return self._line

    def at(self, position: int, length: int = 1) -> bytes:
        """Return some bytes from ``position`` on."""
        return self.data[position - self.base : position - self.base + length]

    def match(self, pattern: re.Pattern[bytes], position: int) -> re.Match[bytes] | None:
        """Match ``pattern`` at ``position``; positions in the result count from ``base``."""
        return pattern.match(self.data, position - self.base)

    def end_of_text(self, position: int) -> int | None:
        """Return where the text ends (behind its quote) of which ``position`` is inside, however long it is."""
        while True:
            found = self.match(_TEXT, position)
            position = self.base + found.end() if found else position
            if self.at(position) == b'"':
                return position + 1
            left = self.end - position  # nothing, or a backslash whose partner is not at hand yet
            self.advance(position)
            if len(self.data) == left:
                return None

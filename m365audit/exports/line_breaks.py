"""Gives the physical lines of a table within bounds, whichever way they end: LF, CRLF, or the CR of old Macs.

Must never hold more of a line than the longest record.
"""

from __future__ import annotations

from typing import IO

from m365audit.exports import limits
from m365audit.exports.limits import EXCERPT_BYTES, MIB


class LineReader:
    """Reads line by line; a lone CR ends a line when the head of the file has no LF, and comes back as LF."""

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        self._file = file
        self._is_cr = b"\r" in head and b"\n" not in head
        self._buffer = b""

    def next(self) -> tuple[bytes, int]:
        """Return the next line with its end, and its size; of one too long to read, only the beginning and the end.

        The line is empty where the file ends.
        """
        raw = self._part(limits.MAX_RECORD_BYTES + 1)
        size = len(raw)
        if size <= limits.MAX_RECORD_BYTES or raw.endswith(b"\n"):
            return raw, size
        part = raw
        while part and not part.endswith(b"\n"):
            part = self._part(MIB)
            size += len(part)
        return raw[:EXCERPT_BYTES] + (b"\n" if part else b""), size

    def _part(self, most: int) -> bytes:
        if not self._is_cr:
            return self._file.readline(most)
        while (end := self._buffer.find(b"\r")) < 0 and len(self._buffer) < most:
            block = self._file.read(MIB)
            if not block:
                break
            self._buffer += block
        end = min(end + 1, most) if end >= 0 else most
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line[:-1] + b"\n" if line.endswith(b"\r") else line

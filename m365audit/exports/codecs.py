"""The two ways of compressing that are undone, gzip and Zstandard, behind one face: bytes in, bounded bytes out.

Must never hand out more than a block at a time, however little was put in.
"""

from __future__ import annotations

import sys
import zlib
from typing import Final, Protocol

from m365audit.exports.limits import MIB

if sys.version_info >= (3, 14):
    from compression import zstd as zstd  # noqa: PLC0414 - named for tests too
else:
    from backports import zstd as zstd  # noqa: PLC0414 - as above

GZIP_MAGIC: Final = (b"\x1f\x8b",)
ZSTD_MAGIC: Final = (b"\x28\xb5\x2f\xfd", *(bytes((byte,)) + b"\x2a\x4d\x18" for byte in range(0x50, 0x60)))
"""A frame, and the frames to be skipped that some tools put before the first."""

DAMAGED: Final = (zlib.error, zstd.ZstdError)
_GZIP_FORMAT: Final = 31
_ZSTD_BLOCK: Final = 128 * 1024


class Member(Protocol):
    """One compressed stream: a member of a gzip file, a frame of a Zstandard file."""

    @property
    def needs_input(self) -> bool:
        """Without more input nothing more comes out."""

    @property
    def is_done(self) -> bool:
        """The stream has ended, and its checksum was right."""

    @property
    def rest(self) -> bytes:
        """What was put in beyond the end of the stream."""

    def step(self, data: bytes) -> bytes:
        """Put in ``data`` and return what comes out.

        Raises:
            zlib.error, ZstdError: the data is damaged.
        """

    def take_back(self) -> bytes:
        """Return what was put in and not looked at yet, as if it had not been put in."""


class GzipMember:
    """A member of a gzip file."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(_GZIP_FORMAT)
        self._waiting = b""

    @property
    def needs_input(self) -> bool:
        """Without more input nothing more comes out."""
        return not self._waiting

    @property
    def is_done(self) -> bool:
        """The member has ended, and its checksum was right."""
        return self._decoder.eof

    @property
    def rest(self) -> bytes:
        """What was put in beyond the end of the member."""
        return self._decoder.unused_data

    def step(self, data: bytes) -> bytes:
        """Put in ``data`` and return what comes out."""
        block = self._decoder.decompress(self._waiting + data, MIB)
        self._waiting = self._decoder.unconsumed_tail
        return block

    def take_back(self) -> bytes:
        """Return what was put in and not looked at yet."""
        waiting, self._waiting = self._waiting, b""
        return waiting


class ZstdFrame:
    """A frame of a Zstandard file; one that needs a window of more than 128 MiB is refused by the decoder."""

    def __init__(self) -> None:
        self._decoder = zstd.ZstdDecompressor()

    @property
    def needs_input(self) -> bool:
        """Without more input nothing more comes out."""
        return self._decoder.needs_input

    @property
    def is_done(self) -> bool:
        """The frame has ended, and its checksum was right."""
        return self._decoder.eof

    @property
    def rest(self) -> bytes:
        """What was put in beyond the end of the frame."""
        return self._decoder.unused_data

    def step(self, data: bytes) -> bytes:
        """Put in ``data`` and return what comes out."""
        return self._decoder.decompress(data, _ZSTD_BLOCK)

    def take_back(self) -> bytes:
        """Return nothing: the decoder keeps what it was given, which is why its steps are short."""
        return b""


def member_type(head: bytes) -> type[GzipMember | ZstdFrame] | None:
    """Return how data that begins with ``head`` is decompressed, None when it is not compressed."""
    if head.startswith(GZIP_MAGIC):
        return GzipMember
    return ZstdFrame if head.startswith(ZSTD_MAGIC) else None

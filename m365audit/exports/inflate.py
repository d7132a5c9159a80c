"""Decompresses gzip data of unknown honesty: members, checksums, cut ends, rubbish behind, bombs.

Must never keep more than a block in memory, and must never write more than the caps allow.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import IO

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.limits import EXCERPT_BYTES, MIB

_GZIP = 31
_MAGIC = b"\x1f\x8b"
_IN_BYTES = 64 * 1024


@dataclass(slots=True)
class InflateEnd:
    """How decompressing ended.

    Attributes:
        size: decompressed bytes written.
        is_cut: the compressed data ended early or is damaged, so what was written may lack its end.
        remark: what is wrong besides, empty when nothing is.
        rest: the first bytes that the remark is about.
    """

    size: int = 0
    is_cut: bool = False
    remark: str = ""
    rest: bytes = b""


@dataclass(slots=True)
class _Stream:
    """One gzip file being decompressed."""

    packed: IO[bytes]
    out: IO[bytes]
    file: str
    read: int = 0
    end: InflateEnd = field(default_factory=InflateEnd)

    def more(self) -> bytes:
        block = self.packed.read(_IN_BYTES)
        self.read += len(block)
        return block

    def write(self, block: bytes) -> None:
        self.end.size += len(block)
        too_large = self.end.size > limits.MAX_INFLATED_BYTES
        is_free = self.end.size <= limits.INFLATE_RATIO_FREE_BYTES
        if too_large or (not is_free and self.end.size > self.read * limits.MAX_INFLATE_RATIO):
            raise EvidenceError(
                f"decompressing it gives more than {self.end.size // MIB:,} MiB: this looks like a decompression bomb",
                file=self.file,
                hint="if it is genuine, decompress it yourself and import the result",
            )
        self.out.write(block)


def inflate(packed: IO[bytes], out: IO[bytes], *, file: str) -> InflateEnd:
    """Decompress all members of ``packed`` into ``out`` and say how it ended.

    Raises:
        EvidenceError: a decompression bomb, or damaged before the first byte of content.
    """
    stream = _Stream(packed, out, file)
    data = stream.more()
    while data.startswith(_MAGIC):
        rest = _inflate_member(stream, data)
        if rest is None:
            break
        data = (rest or stream.more()).lstrip(b"\0")
        if len(data) < len(_MAGIC):
            data += stream.more()
    else:
        _note_rubbish(stream, data)
    if not stream.end.size and stream.end.is_cut:
        raise EvidenceError(
            "the compressed data is damaged or cut before any content", file=file, hint="fetch the file again"
        )
    return stream.end


def _inflate_member(stream: _Stream, data: bytes) -> bytes | None:
    """Decompress one member; return what follows it, or None when its own end was not reached."""
    decoder = zlib.decompressobj(_GZIP)
    while data:
        before = decoder.copy()
        try:
            stream.write(decoder.decompress(data, MIB))
        except zlib.error as error:
            _save_what_decodes(stream, before, data)
            stream.end.is_cut = True
            stream.end.remark = f"the compressed data is damaged here: {error}"
            return None
        if decoder.eof:
            return decoder.unused_data
        data = decoder.unconsumed_tail or stream.more()
    stream.write(decoder.flush())
    stream.end.is_cut = True
    return None


def _save_what_decodes(stream: _Stream, decoder: zlib._Decompress, data: bytes) -> None:
    """Feed byte by byte: a failing call gives nothing back, not even what it had decoded before the damage."""
    for index in range(len(data)):
        try:
            stream.write(decoder.decompress(data[index : index + 1]))
        except zlib.error:
            return


def _note_rubbish(stream: _Stream, data: bytes) -> None:
    data = data.lstrip(b"\0")
    while not data:
        block = stream.more()
        if not block:
            return
        data = block.lstrip(b"\0")
    rest = data[:EXCERPT_BYTES]
    size = len(data)
    while block := stream.more():
        size += len(block)
    stream.end.rest = rest
    stream.end.remark = f"{size:,} bytes behind the end of the compressed data are not part of it"

"""Decompresses gzip and Zstandard data of unknown honesty: members, checksums, cut ends, rubbish behind, bombs.

Must never keep more than a block in memory, and must never write more than the caps allow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.codecs import DAMAGED, GzipMember, Member, ZstdFrame, member_type
from m365audit.exports.limits import EXCERPT_BYTES, MIB

_IN_BYTES = 64 * 1024
_LONGEST_MAGIC = 4


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
class Sink:
    """Where decompressed bytes go, as long as they stay within bounds.

    Attributes:
        out: the file.
        file: the compressed file's name, for messages.
        read: compressed bytes read so far.
        size: bytes written so far.
    """

    out: IO[bytes]
    file: str
    read: int = 0
    size: int = 0

    def write(self, block: bytes) -> None:
        """Write on.

        Raises:
            EvidenceError: it grows beyond what a log does.
        """
        self.size += len(block)
        too_large = self.size > limits.MAX_INFLATED_BYTES
        is_free = self.size <= limits.INFLATE_RATIO_FREE_BYTES
        if too_large or (not is_free and self.size > self.read * limits.MAX_INFLATE_RATIO):
            raise EvidenceError(
                f"decompressing it gives more than {self.size // MIB:,} MiB: this looks like a decompression bomb",
                file=self.file,
                hint="if it is genuine, decompress it yourself and import the result",
            )
        self.out.write(block)


@dataclass(slots=True)
class _Stream:
    """One compressed file being decompressed."""

    packed: IO[bytes]
    sink: Sink
    tell: Callable[[int], None] | None = None
    end: InflateEnd = field(default_factory=InflateEnd)

    def more(self) -> bytes:
        block = self.packed.read(_IN_BYTES)
        self.sink.read += len(block)
        if self.tell:
            self.tell(self.sink.read)
        return block


def inflate(packed: IO[bytes], out: IO[bytes], *, file: str, tell: Callable[[int], None] | None = None) -> InflateEnd:
    """Decompress all members of ``packed``, which is at its beginning, into ``out`` and say how it ended.

    Args:
        packed: the compressed file.
        out: where its content goes.
        file: its name, for messages.
        tell: told now and then how many compressed bytes are done.

    Raises:
        EvidenceError: a decompression bomb, or damaged before the first byte of content.
    """
    stream = _Stream(packed, Sink(out, file), tell)
    data, members = stream.more(), 0
    kind = member_type(data)
    while kind and member_type(data) is kind:
        members += 1
        rest = _inflate_member(stream, kind, data)
        if rest is None:
            break
        if members > limits.MAX_MEMBERS:
            raise EvidenceError(
                f"compressed in more than {limits.MAX_MEMBERS:,} pieces", file=file, hint="decompress it yourself"
            )
        data = (rest or stream.more()).lstrip(b"\0")
        if len(data) < _LONGEST_MAGIC:
            data += stream.more()
    else:
        _note_rubbish(stream, data)
    stream.end.size = stream.sink.size
    if not stream.end.size and stream.end.is_cut:
        raise EvidenceError(
            "the compressed data is damaged or cut before any content", file=file, hint="fetch the file again"
        )
    return stream.end


def _inflate_member(stream: _Stream, kind: type[GzipMember | ZstdFrame], first: bytes) -> bytes | None:
    """Decompress one member; return what follows it, or None when its own end was not reached."""
    member = kind()
    begin, data, steps = stream.sink.read, first, 0
    while True:
        try:
            block = member.step(data)
        except DAMAGED as error:
            stream.packed.seek(begin)
            _save_what_decodes(stream, kind(), first, steps)
            stream.end.is_cut = True
            stream.end.remark = f"the compressed data is damaged here: {error}"
            return None
        stream.sink.write(block)
        steps += 1
        if member.is_done:
            return member.rest
        data = stream.more() if member.needs_input else b""
        if not data and member.needs_input:
            stream.end.is_cut = True
            return None


def _save_what_decodes(stream: _Stream, member: Member, data: bytes, steps: int) -> None:
    """Go the same steps again up to the one that failed, and that one byte by byte.

    A failing step gives nothing back, not even what it had decoded before the damage.
    """
    for _ in range(steps):
        member.step(data)
        data = stream.packed.read(_IN_BYTES) if member.needs_input else b""
    data = member.take_back() + data
    for index in range(max(1, len(data))):
        try:
            stream.sink.write(member.step(data[index : index + 1]))
        except DAMAGED:
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

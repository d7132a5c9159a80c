"""Turns the file as it lies on disk into plain UTF-8 bytes: decompressed, decoded, nothing else changed.

Must never look at what the bytes say.
"""

from __future__ import annotations

import codecs
import re
import stat
from dataclasses import dataclass, replace
from pathlib import Path

from m365audit.errors import EvidenceError
from m365audit.exports.codecs import member_type
from m365audit.exports.inflate import inflate
from m365audit.exports.limits import HEAD_BYTES, MIB
from m365audit.exports.pieces import Place, set_aside
from m365audit.exports.workspace import Workspace
from m365audit.model import Quarantined

_UTF8_BOM = codecs.BOM_UTF8
_TYPED = rb"[\t\r\n -~]"
_UTF16_WITHOUT_BOM = {
    "utf-16-le": re.compile(_TYPED + rb"\x00" + _TYPED + rb"\x00"),
    "utf-16-be": re.compile(rb"\x00" + _TYPED + rb"\x00" + _TYPED),
}


@dataclass(frozen=True, slots=True)
class PlainText:
    """A file of UTF-8 bytes.

    Attributes:
        source: the file as the user named it.
        path: where the bytes are; ``source`` itself when it is plain already.
        is_temporary: ``path`` was written for this import.
        start: offset of the first byte after a byte order mark.
        is_cut: the file ended early.
        remarks: parts of the file that are no text at all (behind the end of compressed data).
        head: the first bytes that hold something, from ``start`` on.
    """

    source: Path
    path: Path
    is_temporary: bool
    start: int
    is_cut: bool
    remarks: tuple[Quarantined, ...]
    head: bytes


def open_plain(source: Path, work: Workspace) -> PlainText:
    """Return ``source`` as plain text, written to a temporary file where it is compressed or UTF-16.

    Raises:
        EvidenceError: not a regular file, empty, or compressed data that cannot be trusted.
    """
    _refuse_irregular(source)
    text = _look_at(PlainText(source, source, is_temporary=False, start=0, is_cut=False, remarks=(), head=b""))
    if member_type(text.head):
        text = _decompressed(text, work)
    encoding = _utf16_encoding(text.head)
    if encoding:
        text = _decoded(text, encoding, work)
    if not text.head.strip(b" \t\r\n\x00"):
        raise EvidenceError(
            "the file is empty", file=str(source), hint="export it again, or leave it out: it proves nothing"
        )
    return text


def _refuse_irregular(source: Path) -> None:
    if not stat.S_ISREG(source.stat().st_mode):
        raise EvidenceError("not a regular file", file=str(source), hint="name a file or a folder of files")


def _look_at(text: PlainText) -> PlainText:
    with text.path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        start = len(_UTF8_BOM) if head.startswith(_UTF8_BOM) else 0
        head = head[start:]
        while head and not head.strip(b" \t\r\n"):
            head = file.read(HEAD_BYTES)
    return replace(text, head=head, start=start)


def _decompressed(text: PlainText, work: Workspace) -> PlainText:
    path, out = work.create()
    with text.path.open("rb") as packed, out:
        total = text.path.stat().st_size
        end = inflate(packed, out, file=str(text.source), tell=lambda done: work.tell("decompressing", done, total))
    result = _look_at(replace(text, path=path, is_temporary=True, is_cut=end.is_cut))
    if member_type(result.head):
        raise EvidenceError("compressed twice", file=str(text.source), hint="decompress it once and import the result")
    if not end.remark:
        return result
    # The ordinal is set when the records before it have been counted.
    note = set_aside(end.rest, Place(record=0, line=None, offset=end.size), end.remark)
    return replace(result, remarks=(note,))


def _utf16_encoding(head: bytes) -> str | None:
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    return next((name for name, pattern in _UTF16_WITHOUT_BOM.items() if pattern.match(head)), None)


def _decoded(text: PlainText, encoding: str, work: Workspace) -> PlainText:
    """Write the UTF-16 text as UTF-8; half characters become bytes that only their own record is blamed for."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    is_cut = text.is_cut
    path, out = work.create()
    with text.path.open("rb") as file, out:
        while block := file.read(MIB):
            out.write(decoder.decode(block).encode("utf-8", "surrogatepass"))
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            is_cut = True
    return _look_at(replace(text, path=path, is_temporary=True, is_cut=is_cut))

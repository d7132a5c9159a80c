"""Files with a person in them → the same files without: text, JSON, tables, compressed or in a ZIP, UTF-8 or UTF-16.

Everything is streamed line by line, save a JSON document that is one line or one piece. Never changes the original.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, Protocol, cast

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_HEAD: Final = 4096
_BLOCK: Final = 4 << 20
_DOCUMENT: Final = 256 << 20
"""The largest JSON document that is read whole."""
_AROUND: Final = 64
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK\x03\x04"
_TYPED: Final = rb"[\t\r\n -~]"
_UTF16: Final = {
    "utf-16-le": re.compile(rb"(?:\xff\xfe|" + _TYPED + rb"\x00" + _TYPED + rb"\x00)"),
    "utf-16-be": re.compile(rb"(?:\xfe\xff|\x00" + _TYPED + rb"\x00" + _TYPED + rb")"),
}
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, zstd.ZstdError, EOFError, gzip.BadGzipFile, RuntimeError)


class Masking(Protocol):
    """What finds persons in texts: the masks of one, or the list of all who were erased."""

    @property
    def needles(self) -> tuple[str, ...]:
        """Spellings in small letters; bytes that are no text are searched for them."""

    def has(self, text: str) -> bool:
        """Say whether a text holds a person."""

    def text(self, text: str) -> str:
        """Return a text without."""

    def document(self, text: str) -> str:
        """Return a JSON document, or a line, without."""


class OpaqueFileError(Exception):
    """A file that holds a person, or may, and that cannot be written without them."""


def mask_file(source: Path, target: Path, masks: Masking) -> bool:
    """Write a file without the person; return whether anything of them was in it. Else there is no target.

    Raises:
        OpaqueFileError: it cannot be looked into.
        OSError: it cannot be read or written.
    """
    with source.open("rb") as reader, target.open("wb") as writer:
        try:
            is_changed = _mask(reader, writer, masks)
        except _DAMAGED as error:
            if _holds(source.read_bytes(), masks):
                raise OpaqueFileError(f"{type(error).__name__}: {error}") from error
            is_changed = False
    if not is_changed:
        target.unlink()
    return is_changed


def holds_raw(path: Path, masks: Masking) -> bool:
    """Say whether a file's bytes, as they lie there, hold one of the spellings in UTF-8 or UTF-16."""
    overlap = 4 * max(map(len, masks.needles), default=1)
    with path.open("rb") as file:
        before = b""
        while block := file.read(_BLOCK):
            if _holds(before + block, masks):
                return True
            before = block[-overlap:]
    return False


def _holds(data: bytes, masks: Masking) -> bool:
    """Say so of bytes; letters are compared without case where they are ASCII."""
    folded = data.lower()
    absent: list[bytes] = []  # what contains something that stands nowhere stands nowhere either: it is not looked for
    for encoding in ("utf-8", *_UTF16):
        for needle in sorted(masks.needles, key=len):
            raw = needle.encode(encoding, "surrogatepass").lower()
            if any(shorter in raw for shorter in absent):
                continue
            heart = raw.strip(b"\0")  # the same in both orders of bytes
            if heart not in folded:
                absent.append(heart)
            elif _stands(raw, folded, encoding, masks):
                return True
    return False


def _stands(needle: bytes, data: bytes, encoding: str, masks: Masking) -> bool:
    """Say whether a spelling stands somewhere by itself, and not in a longer word that is somebody else's."""
    at = data.find(needle)
    while at >= 0:
        around = data[max(0, at - _AROUND) : at + len(needle) + _AROUND]
        if any(masks.has(around[shift:].decode(encoding, "replace")) for shift in range(4)):
            return True
        at = data.find(needle, at + 1)
    return False


def _mask(reader: IO[bytes], writer: IO[bytes], masks: Masking) -> bool:
    head = reader.read(_HEAD)
    reader.seek(0)
    if head.startswith(_ZIP):
        return _mask_zip(reader, writer, masks)
    if head.startswith(_GZIP):
        with gzip.open(reader) as packed, gzip.GzipFile(fileobj=writer, mode="wb", mtime=0, filename="") as out:
            return _mask_text(cast("IO[bytes]", packed), cast("IO[bytes]", out), masks)
    if head.startswith(_ZSTD):
        with zstd.open(reader) as packed, zstd.open(writer, "wb") as out:
            return _mask_text(cast("IO[bytes]", packed), cast("IO[bytes]", out), masks)
    return _mask_text(reader, writer, masks)


def _mask_zip(reader: IO[bytes], writer: IO[bytes], masks: Masking) -> bool:
    is_changed = False
    with zipfile.ZipFile(reader) as packed, zipfile.ZipFile(writer, "w", zipfile.ZIP_DEFLATED) as out:
        for info in packed.infolist():
            name = masks.text(info.filename)
            is_changed |= name != info.filename
            fresh = zipfile.ZipInfo(name, info.date_time)
            fresh.compress_type, fresh.external_attr = zipfile.ZIP_DEFLATED, info.external_attr
            if info.is_dir():
                out.writestr(fresh, b"")
                continue
            with packed.open(info) as member, out.open(fresh, "w", force_zip64=True) as place:
                inner = io.BytesIO(member.read()) if info.file_size <= _DOCUMENT else None
                is_changed |= _mask(inner, place, masks) if inner else _mask_text(member, place, masks)
    return is_changed


def _mask_text(reader: IO[bytes], writer: IO[bytes], masks: Masking) -> bool:
    """Mask what is text; bytes that are none are searched and passed on.

    Raises:
        OpaqueFileError: they hold the person.
    """
    buffered = io.BufferedReader(cast("io.RawIOBase", reader), _BLOCK)
    try:
        return _mask_buffered(buffered, writer, masks)
    finally:
        buffered.detach()


def _mask_buffered(buffered: Any, writer: IO[bytes], masks: Masking) -> bool:
    head = buffered.peek(_HEAD)[:_HEAD]
    encoding = next((name for name, pattern in _UTF16.items() if pattern.match(head)), "utf-8")
    if encoding == "utf-8" and b"\x00" in head:
        data = buffered.read()
        if _holds(data, masks):
            raise OpaqueFileError("it is no text")
        writer.write(data)
        return False
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    is_changed = False
    for text in _pieces(buffered, encoding, errors):
        masked = _masked_piece(text, masks)
        is_changed |= masked is not text
        writer.write(masked.encode(encoding, errors))
    return is_changed


def _pieces(reader: IO[bytes], encoding: str, errors: str) -> Iterator[str]:
    """Yield whole lines by the megabyte; a document that spans lines whole, when it is not too large."""
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    rest, is_first, whole = "", True, False
    while True:
        data = reader.read(_BLOCK)
        try:
            text = rest + decoder.decode(data, final=not data)
        except UnicodeDecodeError:  # half a character at the end, which says nothing
            text = rest
        if is_first:
            whole, is_first = _spans_lines(text), False
        end = len(text) if not data else 0 if whole and len(text) < _DOCUMENT else text.rfind("\n") + 1
        if end:
            yield text[:end]
        rest = text[end:]
        if not data:
            return


def _spans_lines(text: str) -> bool:
    """Say whether a text begins like a JSON document that is not over at the end of its first line."""
    begin = text.lstrip("\ufeff \t\r\n")
    line = begin.split("\n", 1)[0].rstrip()
    return begin[:1] in ("{", "[") and not line.endswith(("}", "]"))


def _masked_piece(text: str, masks: Masking) -> str:
    if not masks.has(text) and "\\u" not in text:
        return text
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    whole = text[len(mark) :]
    if _spans_lines(whole):
        masked = masks.document(whole)
        return text if masked == whole else mark + masked
    lines = whole.splitlines(keepends=True) if "\n" in whole else [whole]
    parts = [_masked_line(line, masks) for line in lines]
    return text if parts == lines else mark + "".join(parts)


def _masked_line(line: str, masks: Masking) -> str:
    body = line.rstrip("\r\n")
    return masks.document(body) + line[len(body) :]

"""Opens ZIP archives of unknown honesty: which files they hold, which of those may be read, and each file's bytes.

Must never write under a name that an archive says, read a member into memory, or open an archive inside another.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Final, Self

from m365audit.errors import EvidenceError
from m365audit.exports import limits
from m365audit.exports.limits import MIB

_MAGIC: Final = (b"PK\x03\x04", b"PK\x05\x06")
_DAMAGED: Final = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error,
    OverflowError, IndexError, OSError,
)  # fmt: skip
_ENCRYPTED: Final = 0x1 | 0x40
_LOCAL_HEADER_BYTES: Final = 30
_METHODS: Final = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz", 98: "PPMd", 99: "AES"}
_UNFINISHED: Final = (".tmp", ".part")
_SAFE: Final = re.compile(r"[^A-Za-z0-9._=-]")
_OFFICE: Final = "[Content_Types].xml"
_LINK: Final = 0o120000
_TYPE_BITS: Final = 0o170000


@dataclass(frozen=True, slots=True)
class Member:
    """One file in an archive.

    Attributes:
        name: as the archive says it, with ``/`` between folders; control characters escaped.
        size: its unpacked size in bytes, as the archive says it.
        refusal: why it is not read, with the next step; empty when it is.
        skipped: why it is passed over like its equal in a folder would be; empty when it is not.
        info: where it is in the archive.
    """

    name: str
    size: int
    refusal: str
    skipped: str
    info: zipfile.ZipInfo


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The bytes of a member: where they are now, their SHA-256, their number."""

    path: Path
    sha256: str
    size: int


class _Bounded:
    """A file that gives no more at once than an archive's directory may be long: zipfile reads that in one piece."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._size = size
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self.tell() if size < 0 else size
        if wanted > limits.MAX_DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its directory is longer than {limits.MAX_DIRECTORY_BYTES // MIB} MiB")
        return self._file.read(size)

    def seekable(self) -> bool:
        return True


def is_archive(path: Path) -> bool:
    """Say whether the file begins as a ZIP archive does."""
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


class Archive:
    """An open ZIP archive; to be used in a ``with`` statement."""

    def __init__(self, path: Path) -> None:
        """Read the directory of the archive ``path``.

        Raises:
            EvidenceError: it is damaged, holds no file, too many, or is an Office document.
        """
        self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(_Bounded(self._file, path.stat().st_size))
            self.members = tuple(sorted(_members(self._zip), key=lambda member: member.name))
        except _DAMAGED as error:
            self._file.close()
            raise EvidenceError(
                f"the archive is damaged or cut: {error}", file=str(path), hint="fetch it again, or unpack it yourself"
            ) from error
        except EvidenceError:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def unpack(self, member: Member, folder: Path) -> Unpacked:
        """Write a member's bytes into ``folder`` (made, must not exist yet), under a name made safe.

        Raises:
            EvidenceError: it is not to be read, or damaged.
            OSError: it cannot be written.
        """
        if member.refusal:
            raise EvidenceError(member.refusal)
        folder.mkdir(mode=0o700)
        path = folder / (_SAFE.sub("_", PurePosixPath(member.name).name)[-120:].lstrip(".") or "member")
        digest, size = hashlib.sha256(), 0
        with path.open("xb") as out:
            for block in self._blocks(member):
                digest.update(block)
                size += out.write(block)
        if is_archive(path):
            path.unlink()
            raise EvidenceError("an archive inside an archive; unpack it and import what it holds")
        return Unpacked(path, digest.hexdigest(), size)

    def _blocks(self, member: Member) -> Iterator[bytes]:
        try:
            with self._zip.open(member.info) as packed:
                while block := packed.read(MIB):
                    yield block
        except _DAMAGED as error:
            what = "its checksum is wrong" if "CRC" in str(error) else str(error)
            raise EvidenceError(f"damaged in the archive: {what}; fetch the archive again") from error


def _members(archive: zipfile.ZipFile) -> Iterator[Member]:
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.filename == _OFFICE for info in infos):
        raise EvidenceError("this is an Office document", hint="save the table as CSV (UTF-8), or export JSON")
    if len(infos) > limits.MAX_ARCHIVE_MEMBERS:
        raise EvidenceError(
            f"the archive holds {len(infos):,} files, more than {limits.MAX_ARCHIVE_MEMBERS:,}",
            hint="unpack it and import the folder",
        )
    if not infos:
        raise EvidenceError("the archive holds no file", hint="export it again, or leave it out: it proves nothing")
    names = Counter(_slashed(info) for info in infos)
    overlapping = _overlapping(infos)
    total = 0
    for info in infos:
        total += info.file_size
        name = _slashed(info)
        refusal = (
            _wrong_name(name)
            or _unreadable(info)
            or ("another file in the archive has the same name; unpack it and see which is meant"
                if names[name] > 1 else "")
            or ("overlaps with another file in the archive: this looks like a decompression bomb; leave it out"
                if info.header_offset in overlapping else "")
            or _bomb(info, total)
        )  # fmt: skip
        yield Member(_printable(name), info.file_size, refusal, _why_skipped(info, name), info)


def _slashed(info: zipfile.ZipInfo) -> str:
    """Return the name with ``/`` between folders: some programs for Windows write backslashes."""
    return info.orig_filename.replace("\\", "/")


def _printable(name: str) -> str:
    text = name if len(name) <= limits.MAX_NAME_CHARACTERS else name[: limits.MAX_NAME_CHARACTERS] + "…"
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


def _wrong_name(name: str) -> str:
    parts = name.split("/")
    leads_out = name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", name)
    if leads_out:
        return "its name leads out of the archive; leave it out, honest programs write no such name"
    if not name.isprintable() or len(name) > limits.MAX_NAME_CHARACTERS:
        return "its name is no file name; leave it out, or unpack it and give it another"
    return ""


def _unreadable(info: zipfile.ZipInfo) -> str:
    if info.flag_bits & _ENCRYPTED:
        return "it is encrypted; unpack it with its password and import what comes out"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        name = _METHODS.get(info.compress_type, f"method {info.compress_type}")
        return f"it is compressed with {name}, which is not read; unpack it and import what comes out"
    return ""


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Return where those begin that share bytes with another: an honest archive has none."""
    found: set[int] = set()
    end, last = -1, -1
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            found |= {info.header_offset, last}
        reach = info.header_offset + _LOCAL_HEADER_BYTES + len(info.orig_filename) + info.compress_size
        if reach > end:
            end, last = reach, info.header_offset
    return found


def _bomb(info: zipfile.ZipInfo, total: int) -> str:
    is_free = info.file_size <= limits.INFLATE_RATIO_FREE_BYTES
    if not is_free and info.file_size > info.compress_size * limits.MAX_INFLATE_RATIO:
        what = f"it would give {info.file_size // MIB:,} MiB"
    elif total > limits.MAX_INFLATED_BYTES:
        what = f"with it the archive would give {total // MIB:,} MiB"
    else:
        return ""
    return f"{what}: this looks like a decompression bomb; if it is genuine, unpack it yourself"


def _why_skipped(info: zipfile.ZipInfo, name: str) -> str:
    parts = name.split("/")
    if any(part.startswith(".") and part != ".." for part in parts) or parts[0] == "__MACOSX":
        return "hidden"
    if name.lower().endswith(_UNFINISHED):
        return "not finished by whoever writes it"
    return "a link" if (info.external_attr >> 16) & _TYPE_BITS == _LINK else ""

"""The spool: the bytes of every file of evidence as they came, durable before anything is parsed."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from tempfile import mkstemp
from typing import Final, Self

from m365audit.errors import EvidenceError
from m365audit.store import screening, suppression
from m365audit.store.database import make_private
from m365audit.store.durable import sync_file, sync_folder

Tell = Callable[[str, int, int], None]
"""Told what is being done, how many bytes are done, and how many there are."""

_CHUNK: Final = 1 << 20
_LARGE: Final = 16 << 20
_BLOCK: Final = 4096
"""What direct writes come in."""
_ARRIVING: Final = "arriving-"
_SAFE_NAME: Final = re.compile(r"[^A-Za-z0-9._=-]")
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9._=/-]+")


@dataclass(frozen=True, slots=True)
class Origin:
    """The file that a large one in the spool was copied from; its bytes lie in the page cache, the copy's do not."""

    path: Path
    stamp: tuple[int, int, int]

    def is_unchanged(self) -> bool:
        """Say whether it is still what was copied, as far as the file system can tell."""
        return _stamp(self.path) == self.stamp


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file's bytes in the spool.

    Attributes:
        path: where they are now.
        sha256: of the bytes as stored, hexadecimal.
        size: bytes.
        modified_at: the file's own time when reading began, so that what it grew by later is not vouched for.
        origin: where a large file may be read quicker than here, for as long as it is unchanged.
    """

    path: Path
    sha256: str
    size: int
    modified_at: datetime
    origin: Origin | None = None


def _chunks(source: Path) -> Iterator[bytes]:
    """Yield the bytes of a file.

    Raises:
        EvidenceError: it cannot be read. An error of writing is none of the file's, and passes as it is.
    """
    try:
        with source.open("rb") as reader:
            while chunk := reader.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise EvidenceError(
            f"cannot be read: {error.strerror or error}",
            file=str(source),
            hint="check that the file is there and that this user may read it",
        ) from error


def _copy(source: Path, target: Path, tell: Tell) -> tuple[str, int]:
    """Copy and hash; return hash and size of what was written.

    A large one is copied past the page cache.
    """
    total = source.stat().st_size if source.is_file() else 0
    if total >= _LARGE and hasattr(os, "O_DIRECT"):
        with suppress(OSError):  # the plain way works between any two files, or says what is wrong
            return _copy_large(source, target, total, tell)
    with target.open("wb") as writer:
        return _hash(source, total, tell, writer.write)


def _hash(source: Path, total: int, tell: Tell, keep: Callable[[bytes], object] = len) -> tuple[str, int]:
    """Return hash and size of a file, each chunk of which is given to ``keep``."""
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(source):
        digest.update(chunk)
        keep(chunk)
        size += len(chunk)
        tell("keeping", size, total)
    return digest.hexdigest(), size


def _copy_large(source: Path, target: Path, total: int, tell: Tell) -> tuple[str, int]:
    """Copy past the page cache, which gigabytes would push other files out of; reading, hashing and writing overlap.

    Raises:
        OSError: this file system does not work so, or a file changed its size meanwhile.
    """
    digest, size = hashlib.sha256(), 0
    buffers = [mmap.mmap(-1, _LARGE) for _ in range(4)]
    writing: deque[Future[None]] = deque()
    out = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT, 0o600)
    try:
        with source.open("rb", buffering=0) as file, ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
            reading = reader.submit(file.readinto, buffers[-1])
            for previous, buffer in zip(cycle([buffers[-1], *buffers[:-1]]), cycle(buffers), strict=False):
                if not (length := reading.result()):
                    break
                if len(writing) == len(buffers) - 1:
                    writing.popleft().result()  # the one that was written from what is read into next
                reading = reader.submit(file.readinto, buffer)
                digest.update(memoryview(previous)[:length])
                writing.append(writer.submit(_write_blocks, out, previous, length))
                size += length
                tell("keeping", size, total)
            for written in writing:
                written.result()
        os.ftruncate(out, size)
    finally:
        os.close(out)
    return digest.hexdigest(), size


def _write_blocks(out: int, buffer: mmap.mmap, length: int) -> None:
    """Write whole blocks, the last one with whatever stands behind its end."""
    end = length + -length % _BLOCK
    if os.write(out, memoryview(buffer)[:end]) != end:
        raise OSError(errno.EIO, "only a part was written")


def _modified_at(source: Path) -> datetime:
    """Return the file's own time, now where it has none that a calendar knows."""
    try:
        return datetime.fromtimestamp(source.stat().st_mtime, UTC)
    except (OSError, OverflowError, ValueError):
        return datetime.now(UTC)


def _keep(arriving: Path | None, home: Path, name: str) -> Path:
    """Give what arrived its durable place; bytes that are there under another name get this name too, and no copy.

    Bytes that are there already under this name cost no write at all: a nightly run meets thousands of them.
    """
    final = home / name
    twin = next(home.iterdir(), None)
    if arriving and not twin:
        sync_file(arriving)
        arriving.replace(final)
        sync_folder(home)
        return final
    if arriving:
        arriving.unlink()
    if twin and not final.exists():
        os.link(twin, final)
        sync_folder(home)
    return final


def _tell_nobody(doing: str, done: int, total: int) -> None:
    """Keep silent."""


def spool(source: Path, tenant: str, state: Path, tell: Tell = _tell_nobody, *, is_expected: bool = False) -> Spooled:
    """Keep the bytes of ``source`` under their hash; the same bytes are kept once.

    Args:
        source: the exported file.
        tenant: tenant id, a checked GUID (it names a folder).
        state: the private state folder.
        tell: told now and then how far it is.
        is_expected: its bytes are most likely here: they are read before they are copied.

    Raises:
        EvidenceError: the file cannot be read.
        OSError: the spool cannot be written.
    """
    folder = make_private(state / "spool" / tenant)
    modified_at, stamp = _modified_at(source), _stamp(source)
    suppressed = suppression.load(state, tenant)
    name = _safe_name(source.name if suppressed is None else f"file{source.suffix}")  # a name may tell a person's
    if is_expected:
        sha256, size = _hash(source, source.stat().st_size, tell)
        home = folder / sha256[:2] / sha256
        if home.is_dir() and any(home.iterdir()):
            return Spooled(_keep(None, home, name), sha256, size, modified_at)
    arriving = folder / f"{_ARRIVING}{os.getpid()}"
    try:
        sha256, size = _copy(source, arriving, tell)
    except (EvidenceError, OSError):
        arriving.unlink(missing_ok=True)
        raise
    home = make_private(folder / sha256[:2] / sha256)
    is_as_it_came = screening.screen(arriving, home, suppressed)
    origin = _origin(source.absolute(), size, stamp) if is_as_it_came else None
    return Spooled(_keep(arriving, home, name), sha256, size, modified_at, origin)


def _origin(source: Path, size: int, stamp: tuple[int, int, int] | None) -> Origin | None:
    """Return a large file's origin, if its name means nothing but itself to a reader that knows wildcards."""
    is_large = stamp is not None and size == stamp[1] >= _LARGE
    return Origin(source, stamp) if stamp and is_large and _PLAIN_PATH.fullmatch(str(source)) else None


class Segment:
    """A file of records that is written to the spool as they come; a context manager.

    Nothing of it is durable before ``close``; leaving the context without that removes it.

    Args:
        tenant: tenant id, a checked GUID (it names a folder).
        state: the private state folder.
        name: what the file is called; what is not safe in a name is replaced.

    Attributes:
        records: how many were appended.
        size: bytes of them.
        longest: bytes of the longest.
    """

    def __init__(self, tenant: str, state: Path, name: str) -> None:
        self.records = 0
        self.size = 0
        self.longest = 0
        self._folder = make_private(state / "spool" / tenant)
        self._name = _safe_name(name)
        self._digest = hashlib.sha256()
        self._suppressed = suppression.load(state, tenant)
        descriptor, path = mkstemp(prefix=f"{_ARRIVING}{os.getpid()}-", dir=self._folder)
        self._path = Path(path)
        self._writer = os.fdopen(descriptor, "wb", buffering=0)

    def __enter__(self) -> Self:
        """Return the segment."""
        return self

    def __exit__(self, *_: object) -> None:
        """Remove what was not closed."""
        self._writer.close()
        self._path.unlink(missing_ok=True)

    def append(self, records: Sequence[bytes]) -> None:
        """Write records, each a JSON object without a raw line feed, one a line.

        Raises:
            OSError: the spool cannot be written.
        """
        if not records:
            return
        records = self._suppressed.lines(records) if self._suppressed else records
        lines = memoryview(b"\n".join([*records, b""]))
        self._digest.update(lines)
        self.size += len(lines)
        self.records += len(records)
        self.longest = max(self.longest, *map(len, records))
        while lines:
            lines = lines[self._writer.write(lines) :]

    def close(self) -> Spooled:
        """Make it durable under its hash, and return where it is.

        Raises:
            OSError: the spool cannot be written.
        """
        modified_at = _modified_at(self._path)
        self._writer.close()
        sha256 = self._digest.hexdigest()
        home = make_private(self._folder / sha256[:2] / sha256)
        return Spooled(_keep(self._path, home, self._name), sha256, self.size, modified_at)


def _safe_name(name: str) -> str:
    return _SAFE_NAME.sub("_", name)[-120:] or "file"


def clear_leftovers(state: Path) -> None:
    """Remove what a killed run left half-copied; nothing refers to it."""
    for leftover in (state / "spool").glob(f"*/{_ARRIVING}*"):
        leftover.unlink(missing_ok=True)

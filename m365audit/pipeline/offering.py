"""Files → bytes kept: what was named goes into the spool; archives are opened there, and their members offered.

An archive is kept as it came. Its members are unpacked for as long as their batch is landed, and each has its own
hash, so that the same file is known again whichever way it comes. Must never speak to the database.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from m365audit import exports
from m365audit.errors import EvidenceError
from m365audit.pipeline.values import Import, Work, now
from m365audit.store import spool
from m365audit.store.spool import Spooled

_BATCH: Final = 200
"""Files that are landed together: enough to share a transaction's cost, few enough to lose little when killed."""

_BATCH_BYTES: Final = 4 * 2**30
"""Bytes of archives' members that are unpacked at once, save when a single one is larger."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A file whose bytes were taken, or could not be.

    Attributes:
        path: as the user knows it; a member of an archive is ``archive.zip!member``.
        item: what the user said of it.
        kept: its bytes.
        archive: the archive in the spool that holds them, None for a file of its own.
        unreadable: why its bytes could not be taken, empty when they were.
    """

    path: str
    item: Import
    kept: Spooled
    archive: Path | None = None
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class _Packed:
    """A member of an open archive, not unpacked yet."""

    name: str
    item: Import
    kept: Spooled
    archive: exports.Archive
    member: exports.Member


def in_words(error: EvidenceError) -> str:
    """Return what is wrong and what to do, without the name of the file."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


def refused(path: Path, item: Import, why: str) -> Offer:
    """Return the offer of a file whose bytes could not be taken."""
    return Offer(_text(path), item, Spooled(Path(), "", 0, now()), unreadable=why)


def _text(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "backslashreplace")  # a name need not be UTF-8, a VARCHAR must


class Offers:
    """The files that the user named, one after the other, with those in archives.

    Args:
        work: the run.
        wanted: the files, and what the user said of each.
        expected: tenant, path and size of files that were taken before; their bytes are most likely kept already.

    Attributes:
        total: how many they are, as far as that is known.
    """

    def __init__(
        self, work: Work, wanted: Sequence[tuple[Path, Import]], expected: Container[tuple[str, str, int]]
    ) -> None:
        self._work = work
        self._expected = expected
        self._numbers = count(1)
        self._kept = self._keep(wanted)
        self.total = len(wanted)

    def next_batch(self, folder: Path) -> list[Offer]:
        """Return the next files, those of archives unpacked in ``folder``; none when there are no more."""
        batch: list[Offer] = []
        unpacked = 0
        for offer in self._kept:
            batch.append(self._unpack(offer, folder) if isinstance(offer, _Packed) else offer)
            unpacked += batch[-1].kept.size if batch[-1].archive else 0
            if len(batch) >= _BATCH or unpacked >= _BATCH_BYTES:
                break
        return batch

    def _keep(self, wanted: Sequence[tuple[Path, Import]]) -> Iterator[Offer | _Packed]:
        """Take the bytes of each file into the spool, and look into those that are archives."""
        for file, item in wanted:
            try:
                kept = spool.spool(
                    file,
                    item.tenant,
                    self._work.settings.state,
                    partial(self._work.reporter.working, _text(file)),
                    is_expected=file.is_file() and (item.tenant, _text(file), file.stat().st_size) in self._expected,
                )
            except EvidenceError as error:
                yield refused(file, item, in_words(error))
                continue
            if exports.is_archive(kept.path):
                yield from self._members(_text(file), item, kept)
            else:
                yield Offer(_text(file), item, kept)

    def _members(self, path: str, item: Import, kept: Spooled) -> Iterator[Offer | _Packed]:
        """Yield the files in an archive; the archive itself, with the reason, when it cannot be opened."""
        try:
            archive = exports.Archive(kept.path)
        except EvidenceError as error:
            yield Offer(path, item, kept, unreadable=in_words(error))
            return
        with archive:
            self.total += len(archive.members) - 1
            for member in archive.members:
                name = f"{path}!{member.name}"
                if member.skipped:
                    self.total -= 1
                    self._work.reporter.skipped(Path(name), member.skipped)
                else:
                    yield _Packed(name, item, kept, archive, member)

    def _unpack(self, packed: _Packed, folder: Path) -> Offer:
        try:
            unpacked = packed.archive.unpack(packed.member, folder / f"member-{next(self._numbers)}")
        except EvidenceError as error:
            nothing = Spooled(Path(), "", packed.member.size, packed.kept.modified_at)
            return Offer(packed.name, packed.item, nothing, packed.kept.path, in_words(error))
        kept = Spooled(unpacked.path, unpacked.sha256, unpacked.size, packed.kept.modified_at)
        return Offer(packed.name, packed.item, kept, packed.kept.path)

"""The spool: the bytes of every file of evidence as they came, durable before anything is parsed."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m365audit.errors import EvidenceError
from m365audit.store.database import make_private, sync_folder

_CHUNK: Final = 1 << 20
_SAFE_NAME: Final = re.compile(r"[^A-Za-z0-9._=-]")


@dataclass(frozen=True, slots=True)
class Spooled:
    """A file's bytes in the spool.

    Attributes:
        path: where they are now.
        sha256: of the bytes as stored, hexadecimal.
        size: bytes.
    """

    path: Path
    sha256: str
    size: int


def _copy(source: Path, target: Path) -> tuple[str, int]:
    """Copy and hash in one pass, and make the copy durable."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as reader, target.open("wb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            size += writer.write(chunk)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest(), size


def spool(source: Path, tenant: str, state: Path) -> Spooled:
    """Keep the bytes of ``source`` under their hash; the same bytes are kept once.

    Args:
        source: the exported file.
        tenant: tenant id, a checked GUID (it names a folder).
        state: the private state folder.

    Raises:
        EvidenceError: the file cannot be read.
    """
    folder = make_private(state / "spool" / tenant)
    arriving = folder / f"arriving-{os.getpid()}"
    try:
        sha256, size = _copy(source, arriving)
    except OSError as error:
        arriving.unlink(missing_ok=True)
        raise EvidenceError(
            f"cannot be read: {error.strerror or error}",
            file=str(source),
            hint="check that the file is there and that this user may read it",
        ) from error
    home = make_private(folder / sha256[:2] / sha256)
    final = home / (_SAFE_NAME.sub("_", source.name)[-120:] or "file")
    arriving.replace(final)
    sync_folder(home)
    return Spooled(final, sha256, size)


def clear_leftovers(state: Path) -> None:
    """Remove what a killed run left half-copied; nothing refers to it."""
    for leftover in (state / "spool").glob("*/arriving-*"):
        leftover.unlink(missing_ok=True)

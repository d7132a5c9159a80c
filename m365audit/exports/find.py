"""Finds the files under the paths that a user names: in a fixed order, never outside them.

Must never open a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import structlog

from m365audit.errors import EvidenceError

_UNFINISHED = (".tmp", ".part")


def find_files(paths: Sequence[Path], *, on_skip: Callable[[Path, str], None] | None = None) -> Iterator[Path]:
    """Yield every file that ``paths`` name, folders with all below them; sorted, each file once.

    Args:
        paths: files and folders. A file named itself is always taken; inside folders, hidden files, unfinished
            ones (``.tmp``, ``.part``), links and devices are skipped.
        on_skip: called with each skipped path and why; without it a warning is logged.

    Raises:
        EvidenceError: a path does not exist or cannot be listed.
    """
    report = on_skip or _log_skip
    seen: set[Path] = set()
    for path in paths:
        for file in _files_of(Path(path), report):
            real = file.resolve()
            if real not in seen:
                seen.add(real)
                yield file


def _files_of(path: Path, report: Callable[[Path, str], None]) -> Iterator[Path]:
    if not path.exists():
        raise EvidenceError(
            "there is no such file or folder", file=str(path), hint="check the path; relative ones start here"
        )
    if path.is_dir():
        yield from _walk(path, path.resolve(), report)
    else:
        yield path


def _walk(folder: Path, root: Path, report: Callable[[Path, str], None]) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = sorted(entry.name for entry in entries)
    except OSError as error:
        raise EvidenceError(
            f"the folder cannot be listed: {error.strerror}", file=str(folder), hint="check its permissions"
        ) from error
    for name in names:
        path = folder / name
        reason = _why_skipped(path, root)
        if reason:
            report(path, reason)
        elif path.is_dir() and os.access(path, os.R_OK | os.X_OK):
            yield from _walk(path, root, report)
        else:
            yield path  # a folder that cannot be listed too: refused by its own name, and the rest goes on


def _why_skipped(path: Path, root: Path) -> str:
    """Return why the entry of a folder is not read, empty when it is."""
    if path.name.startswith("."):
        return "hidden"
    if path.name.lower().endswith(_UNFINISHED):
        return "not finished by whoever writes it"
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return _why_link_skipped(path, root)
    return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else "neither a file nor a folder"


def _why_link_skipped(path: Path, root: Path) -> str:
    try:
        is_inside = path.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return "a link that leads nowhere"
    return "a link to what is read under its own name" if is_inside else "a link that leaves the folder"


def _log_skip(path: Path, reason: str) -> None:
    structlog.get_logger().warning("file_skipped", path=str(path), reason=reason)

"""Temporary files of one import: private, inside the given folder, and gone again unless handed on.

Must never write outside the given folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType


class Workspace:
    """Creates temporary files and removes all of them at the end, save what was handed on.

    Attributes:
        tell: to be told how far the work on the file is: what is done, bytes done, bytes in all.
    """

    def __init__(self, folder: Path, tell: Callable[[str, int, int], None] | None = None) -> None:
        self._folder = folder
        self.tell = tell or _tell_nobody
        self._files: list[Path] = []
        self._handed_on: frozenset[Path] = frozenset()

    def __enter__(self) -> Self:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            if kind is not None or file not in self._handed_on:
                file.unlink(missing_ok=True)

    def create(self) -> tuple[Path, IO[bytes]]:
        """Return a new file, readable by its owner only, open for writing."""
        handle = tempfile.NamedTemporaryFile(  # noqa: SIM115 - the caller closes it
            dir=self._folder, prefix="import-", suffix=".ndjson", delete=False
        )
        path = Path(handle.name)
        self._files.append(path)
        return path, handle

    def hand_on(self, *paths: Path) -> None:
        """Keep ``paths`` beyond the end; whoever receives them removes them."""
        self._handed_on = frozenset(paths)


def _tell_nobody(doing: str, done: int, total: int) -> None:
    """Keep silent."""

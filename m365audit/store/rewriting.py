"""Several files that change together: made beside the old ones, promised in one file, then put in their places.

Before the promise is durable nothing has happened, and what was made is thrown away. From then on whoever opens the
store first completes it, whatever was killed. Knows no meaning of any file. Imports no DuckDB.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from m365audit.store.durable import sync_file

_FOLDER: Final = "rewriting"
_PROMISE: Final = "rewriting.json"
PUBLISH_FOLDER: Final = ".rewriting"
"""Where files of the published folder wait, on its own file system."""


@dataclass(slots=True)
class Staged:
    """Files on their way to their places.

    Attributes:
        folder: where files for ``state`` are made.
        publish_folder: where files for ``publish`` are made.
        moves: finished file → its place.
        removes: files that go; before anything moves.
        note: what the journal is to say once it is done: fields of a draft.
    """

    folder: Path
    publish_folder: Path
    moves: dict[Path, Path] = field(default_factory=dict)
    removes: list[Path] = field(default_factory=list)
    note: Mapping[str, Any] | None = None

    def place(self, number: int, *, is_published: bool = False) -> Path:
        """Return a fresh path to make the file of that number at."""
        return (self.publish_folder if is_published else self.folder) / f"file-{number}"


def begin(state: Path, publish: Path) -> Staged:
    """Return an empty stage; what a killed one left that was never promised is thrown away.

    Raises:
        OSError: a folder cannot be written.
    """
    staged = Staged(state / _FOLDER, publish / PUBLISH_FOLDER)
    for folder in (staged.folder, staged.publish_folder):
        shutil.rmtree(folder, ignore_errors=True)
    staged.folder.mkdir(mode=0o700)
    if publish.is_dir():
        staged.publish_folder.mkdir(mode=0o700)
    return staged


def promise(state: Path, staged: Staged) -> None:
    """Make everything durable and promise it: from here on it will happen. ``finish`` does it.

    Raises:
        OSError: the disk refuses; nothing has happened then.
    """
    for path in staged.moves:
        sync_file(path)
    for folder in (staged.folder, staged.publish_folder):
        if folder.is_dir():
            sync_file(folder)
    content = {
        "moves": [[str(source.absolute()), str(target.absolute())] for source, target in staged.moves.items()],
        "removes": [str(path.absolute()) for path in staged.removes],
        "folders": [str(staged.folder.absolute()), str(staged.publish_folder.absolute())],
        "note": staged.note,
    }
    unfinished = state / f"{_PROMISE}.unfinished"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(state / _PROMISE)
    sync_file(state)


def finish(state: Path) -> bool:
    """Complete what was promised; return whether there was anything. To be called alone, before the store is opened.

    May be killed anywhere and called again.

    Raises:
        OSError: a file cannot be put in its place.
        StoreError: the journal cannot be written.
    """
    promised = state / _PROMISE
    if not promised.exists():
        return False
    content = json.loads(promised.read_text(encoding="utf-8"))
    for path in map(Path, content["removes"]):
        path.unlink(missing_ok=True)
    touched = {Path(path).parent for path in content["removes"]}
    for source, target in ((Path(a), Path(b)) for a, b in content["moves"]):
        if source.exists():
            if target.exists():
                source.chmod(target.stat().st_mode & 0o777)
            source.replace(target)
            touched.add(target.parent)
    _sync_all(touched)
    if content["note"]:
        _note(state, content["note"])
    for folder in content["folders"]:
        shutil.rmtree(folder, ignore_errors=True)
    promised.unlink()
    sync_file(state)
    return True


def _note(state: Path, note: Mapping[str, Any]) -> None:
    """Write what was done into the journal, once."""
    from m365audit.store.journal import Actor, Draft, open_journal  # noqa: PLC0415 - it opens through ``database``

    draft = Draft(**{**note, "actor": Actor(**{**note["actor"], "roles": tuple(note["actor"]["roles"])})})
    with open_journal(state) as journal:
        written = journal.entries(kind=draft.kind, tenant=draft.tenant, subject=draft.subject)
        if not any(entry.event == draft.event for entry in written):
            journal.append(draft, expected_version=None)


def _sync_all(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir():
            sync_file(folder)

"""What comes in is masked where it names an erased person, before anything reads it; the note beside it says so.

A kept file lies in the folder that the hash of its first bytes names. Where its bytes are others now, a note beside the
folder tells their hash and why: so a file that was rewritten is told from one that was damaged.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from m365audit.store.durable import sha256_of
from m365audit.store.masked_files import OpaqueFileError, mask_file
from m365audit.store.suppression import Suppressed

NOTE: Final = ".rewritten"
"""What the name of a note ends with."""


def note_path(home: Path) -> Path:
    """Return where the note about a kept file's folder lies."""
    return home.with_name(f"{home.name}{NOTE}")


def note_text(content: Path, why: str) -> str:
    """Return what the note about a rewritten file says."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return json.dumps({"sha256": sha256_of(content), "why": why, "at": now}) + "\n"


def read_note(home: Path) -> dict[str, str] | None:
    """Return the note about a kept file; None when its bytes are those that came."""
    try:
        noted = json.loads(note_path(home).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return noted if isinstance(noted, dict) else None


def screen(arriving: Path, home: Path, suppressed: Suppressed | None) -> bool:
    """Mask a file that has arrived, where it names somebody who was erased; return whether it is as it came.

    A file that is kept already was masked when that was due.

    Raises:
        OSError: the disk refuses.
    """
    if next(home.iterdir(), None) is not None:
        return read_note(home) is None
    if suppressed is None:
        return True
    masked = arriving.with_name(f"{arriving.name}-masked")
    try:
        if not mask_file(arriving, masked, suppressed):
            return True
    except OpaqueFileError:
        return True  # nobody can read it; the exports room refuses it with a sentence
    note = note_path(home)
    note.write_text(note_text(masked, "masked"), encoding="utf-8")
    with note.open("rb") as file:
        os.fsync(file.fileno())
    masked.replace(arriving)
    return False

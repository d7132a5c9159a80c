"""Reads back what the exports room set aside."""

from __future__ import annotations

import json
from pathlib import Path

from m365audit.model import PreparedFile, Quarantined


def notes_of(prepared: PreparedFile) -> list[Quarantined]:
    """Return the notes about records that could not be taken in; check that their count is right."""
    lines = Path(prepared.quarantine).read_bytes().splitlines() if prepared.quarantine else []
    assert len(lines) == prepared.quarantined
    return [Quarantined(**json.loads(line)) for line in lines]

"""A store of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest
from landed import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a configured, empty desk."""
    return Desk(tmp_path)

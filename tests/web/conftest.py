"""The page over the small published world."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from m365audit.config import Settings

from .serving import Served, publish, serving, settings_in


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A configuration with something published."""
    made = settings_in(tmp_path)
    publish(made)
    return made


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    """The page, served."""
    with serving(settings) as page:
        yield page

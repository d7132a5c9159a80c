"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from places import REPOSITORY

# How long one example takes says how busy the machine is; tests of speed measure what they mean.
settings.register_profile("m365audit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("m365audit")


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder of real public samples; they are not part of the project, so tests that need them skip without it."""
    folder = Path(os.environ.get("M365AUDIT_SAMPLES", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "samples").is_dir():
        pytest.skip(f"the real samples are not here ({folder}); set M365AUDIT_SAMPLES to their folder")
    return folder

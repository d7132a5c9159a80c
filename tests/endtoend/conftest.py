"""The demo's world, taken the whole way once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Outcome
from m365audit.simulator import write_world

from .audited import Audited


@pytest.fixture(scope="session")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The demo's world, audited once."""
    world = write_world(tmp_path_factory.mktemp("world"))
    settings, policy = load_settings(world.config).settings, load_policy(world.folder / "policy.yaml")
    first = Audited(world, settings, policy, Outcome((), None))
    return Audited(world, settings, policy, first.again())


@pytest.fixture
def published(audited: Audited) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published database, opened as any analyst would."""
    with duckdb.connect(str(audited.settings.publish / "m365audit.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection

"""What holds for every test that collects from a simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from never_a_write import require_no_writes, watched

from m365audit.simulator.service import RequestLog


@pytest.fixture(scope="session", autouse=True)
def simulators() -> Iterator[list[RequestLog]]:
    """The logs of all simulators so far."""
    with watched() as logs:
        yield logs


@pytest.fixture(autouse=True)
def never_a_write(simulators: list[RequestLog]) -> Iterator[None]:
    """No test ends with a tenant written to."""
    yield
    require_no_writes(simulators)

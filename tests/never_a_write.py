"""The law of collection: nothing that a simulator was asked could have changed a tenant. For every test of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from m365audit.simulator.service import RequestLog, writes


def require_no_writes(logs: list[RequestLog]) -> None:
    """Look at every request.

    Raises:
        AssertionError: one of them could have changed a tenant.
    """
    found = [str(request) for log in logs for request in writes(log)]
    assert found == [], "a tenant was written to"


@contextmanager
def watched() -> Iterator[list[RequestLog]]:
    """Give the logs of all simulators that are made within the block."""
    logs: list[RequestLog] = []
    make = RequestLog.__init__

    def made(log: RequestLog, *args: Any, **named: Any) -> None:
        make(log, *args, **named)
        logs.append(log)

    with mock.patch.object(RequestLog, "__init__", made):
        yield logs

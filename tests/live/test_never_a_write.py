"""The assertion that every test of this folder ends with can fail."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx
import pytest
from never_a_write import require_no_writes, watched

from m365audit.simulator.service import RequestLog, running
from m365audit.simulator.synthetic import synthetic_world


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1.0/users/x"),
        ("POST", "/v1.0/users"),
        ("DELETE", "/v1.0/groups/x"),
        ("PUT", "/v1.0/x"),
        ("POST", "/api/v1.0/t/activity/feed/subscriptions/stop"),
    ],
)
def test_a_write_is_noticed(method: str, path: str, tmp_path: Path, simulators: list[RequestLog]) -> None:
    before = len(simulators)
    with watched() as logs, running(synthetic_world(1, tenants=1, records=1).served, folder=tmp_path) as simulator:
        trust = ssl.create_default_context(cafile=str(simulator.ca_file))
        httpx.get(f"{simulator.origin}/v1.0/users", verify=trust)
        require_no_writes(logs)
        httpx.request(method, f"{simulator.origin}{path}", verify=trust, json={})
        with pytest.raises(AssertionError, match="a tenant was written to"):
            require_no_writes(logs)
    assert simulators[before:] == logs, "the guard of the whole folder saw it as well"
    del simulators[before:]

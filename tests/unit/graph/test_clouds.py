"""Where Microsoft's services are: each cloud's own addresses, and what does not exist there."""

from __future__ import annotations

from pathlib import Path

import pytest

from m365audit.config import CloudEndpoints
from m365audit.graph.clouds import CLOUDS, cloud_of


@pytest.mark.parametrize(
    ("name", "graph", "manage"),
    [
        ("global", "https://graph.microsoft.com", "https://manage.office.com"),
        ("gcc", "https://graph.microsoft.com", "https://manage-gcc.office.com"),
        ("usgov", "https://graph.microsoft.us", "https://manage.office365.us"),
        ("usgov-dod", "https://dod-graph.microsoft.us", "https://manage.protection.apps.mil"),
    ],
)
def test_each_cloud_asks_tokens_for_its_own_addresses(name: str, graph: str, manage: str) -> None:
    cloud = cloud_of(name)
    assert cloud.scope("graph") == f"{graph}/.default"
    assert cloud.scope("manage") == f"{manage}/.default"
    assert cloud.services == ("graph", "manage")


def test_china_has_no_management_api() -> None:
    cloud = cloud_of("china")
    assert (cloud.has_management, cloud.has_audit_queries, cloud.services) == (False, False, ("graph",))
    assert cloud.login == "https://login.chinacloudapi.cn"
    with pytest.raises(LookupError, match="no Management Activity API"):
        cloud.scope("manage")


def test_audit_queries_exist_in_the_global_cloud_only() -> None:
    assert {name for name, cloud in CLOUDS.items() if cloud.has_audit_queries} == {"global", "gcc"}


def test_a_cloud_given_by_addresses_has_everything_and_its_own_authority() -> None:
    cloud = cloud_of(
        CloudEndpoints(
            login="https://login.local:1", graph="https://graph.local:2", manage="https://manage.local:3",
            ca_file=Path("/ca.pem"),
        )
    )  # fmt: skip
    assert (cloud.name, cloud.ca_file) == ("custom", Path("/ca.pem"))
    assert cloud.has_management
    assert cloud.has_audit_queries
    assert cloud.scope("manage") == "https://manage.local:3/.default"

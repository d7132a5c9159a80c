"""Owns where Microsoft's services are in each cloud, and which of them exist there. Never connects to any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from m365audit.config import CloudEndpoints

Service = Literal["graph", "manage"]
"""Whom a token is for: Microsoft Graph, or the Office 365 Management Activity API."""

STORAGE_SCOPE: Final = "https://storage.azure.com/.default"
"""What a token for Azure Storage is asked for; the same in every cloud
(learn.microsoft.com/azure/storage/blobs/authorize-access-azure-active-directory)."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Microsoft's clouds; tokens of one are worth nothing in another.

    Attributes:
        name: as in the configuration; ``custom`` for addresses.
        login: https origin that gives tokens.
        graph: https origin of Microsoft Graph.
        manage: https origin of the Management Activity API, None where there is none.
        ca_file: certificates to trust instead of the system's.
        has_audit_queries: Graph's audit-log queries exist (published metadata: in the global cloud only).
        has_call_records: Graph's call records exist (published metadata: global and US Government).
    """

    name: str
    login: str
    graph: str
    manage: str | None
    ca_file: Path | None = None
    has_audit_queries: bool = False
    has_call_records: bool = True

    @property
    def has_management(self) -> bool:
        """Return whether there is a Management Activity API."""
        return self.manage is not None

    @property
    def services(self) -> tuple[Service, ...]:
        """Return the services that tokens can be had for."""
        return ("graph", "manage") if self.has_management else ("graph",)

    def origin(self, service: Service) -> str:
        """Return a service's https origin, without a slash at its end.

        Raises:
            LookupError: this cloud has no such service.
        """
        found = self.graph if service == "graph" else self.manage
        if found is None:
            message = f"the cloud {self.name} has no Management Activity API"
            raise LookupError(message)
        return found

    def scope(self, service: Service) -> str:
        """Return what to ask a token for.

        Raises:
            LookupError: this cloud has no such service.
        """
        return f"{self.origin(service)}/.default"


_WORLD: Final = "https://login.microsoftonline.com"
_GOVERNMENT: Final = "https://login.microsoftonline.us"

# Sources: learn.microsoft.com/graph/deployments; the Management Activity API's reference, which names none for China.
CLOUDS: Final[dict[str, Cloud]] = {
    cloud.name: cloud
    for cloud in (
        Cloud("global", _WORLD, "https://graph.microsoft.com", "https://manage.office.com", has_audit_queries=True),
        Cloud("gcc", _WORLD, "https://graph.microsoft.com", "https://manage-gcc.office.com", has_audit_queries=True),
        Cloud("usgov", _GOVERNMENT, "https://graph.microsoft.us", "https://manage.office365.us"),
        Cloud("usgov-dod", _GOVERNMENT, "https://dod-graph.microsoft.us", "https://manage.protection.apps.mil"),
        Cloud(
            "china",
            "https://login.chinacloudapi.cn",
            "https://microsoftgraph.chinacloudapi.cn",
            None,
            has_call_records=False,
        ),
    )
}


def cloud_of(setting: str | CloudEndpoints) -> Cloud:
    """Return the cloud that the configuration names, or gives the addresses of; of the latter everything may exist.

    Raises:
        KeyError: no cloud has this name; the configuration lets no such name through.
    """
    if isinstance(setting, str):
        return CLOUDS[setting]
    return Cloud(
        "custom", setting.login, setting.graph, setting.manage, ca_file=setting.ca_file, has_audit_queries=True
    )

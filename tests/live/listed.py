"""Reads one listing of a simulated tenant with the real client and credential."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from m365audit.config import CloudEndpoints, TenantSettings
from m365audit.config.credentials import SecretFileCredential
from m365audit.graph.auth import open_credential
from m365audit.graph.client import TenantClient
from m365audit.graph.clouds import Cloud, cloud_of
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.throttle import Throttle
from m365audit.graph.values import Ended, Page, Task
from m365audit.simulator.service import Simulator


@dataclass(frozen=True, slots=True)
class Read:
    """What a pull yielded."""

    pages: list[Page]
    ended: list[Ended]

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record, parsed."""
        return [json.loads(record) for page in self.pages for record in page.records]

    @property
    def detail(self) -> str:
        """What the pull said at its end."""
        return "; ".join(end.detail for end in self.ended)


def cloud(simulator: Simulator) -> Cloud:
    places = simulator.cloud()
    return cloud_of(CloudEndpoints.model_validate(places, context={"base": Path()}))


def settings(folder: Path, tenant: str, client_id: str, secret: str) -> TenantSettings:
    file = folder / f"{tenant}.txt"
    file.write_text(secret)
    file.chmod(0o600)
    credential = SecretFileCredential(kind="secret_file", client_id=client_id, file=file)
    return TenantSettings(id=tenant, credential=credential)


def read(
    simulator: Simulator, tenant: TenantSettings, collection: str, *, groups: tuple[str, ...] = (), state: Path
) -> Read:
    """Pull one listing; errors are the pull's own."""

    async def work() -> Read:
        place = cloud(simulator)
        credential = open_credential(tenant, place, state=state)
        found = Read([], [])
        async with TenantClient(tenant.id, place, credential, Throttle()) as client:
            client.wanted_groups = groups
            async for event in COLLECTIONS[collection].pull(client, Task(1, tenant.id, collection)):
                (found.ended if isinstance(event, Ended) else found.pages).append(event)  # type: ignore[arg-type]
        return found

    return asyncio.run(work())

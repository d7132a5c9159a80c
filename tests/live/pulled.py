"""Pulls windows of a log from a simulated tenant with the real client and credential, without Microsoft's waiting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from m365audit.config import TenantSettings
from m365audit.graph.auth import open_credential
from m365audit.graph.client import TenantClient
from m365audit.graph.feeds.collection import Client
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.throttle import Throttle
from m365audit.graph.values import Ended, GapReason, Page, Task, Window
from m365audit.simulator.service import Simulator

from .listed import cloud

Pull = Callable[[Client, Task], AsyncIterator[Page | Ended]]


@dataclass
class Hurry:
    """A clock that runs only while somebody sleeps."""

    at: float = 0.0
    slept: float = 0.0

    def clock(self) -> float:
        """Return the time."""
        return self.at

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.at += seconds
        self.slept += seconds
        await asyncio.sleep(0)


@dataclass
class Pulled:
    """What a pull yielded, and what it raised."""

    pages: list[Page] = field(default_factory=list)
    ends: list[Ended] = field(default_factory=list)
    requests: int = 0

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record, parsed."""
        return [json.loads(record) for page in self.pages for record in page.records]

    @property
    def raw(self) -> list[bytes]:
        """Every record as it came."""
        return [record for page in self.pages for record in page.records]

    @property
    def cursors(self) -> tuple[tuple[str, int], ...]:
        """What is to be remembered."""
        return tuple(page.next_cursor for page in self.pages if page.next_cursor)

    @property
    def parts(self) -> list[tuple[datetime, datetime, GapReason | None]]:
        """The ends that were told."""
        return [(end.window.begin, end.window.end, end.reason) for end in self.ends if end.window]


def pulled(
    simulator: Simulator,
    tenant: TenantSettings,
    collection: str,
    window: Window,
    *,
    state: Path,
    cursors: tuple[tuple[str, int], ...] = (),
    pull: Pull | None = None,
) -> Pulled:
    """Pull one window; errors are the pull's own."""

    async def work() -> Pulled:
        place, hurry, found = cloud(simulator), Hurry(), Pulled()
        credential = open_credential(tenant, place, state=state)
        throttle = Throttle(clock=hurry.clock, sleep=hurry.sleep)
        task = Task(1, tenant.id, collection, window, cursors)
        async with TenantClient(tenant.id, place, credential, throttle, sleep=hurry.sleep) as client:
            await client.sign_in()
            async for event in (pull or COLLECTIONS[collection].pull)(client, task):
                if isinstance(event, Page):
                    found.pages.append(event)
                else:
                    found.ends.append(event)
            found.requests = client.requests
        return found

    return asyncio.run(work())


def days(count: float) -> timedelta:
    """Return a time of so many days."""
    return timedelta(days=count)

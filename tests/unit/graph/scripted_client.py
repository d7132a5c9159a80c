"""A client that answers from a script: what a listing meets on its way, without a network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from m365audit.config import StorageSettings
from m365audit.graph.answers import Answer
from m365audit.graph.clouds import CLOUDS, Cloud
from m365audit.graph.failures import StaleLinkError
from m365audit.graph.paging import Listing
from m365audit.graph.values import Ended, Page, Task, Window

NOW = datetime(2026, 9, 14, 10, 30, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
Script = Callable[[str], bytes]


@dataclass
class ScriptedClient:
    """Answers ``get`` from a function; what it raises is raised."""

    script: Script
    tenant: str = TENANT
    cloud: Cloud = CLOUDS["global"]
    requests: int = 0
    wanted_groups: Sequence[str] = ()
    at: datetime = NOW
    asked: list[str] = field(default_factory=list)
    storage: StorageSettings | None = None

    async def storage_token(self) -> str:
        """Not here."""
        raise NotImplementedError

    @property
    def sdk(self) -> GraphServiceClient:
        """Not here."""
        raise NotImplementedError

    def now(self) -> datetime:
        """Return the script's time."""
        return self.at

    async def get(
        self,
        url: str,
        *,
        limits: Sequence[str],
        cost: float = 1,
        headers: Mapping[str, str] | None = None,
        what: str = "next_link",
    ) -> Answer:
        """Answer as the script does."""
        del limits, cost, headers, what
        self.asked.append(url)
        self.at += timedelta(seconds=1)
        return Answer(200, {}, self.script(url), self.at)

    async def send(self, info: RequestInformation, **_: Any) -> Answer:
        """Not here."""
        raise NotImplementedError

    async def post(
        self, url_or_info: str | RequestInformation, *, look_first: Callable[[], Awaitable[Answer | None]], **_: Any
    ) -> Answer:
        """Not here."""
        raise NotImplementedError

    def note_users(self, at_least: int) -> None:
        """There are no limits here."""

    async def pause(self, seconds: float) -> None:
        """Nothing takes time here."""

    def slot(self, limit: str) -> AbstractAsyncContextManager[None]:
        """Give a place at once."""
        del limit
        return nullcontext()


def body(records: Sequence[Any], link: str | None = None) -> bytes:
    return json.dumps({"value": list(records)} | ({"@odata.nextLink": link} if link else {})).encode()


async def ask(client: Any, window: Window | None, size: int) -> Answer:
    """Ask for the first page; the address says of what."""
    span = f"{window.begin.timestamp():.0f}-{window.end.timestamp():.0f}" if window else ""
    answer: Answer = await client.get(f"first {span} {size}", limits=())
    return answer


LISTING = Listing("GET /things", ask, ("reports",))
DAY = Window(datetime(2026, 9, 13, 16, tzinfo=UTC), datetime(2026, 9, 14, tzinfo=UTC))
TASK = Task(1, TENANT, "things", DAY)


async def taken(events: AsyncIterator[Page | Ended]) -> tuple[list[bytes], list[Ended]]:
    """Take everything that comes: records, and ends."""
    records: list[bytes] = []
    ends: list[Ended] = []
    async for event in events:
        if isinstance(event, Page):
            records += event.records
        else:
            ends.append(event)
    return records, ends


@dataclass
class DyingLinks:
    """A log with an event each minute, ten on a page, whose links die where an event of ``bad`` is on the page."""

    bad: frozenset[int] = frozenset()
    deaths: int = 1_000_000

    def __call__(self, url: str) -> bytes:
        """Answer one address."""
        kind, span, place = url.split(" ")
        begin, end = (int(moment) for moment in span.split("-"))
        offset = 0 if kind == "first" else int(place)
        minutes = range(-(-begin // 60), -(-end // 60))
        page = minutes[offset : offset + 10]
        if kind == "next" and self.deaths and not self.bad.isdisjoint(page):
            self.deaths -= 1
            raise StaleLinkError("error", "a link to the next page is no longer valid")
        more = offset + 10 < len(minutes)
        return body([{"id": str(minute)} for minute in page], f"next {span} {offset + 10}" if more else None)

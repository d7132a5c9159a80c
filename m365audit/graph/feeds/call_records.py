"""Calls and online meetings: ``GET /communications/callRecords`` by ``startDateTime``, and two functions beside it.

``getPstnCalls`` has the calls over the telephone network, ``getDirectRoutingCalls`` those over direct routing.
Permission CallRecords.Read.All, which opens all three. No licence. Sessions are not read: who called whom, when and for
how long stands in the list. Kept 30 days. The two functions take both ends of their window, so that a call may come
twice; their address is written here because the SDK's own leaves out the comma between the two times.
A part that is refused leaves a gap that names it; what the other parts hold is passed on.
Source: learn.microsoft.com/graph/api/callrecords-cloudcommunications-list-callrecords, -callrecord-getpstncalls,
-callrecord-getdirectroutingcalls, /graph/throttling-limits.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.communications.call_records.call_records_request_builder import CallRecordsRequestBuilder

from m365audit.graph.failures import CollectionError, LinkRefusedError, SignInError, StaleLinkError
from m365audit.graph.feeds.collection import Answer, Client, Collection, Permission
from m365audit.graph.moments import literal
from m365audit.graph.paging import Listing, Progress, follow
from m365audit.graph.splitting import read_window
from m365audit.graph.values import Ended, Page, Task, Window

PERMISSION: Final = Permission("graph", "CallRecords.Read.All", "45bbb07e-7321-4fd7-a8f6-3ff27e6a81c8")
LIMITS: Final = ("call_records",)

_PAGE: Final = (60,)
"""What Microsoft puts on a page; it cannot be asked for."""

_Query = CallRecordsRequestBuilder.CallRecordsRequestBuilderGetQueryParameters


def _needed(window: Window | None) -> Window:
    if window is None:
        raise ValueError("call records are read in windows")
    return window


async def _ask_list(client: Client, window: Window | None, _size: int) -> Answer:
    begin, end = literal(_needed(window).begin), literal(_needed(window).end)
    configuration = RequestConfiguration(
        query_parameters=_Query(filter=f"startDateTime ge {begin} and startDateTime lt {end}")
    )
    info = client.sdk.communications.call_records.to_get_request_information(configuration)
    return await client.send(info, limits=LIMITS)


def _function(name: str) -> Listing:
    async def ask(client: Client, window: Window | None, _size: int) -> Answer:
        begin, end = literal(_needed(window).begin), literal(_needed(window).end)
        times = f"fromDateTime={begin},toDateTime={end}"
        url = f"{client.cloud.graph}/v1.0/communications/callRecords/microsoft.graph.callRecords.{name}({times})"
        return await client.get(url, limits=LIMITS)

    return Listing(f"GET /communications/callRecords/{name}", ask, LIMITS, sizes=_PAGE)


_PARTS: Final = {
    "the list of calls": Listing("GET /communications/callRecords", _ask_list, LIMITS, sizes=_PAGE),
    "calls over the telephone network": _function("getPstnCalls"),
    "calls over direct routing": _function("getDirectRoutingCalls"),
}


@dataclass(slots=True)
class _Reader:
    """Reads the parts one after the other and keeps what was refused."""

    refused: list[tuple[str, CollectionError]] = field(default_factory=list)

    async def read(self, client: Client, task: Task, window: Window, progress: Progress) -> AsyncIterator[Page]:
        """Read every part of a window that is not refused."""
        self.refused = []
        for name, listing in _PARTS.items():
            try:
                async for page in follow(client, task, listing, window, progress):
                    yield page
            except (StaleLinkError, LinkRefusedError, SignInError):
                raise
            except CollectionError as error:
                self.refused.append((name, error))
        if len(self.refused) == len(_PARTS):
            raise self.refused[0][1]

    def told(self, ended: Ended) -> Ended:
        """Say in the end of a window which part of it is missing."""
        if ended.reason is not None or not self.refused:
            return ended
        detail = "; ".join(f"{name}: {error.message}" for name, error in self.refused)
        return replace(ended, reason=self.refused[0][1].reason, detail=detail)


async def _pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    if not client.cloud.has_call_records:
        raise CollectionError("disabled", "this cloud has no call records")
    reader = _Reader()
    async for event in read_window(client, task, reader.read):
        yield event if isinstance(event, Page) else reader.told(event)


COLLECTION: Final = Collection(
    name="call_records",
    feeds=("call_records",),
    kind="call_records",
    permissions=(PERMISSION,),
    licence=(),
    window=timedelta(days=1),
    reach=timedelta(days=30),
    key="id",
    limits=(
        "10,000 requests in 20 s per tenant, 1,500 per app and tenant, 60 records a page "
        "(learn.microsoft.com/graph/throttling-limits)"
    ),
    unassessable="who called or met whom in Teams, and which calls went over the telephone network",
    pull=_pull,
)

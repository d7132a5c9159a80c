"""The unified audit log as the Management Activity API hands it out: lists of content by arrival, then the content.

``GET /api/v1.0/{tenant}/activity/feed/subscriptions/content``, and each ``contentUri``. Permission ActivityFeed.Read of
the Management API. Windows here are windows of events; what is listed is what *arrived* from the window's beginning on
until a day after its end, because content comes in no order and holds older events too. Whatever it holds is passed on.

Quirks: at most 24 hours a list and 7 days back; the next page stands in the header ``NextPageUri``; the same event may
come twice by design; ``CreationTime`` has no zone and is UTC; nothing comes before a subscription was started; the
limit arrives as 403 AF429. Source: the API's reference and troubleshooting page.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final
from urllib.parse import urlencode

import msgspec

from m365audit.graph.documents import array_of
from m365audit.graph.failures import CollectionError, NotFoundError, SignInError
from m365audit.graph.feeds.collection import Client, Collection, Permission, Pull
from m365audit.graph.feeds.subscriptions import LIMITS, Subscription, address, memory, next_second, subscription
from m365audit.graph.moments import literal
from m365audit.graph.paging import KNOWN_IN_A_ROW, Progress
from m365audit.graph.splitting import read_window, whole_window
from m365audit.graph.values import Ended, GapReason, Page, Task, Window

ACTIVITY_FEED: Final = Permission("manage", "ActivityFeed.Read", "594c1fb6-4f81-4475-ae41-0c394909246c")

KEPT: Final = timedelta(days=7)
LOOK_AHEAD: Final = timedelta(days=1)
"""How long after a window's end content is listed that may hold its events."""

_DAY: Final = timedelta(days=1)
_LISTED: Final = KEPT - timedelta(minutes=5)
"""Content is not asked for in its last minutes: the list may take longer to read than it is kept."""

_AT_ONCE: Final = 4
_MOST_PAGES: Final = 10_000
_SOURCE: Final = "GET activity/feed/audit"
_NOT_A_LIST: Final = "Microsoft's list of content cannot be read"


class _Listed(msgspec.Struct, rename="camel"):
    content_uri: str
    content_created: datetime


@dataclass(slots=True)
class _Missing:
    """Content that was listed and could not be read: nothing older than the newest of it is known to be whole."""

    until: datetime | None = None
    reason: GapReason = "expired"
    detail: str = ""

    def note(self, content: _Listed, error: CollectionError) -> None:
        arrived = _utc(content.content_created) + timedelta(seconds=1)
        if self.until is None or arrived > self.until:
            self.until = arrived
        if error.reason != "expired":
            self.reason = "error"
        self.detail = f"content that was listed could not be read: {error.message}"


@dataclass(slots=True)
class _Reading:
    """One task's reading of one type of content."""

    content_type: str
    missing: _Missing = field(default_factory=_Missing)

    async def read(self, client: Client, task: Task, window: Window, progress: Progress) -> AsyncIterator[Page]:
        """Read everything that arrived from a window's beginning until a day after its end."""
        self.missing = _Missing()
        end = min(client.now(), window.end + LOOK_AHEAD)
        for step in _steps(window.begin, end):
            async for contents in _listed(client, self.content_type, step, progress):
                async for page in self._pages(client, task, contents, progress):
                    yield page

    async def _pages(
        self, client: Client, task: Task, contents: Sequence[_Listed], progress: Progress
    ) -> AsyncIterator[Page]:
        for index in range(0, len(contents), _AT_ONCE):
            several = contents[index : index + _AT_ONCE]
            progress.requests += len(several)
            found = await asyncio.gather(*(_records(client, each) for each in several), return_exceptions=True)
            for content, records in zip(several, found, strict=True):
                if isinstance(records, CollectionError) and _is_of_one(records):
                    self.missing.note(content, records)
                elif isinstance(records, BaseException):
                    raise records
                elif records:
                    yield Page(task, records, source=_SOURCE)

    def parts(self, ended: Ended) -> Iterator[Ended]:
        """Take the time out of a part of which content is missing."""
        window, until = ended.window, self.missing.until
        if window is None or ended.reason is not None or until is None or until <= window.begin:
            yield ended
            return
        cut = min(until, window.end)
        yield replace(
            ended, window=Window(window.begin, cut), reason=self.missing.reason, detail=self.missing.detail, requests=0
        )
        if cut < window.end:
            yield replace(ended, window=Window(cut, window.end))


def management(name: str, content_type: str, *, feeds: tuple[str, ...], unassessable: str) -> Collection:
    """Return the collection of one type of content.

    Args:
        name: of the collection.
        content_type: as Microsoft writes it.
        feeds: that its records fill.
        unassessable: what cannot be said without it.
    """
    return Collection(
        name=name,
        feeds=feeds,
        kind="audit_records",
        permissions=(ACTIVITY_FEED,),
        licence=(),
        window=_DAY,
        reach=KEPT,
        key="Id",
        limits=(
            "2,000 requests a minute and tenant at least, at most 24 hours a list, 7 days back, 15 minutes between "
            "starts of a subscription (reference of the Office 365 Management Activity API)"
        ),
        unassessable=unassessable,
        pull=_pull(content_type),
        continued_by="audit_queries",
    )


def _pull(content_type: str) -> Pull:
    async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
        try:
            async for event in _remembering(client, task, content_type):
                yield event
        except SignInError as error:
            # A token for this API alone is refused: Graph may still let us in, and says so itself where it does not.
            raise CollectionError(error.reason, error.message, hint=error.hint, code=error.code) from None

    return pull


async def _remembering(client: Client, task: Task, content_type: str) -> AsyncIterator[Page | Ended]:
    """Read a window; what was found out about the subscription goes with the first page, or before the first end."""
    first_arrival = partial(_first_arrival, client, content_type)
    subscribed = await subscription(client, task, content_type, first_arrival, _LISTED)
    cursor = memory(content_type), int(subscribed.since.timestamp())
    told = cursor in task.cursors
    async for event in _read(client, task, content_type, subscribed):
        if told:
            yield event
            continue
        told = True
        if isinstance(event, Page):
            yield replace(event, next_cursor=cursor)
        else:
            yield Page(task, (), source=_SOURCE, next_cursor=cursor)
            yield event


async def _read(client: Client, task: Task, content_type: str, subscribed: Subscription) -> AsyncIterator[Page | Ended]:
    """Read what is still there of a window, and say of the rest why it is not."""
    window, began_at = whole_window(task), client.now()
    oldest = next_second(began_at - _LISTED)
    if window.begin < oldest:
        gone = Window(window.begin, min(window.end, oldest))
        yield Ended(task, gone, "expired", "the Management Activity API keeps content for 7 days", began_at)
        if window.end <= oldest:
            return
        window = Window(oldest, window.end)
    reading = _Reading(content_type)
    async for event in read_window(client, replace(task, window=window), reading.read):
        if isinstance(event, Page):
            yield replace(event, task=task)
        else:
            for part in reading.parts(replace(event, task=task)):
                for told in _since(part, subscribed, content_type):
                    yield told


def _since(ended: Ended, subscribed: Subscription, content_type: str) -> Iterator[Ended]:
    """Take the time out of a part in which the subscription was not on, or brought nothing yet, as far as is known."""
    window = ended.window
    if window is None or ended.reason is not None:
        yield ended
        return
    cut = min(max(window.begin, subscribed.since), window.end)
    if window.begin < cut:
        detail = f"the subscription to {content_type} is known to have been on only since {literal(subscribed.since)}"
        yield replace(ended, window=Window(window.begin, cut), reason="disabled", detail=detail, requests=0)
    if cut < window.end and not subscribed.is_flowing:
        detail = f"the subscription to {content_type} has brought nothing yet: the first content comes within 12 hours"
        yield replace(ended, window=Window(cut, window.end), reason="disabled", detail=detail)
    elif cut < window.end:
        yield replace(ended, window=Window(cut, window.end))


async def _first_arrival(client: Client, content_type: str, begin: datetime) -> datetime | None:
    """Return when the first content arrived that is listed, not before ``begin``; None when there is none."""
    for step in _steps(begin, client.now()):
        async for contents in _listed(client, content_type, step, Progress()):
            if contents:
                return min(_utc(each.content_created) for each in contents)
    return None


def _steps(begin: datetime, end: datetime) -> Iterator[Window]:
    while begin < end:
        until = min(end, begin + _DAY)
        yield Window(begin, until)
        begin = until


async def _listed(
    client: Client, content_type: str, window: Window, progress: Progress
) -> AsyncIterator[list[_Listed]]:
    """Yield the content that arrived in a window of at most 24 hours, page by page, each piece once."""
    link: str | None = address(
        client, "subscriptions/content", contentType=content_type, startTime=literal(window.begin),
        endTime=literal(window.end),
    )  # fmt: skip
    seen: set[bytes] = set()
    known: set[bytes] = set()
    in_vain = 0
    while link is not None:
        digest = _digest(link)
        if digest in seen or len(seen) >= _MOST_PAGES or in_vain >= KNOWN_IN_A_ROW:
            raise CollectionError("error", "Microsoft's links to next pages of content lead in a circle")
        seen.add(digest)
        progress.requests += 1
        answer = await client.get(link, limits=LIMITS)
        try:
            listed = msgspec.json.decode(answer.body, type=list[_Listed])
        except msgspec.MsgspecError:
            raise CollectionError("error", _NOT_A_LIST) from None
        fresh = {_digest(each.content_uri): each for each in listed if _digest(each.content_uri) not in known}
        known |= fresh.keys()
        # Links that differ each time may lead in a circle all the same.
        in_vain = 0 if fresh else in_vain + 1
        yield list(fresh.values())
        link = answer.headers.get("nextpageuri")


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


async def _records(client: Client, content: _Listed) -> list[bytes]:
    """Return the records of one piece of content."""
    mark = "&" if "?" in content.content_uri else "?"
    url = f"{content.content_uri}{mark}{urlencode({'PublisherIdentifier': client.tenant})}"
    return array_of(await client.get(url, limits=LIMITS, what="content_uri"))


def _is_of_one(error: CollectionError) -> bool:
    """Say whether an error is about the one piece of content, and not about all of them."""
    return isinstance(error, NotFoundError) or error.reason == "expired"


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

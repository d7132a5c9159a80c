"""Owns subscriptions to the unified audit log's content: whether one is on, starting it, since when it can be trusted.

The one write that there is: a subscription is started when the list says that it is off, and never twice within 15
minutes. Source: reference of the Office 365 Management Activity API (subscriptions, 15 minutes, AF20024); AF20024 as
an answer to a second start was seen in the field.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

import msgspec

from m365audit.graph.failures import CollectionError
from m365audit.graph.feeds.collection import Answer, Client
from m365audit.graph.values import Task

LIMITS: Final = ("management",)
FIRST_CONTENT: Final = timedelta(hours=12)
"""Within which the first content of a new subscription comes."""

_STEADY: Final = timedelta(hours=2)
"""Content that is so close to the oldest that is listed shows that there was more before."""

_BETWEEN_STARTS: Final = timedelta(minutes=15)
_ALREADY_ON: Final = "AF20024"
_CONTENT: Final = "Microsoft's list of subscriptions cannot be read"


class _Subscription(msgspec.Struct, rename="camel"):
    content_type: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription that is on.

    Attributes:
        since: from when on everything comes, as far as anybody knows, by Microsoft's clock; a whole second.
        is_flowing: that is proven: something came, or the time in which the first content comes is over.
    """

    since: datetime
    is_flowing: bool


FirstArrival = Callable[[datetime], Awaitable[datetime | None]]
"""Returns when the first content arrived that is still listed, not before a moment; None when there is none."""

_IN_THIS_RUN: Final[WeakKeyDictionary[Client, dict[str, datetime]]] = WeakKeyDictionary()
"""What the tasks of one run found out: the cursors that they carry are of the run before."""


def address(client: Client, operation: str, **query: str) -> str:
    """Return the address of an operation of the feed; the publisher is the tenant itself, with limits of its own.

    Raises:
        CollectionError: this cloud has no Management Activity API.
    """
    if client.cloud.manage is None:
        raise CollectionError("disabled", "this cloud has no Management Activity API")
    named = urlencode(query | {"PublisherIdentifier": client.tenant})
    return f"{client.cloud.manage}/api/v1.0/{client.tenant}/activity/feed/{operation}?{named}"


def memory(content_type: str) -> str:
    """Return the name under which it is kept when a subscription was first known to be on."""
    return f"subscription/{content_type}"


async def subscription(
    client: Client, task: Task, content_type: str, first_arrival: FirstArrival, kept: timedelta
) -> Subscription:
    """Return the subscription to a type of content; start it when there is none.

    A subscription says nothing of when it began. One that was started here is trusted from then on; one that was on
    already, from the oldest content on that is still listed.

    Args:
        client: asks.
        task: its cursors hold what earlier runs knew.
        content_type: e.g. ``Audit.Exchange``.
        first_arrival: looks for content.
        kept: how long what arrived is listed.

    Raises:
        CollectionError: it is not on and cannot be started; ``disabled`` when the tenant's auditing is off.
    """
    found_out = _IN_THIS_RUN.setdefault(client, {})
    since = found_out.get(content_type) or _remembered(task, content_type)
    is_on = await _look(client, content_type) is not None
    oldest = client.now() - kept  # not before the first answer: only then it is Microsoft's clock
    if not is_on:
        since = await _started(client, content_type, since)
    elif since is None:
        first = await first_arrival(oldest)
        is_steady = first is not None and first - oldest <= _STEADY
        since = oldest.replace(microsecond=0) if is_steady else next_second(first or client.now())
    found_out[content_type] = since
    is_old = client.now() - since >= FIRST_CONTENT
    return Subscription(since, is_old or await first_arrival(max(since, oldest)) is not None)


def _remembered(task: Task, content_type: str) -> datetime | None:
    known = dict(task.cursors).get(memory(content_type))
    return None if known is None else datetime.fromtimestamp(known, UTC)


def next_second(moment: datetime) -> datetime:
    """Return a moment as a whole second, the next one where it is none."""
    return moment.replace(microsecond=0) + timedelta(seconds=1 if moment.microsecond else 0)


async def _started(client: Client, content_type: str, since: datetime | None) -> datetime:
    """Start a subscription and return when."""
    now = client.now()
    if since is not None and now - since < _BETWEEN_STARTS:
        raise CollectionError(
            "disabled",
            f"the subscription to {content_type} was started within the last 15 minutes and is not on yet",
            hint="the next run looks again",
        )
    await _start(client, content_type)
    return next_second(now)


async def _look(client: Client, content_type: str) -> Answer | None:
    """Return the list of subscriptions when it names this one as on."""
    answer = await client.get(address(client, "subscriptions/list"), limits=LIMITS)
    try:
        found = msgspec.json.decode(answer.body, type=list[_Subscription])
    except msgspec.MsgspecError:
        raise CollectionError("error", _CONTENT) from None
    is_on = any(each.content_type == content_type and each.status.casefold() == "enabled" for each in found)
    return answer if is_on else None


async def _start(client: Client, content_type: str) -> None:
    async def look_first() -> Answer | None:
        return await _look(client, content_type)

    try:
        await client.post(
            address(client, "subscriptions/start", contentType=content_type),
            body=b"",
            limits=LIMITS,
            look_first=look_first,
        )
    except CollectionError as error:
        if error.code.upper() != _ALREADY_ON:
            raise

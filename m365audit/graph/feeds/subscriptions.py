"""Owns subscriptions to the unified audit log's content: whether one is on, starting it, since when it can be trusted.

The one write that there is: a subscription is started when the list says that it is off, and never twice within 15
minutes. Source: reference of the Office 365 Management Activity API (subscriptions, 15 minutes, AF20024); AF20024 as
an answer to a second start was seen in the field.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from m365audit.graph.failures import CollectionError
from m365audit.graph.feeds.collection import Answer, Client
from m365audit.graph.values import Task

LIMITS: Final = ("management",)
FIRST_CONTENT: Final = timedelta(hours=12)
"""Within which the first content of a new subscription comes."""

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
        seen_at: when it was first known to be on, by Microsoft's clock; nothing is known of the time before.
        is_new: this was not known before.
    """

    seen_at: datetime
    is_new: bool


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


async def subscription(client: Client, task: Task, content_type: str) -> Subscription:
    """Return the subscription to a type of content; start it when there is none.

    Args:
        client: asks.
        task: its cursors hold what earlier runs knew.
        content_type: e.g. ``Audit.Exchange``.

    Raises:
        CollectionError: it is not on and cannot be started; ``disabled`` when the tenant's auditing is off.
    """
    known = dict(task.cursors).get(memory(content_type))
    seen_at = None if known is None else datetime.fromtimestamp(known, UTC)
    if await _look(client, content_type) is not None:
        return Subscription(seen_at or client.now(), is_new=seen_at is None)
    since = client.now()
    if seen_at is not None and since - seen_at < _BETWEEN_STARTS:
        raise CollectionError(
            "disabled",
            f"the subscription to {content_type} was started within the last 15 minutes and is not on yet",
            hint="the next run looks again",
        )
    await _start(client, content_type)
    return Subscription(since, is_new=True)


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


async def trusted_since(
    client: Client,
    subscribed: Subscription,
    window_begin: datetime,
    arrivals: AsyncIterator[datetime],
    oldest: datetime,
) -> datetime | None:
    """Return from when on all content of a subscription came or will come; None: nothing shows that any ever did.

    A subscription says nothing of when it began. What shows it is the oldest content that is still listed, and what an
    earlier run knew.

    Args:
        client: for the clock.
        subscribed: as it was seen.
        window_begin: nobody asks about the time before.
        arrivals: times at which content arrived, oldest first; read only as far as it must be.
        oldest: first moment whose arrivals are listed.
    """
    is_old = client.now() - subscribed.seen_at >= FIRST_CONTENT
    if is_old and subscribed.seen_at <= window_begin:
        return subscribed.seen_at
    async for first in arrivals:
        is_steady = first - oldest <= _STEADY
        return oldest if is_steady else min(first, subscribed.seen_at)
    return subscribed.seen_at if is_old else None


_STEADY: Final = timedelta(hours=2)
"""Content that is so close to the oldest that is listed shows that there was more before."""

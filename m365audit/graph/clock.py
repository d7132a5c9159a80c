"""Owns what time it is: Microsoft's, from the ``Date`` header of its answers, not the host's; and when to doubt it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import httpx

from m365audit.graph.body import IncompleteError, TooLargeError, WholeBodies
from m365audit.graph.clouds import Cloud
from m365audit.graph.failures import CollectionError
from m365audit.graph.retry import http_date
from m365audit.graph.wire import connections

_PATIENCE: Final = 10.0
_MAX_BYTES: Final = 1 << 20


NEAR: Final = timedelta(minutes=5)
"""Servers' clocks differ, and answers travel; what is further apart contradicts."""

_AGREEING: Final = 3
"""Answers in a row that have to agree before a jump is believed; two, while nothing is sure yet."""

_WITNESSES: Final = 3
"""Answers without a token that are asked for while nothing is sure."""


def _host() -> datetime:
    return datetime.now(UTC)


class MicrosoftClock:
    """Goes with the host's monotonic clock from the moments that answers name; one answer alone moves it little.

    A time that is far off would be kept: as a time nobody can read any more, or as one that was read before it came.
    So the first answer is sure when the host agrees or a second one does, and a later one that contradicts is believed
    when others in a row say the same.

    Args:
        monotonic: seconds since some moment.
        host: what is believed before the first answer.
    """

    def __init__(self, monotonic: Callable[[], float], host: Callable[[], datetime] = _host) -> None:
        self._monotonic = monotonic
        self._host = host
        self._zero: datetime | None = None
        self._contradicting: list[datetime] = []
        self.is_sure = False

    def hear(self, date: str | None) -> None:
        """Take the time from a ``Date`` header; one that cannot be read changes nothing."""
        moment = http_date(date)
        try:
            zero = None if moment is None else self._at_zero(moment)
        except OverflowError:
            return
        if zero is None:
            return
        if self._zero is not None and _are_near(self._zero, zero):
            # A header is written before it travels: the later of two moments is the truer one.
            self._believe(max(self._zero, zero))
        elif not self.is_sure and _are_near(self._at_zero(self._host()), zero):
            self._believe(zero)
        else:
            self._contradicting = [each for each in self._contradicting if _are_near(each, zero)] + [zero]
            if len(self._contradicting) >= (_AGREEING if self.is_sure else 2):
                self._believe(zero)
            elif self._zero is None:
                self._zero, self._contradicting = zero, []

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        if self._zero is None:
            return self._host()
        return self._zero + timedelta(seconds=self._monotonic())

    def ahead_of_host(self) -> timedelta:
        """Return how far Microsoft's clock is ahead of the host's."""
        return self.now() - self._host()

    async def confirm(self, cloud: Cloud) -> None:
        """Ask without a token until it is sure what time it is.

        Raises:
            CollectionError: answers contradict each other, or the host where nobody else says anything.
        """
        for _ in range(_WITNESSES):
            if self.is_sure:
                return
            date = await _date_header(cloud)
            if date is None and self._zero is None:
                return
            self.hear(date)
        if self._zero is not None and not self.is_sure:
            raise CollectionError(
                "error", "the times in Microsoft's answers contradict each other and this computer's clock",
                hint="look whether something on the way changes answers, and set this computer's clock",
            )  # fmt: skip

    def _at_zero(self, moment: datetime) -> datetime:
        return moment - timedelta(seconds=self._monotonic())

    def _believe(self, zero: datetime) -> None:
        self._zero, self._contradicting, self.is_sure = zero, [], True


def _are_near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= NEAR


async def microsoft_time(cloud: Cloud) -> tuple[datetime, bool]:
    """Return the time by answers that need no token, and that it is Microsoft's; else, for want of them, the host's.

    For a tenant that lets nobody in: what was not seen of it has to be told by the same clock as everything else.
    """
    clock = MicrosoftClock(time.monotonic)
    try:
        await clock.confirm(cloud)
    except CollectionError:
        return _host(), False
    return clock.now(), clock.is_sure


async def _date_header(cloud: Cloud) -> str | None:
    """Return the ``Date`` header of an answer that needs no token; None when nobody answers."""
    try:
        bodies = WholeBodies(connections(cloud.ca_file), max_bytes=_MAX_BYTES)
        async with asyncio.timeout(_PATIENCE), httpx.AsyncClient(transport=bodies, trust_env=False) as asking:
            answer = await asking.get(f"{cloud.graph}/v1.0/")
    except (httpx.HTTPError, OSError, IncompleteError, TooLargeError, CollectionError):
        return None
    return str(answer.headers.get("date", ""))

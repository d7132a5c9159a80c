"""Owns what time it is: Microsoft's, from the ``Date`` header of its newest answer, not the host's."""

from __future__ import annotations

import asyncio
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


def _host() -> datetime:
    return datetime.now(UTC)


class MicrosoftClock:
    """Goes with the host's monotonic clock from the moment that the newest answer named.

    Args:
        monotonic: seconds since some moment.
        host: what is believed before the first answer.
    """

    def __init__(self, monotonic: Callable[[], float], host: Callable[[], datetime] = _host) -> None:
        self._monotonic = monotonic
        self._host = host
        self._heard: tuple[datetime, float] | None = None

    def hear(self, date: str | None) -> None:
        """Take the time from a ``Date`` header; one that cannot be read changes nothing."""
        moment = http_date(date)
        if moment is not None:
            self._heard = moment, self._monotonic()

    def now(self) -> datetime:
        """Return the present moment in UTC."""
        if self._heard is None:
            return self._host()
        moment, at = self._heard
        return moment + timedelta(seconds=self._monotonic() - at)


async def microsoft_time(cloud: Cloud) -> datetime:
    """Return Microsoft's time by an answer that needs no token; the host's where there is none.

    For a tenant that lets nobody in: what was not seen of it has to be told by the same clock as everything else.
    """
    try:
        bodies = WholeBodies(connections(cloud.ca_file), max_bytes=_MAX_BYTES)
        async with asyncio.timeout(_PATIENCE), httpx.AsyncClient(transport=bodies, trust_env=False) as asking:
            answer = await asking.get(f"{cloud.graph}/v1.0/")
    except (httpx.HTTPError, OSError, IncompleteError, TooLargeError, CollectionError):
        return _host()
    return http_date(answer.headers.get("date")) or _host()

"""A tenant's client above answers made up by a test: no network, no waiting, time that passes only when told to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx

from m365audit.graph.client import TenantClient
from m365audit.graph.clouds import CLOUDS, Cloud
from m365audit.graph.limits import Size
from m365audit.graph.values import Event

TENANT = "11111111-1111-4111-8111-111111111111"
ME = "https://graph.microsoft.com/v1.0/organization"
DATE = "Tue, 01 Sep 2026 10:00:00 GMT"

T = TypeVar("T")
Told = httpx.Response | Exception | Callable[[httpx.Request], httpx.Response]


class RawStream(httpx.AsyncByteStream):
    """Bytes as they come over a wire: httpx does not look at them."""

    def __init__(self, *chunks: bytes, error: Exception | None = None) -> None:
        self._chunks = chunks
        self._error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._error is not None:
            raise self._error


def raw(*chunks: bytes, status: int = 200, error: Exception | None = None, **headers: Any) -> httpx.Response:
    """Return an answer of these bytes; underscores in header names stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, stream=RawStream(*chunks, error=error))


def ok(**headers: Any) -> httpx.Response:
    """Return an empty page."""
    return raw(b'{"value": []}', Date=DATE, **headers)


def refusal(status: int, code: str = "", message: str = "", **headers: Any) -> httpx.Response:
    """Return an error as Graph and the Management API write them."""
    return raw(json.dumps({"error": {"code": code, "message": message}}).encode(), status=status, **headers)


class Server(httpx.AsyncBaseTransport):
    """Answers in the order told, the last answer for ever; remembers what was asked, and over which connections."""

    def __init__(self, *told: Told) -> None:
        self.told = list(told) or [ok()]
        self.asked: list[httpx.Request] = []
        self.connections: list[int] = []
        self.opened = 0

    def open(self) -> httpx.AsyncBaseTransport:
        """Return new connections to this server."""
        self.opened += 1
        return _Connections(self, self.opened)

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Return what was told for the next request."""
        self.asked.append(request)
        told = self.told[min(len(self.asked), len(self.told)) - 1]
        if isinstance(told, Exception):
            raise told
        return told if isinstance(told, httpx.Response) else told(request)

    @property
    def tokens(self) -> list[str]:
        """Return the tokens that arrived."""
        return [request.headers.get("authorization", "").removeprefix("Bearer ") for request in self.asked]


class _Connections(httpx.AsyncBaseTransport):
    def __init__(self, server: Server, number: int) -> None:
        self._server = server
        self._number = number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._server.connections.append(self._number)
        answer = self._server.answer(request)
        # The same answer may be given again; a stream can be read only once.
        return httpx.Response(answer.status_code, headers=answer.headers, stream=answer.stream)


@dataclass
class OpenThrottle:
    """Lets everything through, and remembers what it was told."""

    noted: list[tuple[int, float | None]] = field(default_factory=list)
    admitted: list[tuple[tuple[str, ...], float]] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)
    waits: float = 0.0
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def admit(
        self,
        tenant: str,
        limits: Sequence[str],
        *,
        cost: float = 1,
        on_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        """Let a request through."""
        assert tenant == TENANT
        self.admitted.append((tuple(limits), cost))
        if self.waits:
            if on_wait is not None:
                on_wait(self.waits, "a limit")
            await self.sleep(self.waits)

    def note_answer(
        self,
        tenant: str,
        limits: Sequence[str],
        *,
        status: int,
        retry_after: float | None,
        headers: Mapping[str, str],
    ) -> None:
        """Remember an answer."""
        assert tenant == TENANT
        assert isinstance(limits, Sequence)
        assert all(name == name.lower() for name in headers)
        self.noted.append((status, retry_after))

    def note_size(self, tenant: str, size: Size) -> None:
        """Remember the size."""
        assert tenant == TENANT
        self.sizes.append(size)

    @asynccontextmanager
    async def slot(
        self, tenant: str, name: str, *, on_wait: Callable[[float, str], None] | None = None
    ) -> AsyncIterator[None]:
        """Hold a place."""
        assert (tenant, name) == (TENANT, "audit_queries")
        if on_wait is not None:
            on_wait(0.0, "a place")
        yield


class Tokens:
    """A credential that counts; its tokens say what they were asked for."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.expires_at: datetime | None = None
        self.asked: list[tuple[str, str | None, bool]] = []
        self.is_closed = False
        self.error = error

    async def token(self, scope: str, *, claims: str | None = None, is_fresh: bool = False) -> str:
        """Return a token."""
        self.asked.append((scope, claims, is_fresh))
        if self.error is not None:
            raise self.error
        return f"canary-{len(self.asked)}-{scope}"

    async def close(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True


@dataclass
class Wired:
    """Everything around one client."""

    server: Server
    cloud: Cloud = CLOUDS["global"]
    throttle: OpenThrottle = field(default_factory=OpenThrottle)
    tokens: Tokens = field(default_factory=Tokens)
    events: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    time: float = 1000.0

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.slept.append(seconds)
        self.time += seconds

    def client(self, **options: Any) -> TenantClient:
        """Return the client."""
        self.throttle.sleep = self.sleep
        return TenantClient(
            TENANT,
            self.cloud,
            self.tokens,
            self.throttle,
            on_event=self.events.append,
            opened=self.server.open,
            clock=lambda: self.time,
            sleep=self.sleep,
            **options,
        )

    def run(
        self, asking: Callable[[TenantClient], Awaitable[T]], *, deadline: timedelta | None = None, **options: object
    ) -> T:
        """Return what ``asking`` returns of an open client."""

        async def main() -> T:
            async with self.client(deadline=deadline, **options) as client:
                return await asking(client)

        return asyncio.run(main())


def wired(*told: Told) -> Wired:
    """Return a client's surroundings with a server that was told what to answer."""
    return Wired(Server(*told))

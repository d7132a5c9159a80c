"""Owns a tenant's conversation with Microsoft: asks within limits and time, again when that may help, never more.

Everything that a collection reads comes by here. What comes back is whole, or it is an error with its reason.
Must never interpret records, and never write to a tenant but by ``post``, which looks before it repeats itself.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

import httpx
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.graph_service_client import GraphServiceClient

from m365audit.config import StorageSettings
from m365audit.graph.answers import Answer
from m365audit.graph.body import MAX_BYTES
from m365audit.graph.claims import TokenClaims, token_claims
from m365audit.graph.clouds import STORAGE_SCOPE, Cloud, Service
from m365audit.graph.conversation import Admission, Conversation, Question, Timing, absolute
from m365audit.graph.exchange import Exchange
from m365audit.graph.failures import SignInError
from m365audit.graph.guard import Sending
from m365audit.graph.limits import size_of
from m365audit.graph.values import Event, SignedIn, Waiting
from m365audit.graph.wire import connections

REQUEST_SECONDS: Final = 300.0
"""Longest time for one request from its first byte to the last of its answer."""

WORKING_ON: Final[ContextVar[str]] = ContextVar("working_on", default="")
"""Name of the collection that the running task works for; told with every wait."""


class Credential(Protocol):
    """What is asked of a credential."""

    expires_at: datetime | None

    async def token(self, scope: str, *, claims: str | None = None, is_fresh: bool = False) -> str:
        """Return an access token."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


class TenantClient:
    """Asks Microsoft on behalf of one tenant, for one run. An async context manager; closing it closes its credential.

    Args:
        tenant: tenant id.
        cloud: the cloud that the tenant is in.
        credential: gives tokens.
        throttle: shared by all tenants of the run.
        on_event: told of waits.
        deadline: time for the whole tenant, from now; None for no end.
        request_seconds: time for one request.
        max_bytes: largest answer, compressed and decompressed.
        opened: makes the connections; None for the network.
        clock: seconds since some moment.
        sleep: how waiting is done.

    Attributes:
        tenant: tenant id.
        cloud: where its services are.
        sdk: msgraph-sdk's client; builds requests for ``send``.
        requests: requests made so far, repeated ones included.
        wanted_groups: ids of the groups whose members are wanted.
        storage: the storage account that the tenant's logs are written to.
    """

    def __init__(
        self,
        tenant: str,
        cloud: Cloud,
        credential: Credential,
        throttle: Admission,
        *,
        on_event: Callable[[Event], None] | None = None,
        deadline: timedelta | None = None,
        request_seconds: float = REQUEST_SECONDS,
        max_bytes: int = MAX_BYTES,
        opened: Callable[[], httpx.AsyncBaseTransport] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.tenant = tenant
        self.cloud = cloud
        self.wanted_groups: tuple[str, ...] = ()
        self.storage: StorageSettings | None = None
        self._credential = credential
        self._throttle = throttle
        self._on_event = on_event
        self._sleep = sleep
        ends_at = math.inf if deadline is None else clock() + deadline.total_seconds()
        self._exchange = Exchange(cloud, self._token, opened or connections(cloud.ca_file), max_bytes)
        self._conversation = Conversation(
            tenant, self._exchange, throttle, Timing(clock, sleep, request_seconds, ends_at), self._wait
        )

    @property
    def requests(self) -> int:
        """Return how many requests were made so far, repeated ones included."""
        return self._conversation.requests

    @property
    def sdk(self) -> GraphServiceClient:
        """Return msgraph-sdk's client of v1.0; what it builds goes to ``send``."""
        return self._exchange.sdk

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._exchange.close()
        finally:
            await self._credential.close()

    def now(self) -> datetime:
        """Return the time by Microsoft's clock; by the host's before the first answer."""
        return self._conversation.now()

    @property
    def knows_the_time(self) -> bool:
        """Whether the time is Microsoft's, and not for want of it the host's."""
        return self._conversation.microsoft.is_sure

    async def know_the_time(self) -> timedelta:
        """Be sure what time it is at Microsoft; return how far the host's clock is behind that.

        Raises:
            CollectionError: answers contradict each other.
        """
        await self._conversation.microsoft.confirm(self.cloud)
        return self._conversation.microsoft.ahead_of_host()

    async def send(
        self,
        info: RequestInformation,
        *,
        limits: Sequence[str],
        cost: float = 1,
        is_beta: bool = False,
        what: str = "next_link",
    ) -> Answer:
        """Send a request that the SDK's builders made, until there is a whole answer or no hope.

        Args:
            info: of a method that changes nothing.
            limits: names of the throttle's limits that hold for it.
            cost: what it costs of them.
            is_beta: send it to Graph's beta instead of v1.0.
            what: where its address was found, if in an answer.

        Raises:
            ValueError: the method is not GET; that is what ``post`` is for.
            NotFoundError: 404, 410.
            StaleLinkError: the link to a page died.
            LinkRefusedError: it leads where the configuration names no place.
            SignInError: there is no token, or Microsoft does not take it.
            CollectionError: everything else, with its reason.
        """
        if info.http_method is not Method.GET:
            raise ValueError("send is for GET")
        return await self._conversation.ask(Question(info, limits, cost, is_beta, what))

    async def get(
        self,
        url: str,
        *,
        limits: Sequence[str],
        cost: float = 1,
        headers: Mapping[str, str] | None = None,
        what: str = "next_link",
    ) -> Answer:
        """Read an absolute address exactly as it was written: a next link, a content URI, the Management API.

        Raises:
            CollectionError: as for :meth:`send`.
        """
        return await self._conversation.ask(Question(absolute(url, what, headers), limits, cost, what=what))

    async def post(
        self,
        url_or_info: str | RequestInformation,
        *,
        body: bytes,
        limits: Sequence[str],
        look_first: Callable[[], Awaitable[Answer | None]],
        cost: float = 1,
        is_beta: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a POST with a JSON body; before it is sent again, look whether the one before took effect.

        Args:
            url_or_info: absolute address, or what the SDK's builders made.
            body: JSON.
            limits: names of the throttle's limits.
            look_first: returns what the POST would have returned when it finds that it took effect, else None.
            cost: what it costs of the limits.
            is_beta: send it to Graph's beta instead of v1.0.
            headers: more headers.

        Raises:
            CollectionError: as for :meth:`send`.
        """
        info = absolute(url_or_info, "next_link") if isinstance(url_or_info, str) else url_or_info
        info.http_method = Method.POST
        info.content = body
        info.headers.add("Content-Type", "application/json")
        info.headers.add_all(dict(headers or {}))
        return await self._conversation.ask(Question(info, limits, cost, is_beta, look_first=look_first))

    def note_users(self, at_least: int) -> None:
        """Say how many users were seen so far: a larger tenant has more of the directory's resource units."""
        self._throttle.note_size(self.tenant, size_of(at_least))

    def slot(self, limit: str) -> AbstractAsyncContextManager[None]:
        """Hold one of the places of a limit on how many may run side by side."""
        return self._throttle.slot(self.tenant, limit, on_wait=self._wait)

    async def pause(self, seconds: float) -> None:
        """Wait for something that takes Microsoft its time, e.g. a query."""
        await self._sleep(seconds)

    async def sign_in(self) -> SignedIn:
        """Get tokens for every service and say what they permit; of the Management API only when it gives one.

        Raises:
            SignInError: there is no token for Graph.
        """
        graph = await self.token_claims("graph")
        roles = [f"graph/{role}" for role in graph.roles]
        scopes = [f"graph/{scope}" for scope in graph.scopes]
        if self.cloud.has_management:
            try:
                manage = await self.token_claims("manage")
            except SignInError:
                manage = TokenClaims("", (), ())  # told by whoever asks for it alone
            roles += [f"manage/{role}" for role in manage.roles]
            scopes += [f"manage/{scope}" for scope in manage.scopes]
        return SignedIn(
            self.tenant, graph.client_id, tuple(roles), tuple(scopes), self._credential.expires_at, self.now()
        )

    async def token_claims(self, service: Service) -> TokenClaims:
        """Return what the token for a service says of the auditor.

        Raises:
            SignInError: there is no token.
            LookupError: this cloud has no such service.
        """
        return token_claims(await self._credential.token(self.cloud.scope(service)))

    async def storage_token(self) -> str:
        """Return a token for Azure Storage, for the configured account alone.

        Raises:
            SignInError: there is none.
        """
        return await self._credential.token(STORAGE_SCOPE)

    async def _token(self, service: Service, sending: Sending) -> str:
        scope = self.cloud.scope(service)
        return await self._credential.token(scope, claims=sending.claims or None, is_fresh=sending.is_fresh)

    def _wait(self, seconds: float, why: str) -> None:
        if self._on_event is not None:
            self._on_event(Waiting(self.tenant, WORKING_ON.get(), seconds, why))

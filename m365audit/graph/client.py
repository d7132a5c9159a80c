"""Owns a tenant's conversation with Microsoft: asks within limits and time, again when that may help, never more.

Everything that a collection reads comes by here. What comes back is whole, or it is an error with its reason.
Must never interpret records, and never write to a tenant but by ``post``, which looks before it repeats itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol, Self

import httpx
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ParametersNameDecodingHandlerOption
from msgraph.graph_service_client import GraphServiceClient

from m365audit.graph.body import MAX_BYTES, IncompleteError, TooLargeError, require_document
from m365audit.graph.claims import TokenClaims, demanded_claims, token_claims
from m365audit.graph.clock import MicrosoftClock
from m365audit.graph.clouds import Cloud, Service
from m365audit.graph.exchange import Exchange
from m365audit.graph.failures import (
    CollectionError,
    LinkRefusedError,
    NotFoundError,
    SignInError,
    StaleLinkError,
)
from m365audit.graph.guard import Sending
from m365audit.graph.refusals import error_of, meaning_of
from m365audit.graph.retry import Patience, TransientError, policy, retry_after
from m365audit.graph.values import GAP_REASONS, Event, GapReason, SignedIn, Waiting
from m365audit.graph.wire import Wire, tls_context

REQUEST_SECONDS: Final = 300.0
"""Longest time for one request from its first byte to the last of its answer."""

WORKING_ON: Final[ContextVar[str]] = ContextVar("working_on", default="")
"""Name of the collection that the running task works for; told with every wait."""

_MAX_REDIRECTS: Final = 3
_NO_CONTENT: Final = 204


class Admission(Protocol):
    """What is asked of the throttle."""

    async def admit(
        self,
        tenant: str,
        limits: Sequence[str],
        *,
        cost: float = 1,
        on_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        """Return when the request may go."""
        ...

    def note_answer(
        self,
        tenant: str,
        limits: Sequence[str],
        *,
        status: int,
        retry_after: float | None,
        headers: Mapping[str, str],
    ) -> None:
        """Learn from an answer."""
        ...

    def slot(
        self, tenant: str, name: str, *, on_wait: Callable[[float, str], None] | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Hold one of the places of what may run side by side."""
        ...


class Credential(Protocol):
    """What is asked of a credential."""

    expires_at: datetime | None

    async def token(self, scope: str, *, claims: str | None = None, is_fresh: bool = False) -> str:
        """Return an access token."""
        ...

    async def close(self) -> None:
        """Close its connections."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of status 2xx, whole.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: one JSON document as it was sent, decompressed; empty for 204 only.
        at: when it was given, by Microsoft's clock.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    at: datetime


@dataclass(slots=True)
class _Question:
    """One thing to be asked, and how often it was sent."""

    info: RequestInformation
    limits: Sequence[str]
    cost: float
    is_beta: bool
    what: str
    look_first: Callable[[], Awaitable[Answer | None]] | None = None
    sent: int = 0


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
        self.requests = 0
        self.wanted_groups: tuple[str, ...] = ()
        self._credential = credential
        self._throttle = throttle
        self._on_event = on_event
        self._request_seconds = request_seconds
        self._clock = clock
        self._sleep = sleep
        self._ends_at = float("inf") if deadline is None else clock() + deadline.total_seconds()
        self._microsoft = MicrosoftClock(clock)
        context = tls_context(cloud.ca_file) if opened is None else None
        self._exchange = Exchange(
            cloud, self._token, opened or (lambda: Wire(context or tls_context(cloud.ca_file))), max_bytes
        )

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
        return self._microsoft.now()

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
        return await self._until_answered(_Question(info, limits, cost, is_beta, what))

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
        return await self._until_answered(_Question(_absolute(url, what, headers), limits, cost, False, what))  # noqa: FBT003

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
        info = _absolute(url_or_info, "next_link", None) if isinstance(url_or_info, str) else url_or_info
        info.http_method = Method.POST
        info.content = body
        info.headers.add("Content-Type", "application/json")
        info.headers.add_all(dict(headers or {}))
        return await self._until_answered(_Question(info, limits, cost, is_beta, "next_link", look_first))

    def slot(self, limit: str) -> AbstractAsyncContextManager[None]:
        """Hold one of the places of a limit on how many may run side by side."""
        return self._throttle.slot(self.tenant, limit, on_wait=self._wait)

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

    async def _token(self, service: Service, sending: Sending) -> str:
        scope = self.cloud.scope(service)
        return await self._credential.token(scope, claims=sending.claims or None, is_fresh=sending.is_fresh)

    def _remaining(self) -> float:
        return self._ends_at - self._clock()

    def _wait(self, seconds: float, why: str) -> None:
        if self._on_event is not None:
            self._on_event(Waiting(self.tenant, WORKING_ON.get(), seconds, why))

    async def _until_answered(self, question: _Question) -> Answer:
        attempts = policy(
            Patience(self._remaining), on_wait=lambda seconds, error: self._wait(seconds, error.why), sleep=self._sleep
        )
        try:
            return await attempts(self._attempt, question)
        except TransientError as error:
            raise _given_up(error, question.sent) from None

    async def _attempt(self, question: _Question) -> Answer:
        """Ask once; a new token and redirects within the cloud belong to it."""
        try:
            return await self._signed(question)
        except TransientError as error:
            if not error.is_throttling:
                await self._exchange.renew()
            raise

    async def _signed(self, question: _Question) -> Answer:
        """Ask; with one fresh token when the one before is not taken, and once with the claims that are demanded."""
        sending, redirects = Sending(question.what), 0
        while True:
            found = await self._looked_first(question)
            if found is not None:
                return found
            response = await self._once(question, sending)
            if response.status_code == httpx.codes.UNAUTHORIZED:
                sending = self._next_sending(response, sending)
            elif response.has_redirect_location:
                redirects += 1
                question.info = self._followed(question, response, redirects)
                sending = Sending("redirect", sending.claims, sending.is_fresh)
            else:
                return self._judged(question, response)

    async def _looked_first(self, question: _Question) -> Answer | None:
        return await question.look_first() if question.look_first is not None and question.sent else None

    async def _once(self, question: _Question, sending: Sending) -> httpx.Response:
        """Send a question when the limits permit; count it, hear the time, tell the throttle."""
        try:
            async with asyncio.timeout(self._left()):
                await self._throttle.admit(self.tenant, question.limits, cost=question.cost, on_wait=self._wait)
        except TimeoutError:
            raise CollectionError("throttled", _OVER, hint=_NEXT_RUN) from None
        seconds = min(self._request_seconds, self._remaining())
        self.requests += 1
        question.sent += 1
        try:
            async with asyncio.timeout(max(seconds, 0)):
                response = await self._exchange.send(question.info, sending, is_beta=question.is_beta)
        except TimeoutError:
            raise TransientError(f"there was no whole answer within {seconds:.0f} seconds") from None
        except (LinkRefusedError, SignInError):
            self.requests -= 1
            question.sent -= 1
            raise
        self._microsoft.hear(response.headers.get("date"))
        return response

    def _left(self) -> float | None:
        """Return the seconds that are left.

        Raises:
            CollectionError: none are.
        """
        left = self._remaining()
        if left <= 0:
            raise CollectionError("error", _OVER, hint=_NEXT_RUN)
        return None if left == float("inf") else left

    def _next_sending(self, response: httpx.Response, sending: Sending) -> Sending:
        """Return how to ask again after 401: with the claims demanded, or a fresh token; each once.

        Raises:
            SignInError: both were tried.
            CollectionError: the 401 means something else.
        """
        code, message = error_of(response.content)
        refusal = meaning_of(response.status_code, code, message)
        if refusal.meaning != "error":
            raise _refused(refusal.meaning, refusal.says, refusal.todo, response.status_code, code)
        claims = demanded_claims(response.headers.get("www-authenticate"))
        if claims and not sending.claims:
            return Sending(sending.what, claims)
        if not claims and not sending.is_fresh:
            return Sending(sending.what, sending.claims, is_fresh=True)
        raise SignInError(
            "Microsoft does not accept the auditor's token",
            hint="sign in anew, or look whether the app or its credential was disabled; `m365audit doctor` says more",
            is_refused=True,
            code=code,
        )

    def _followed(self, question: _Question, response: httpx.Response, redirects: int) -> RequestInformation:
        """Return the request for the place that a redirect names; the guard sees it like every other.

        Raises:
            CollectionError: it is not a GET, or one redirect follows on another.
        """
        target = response.headers["location"]
        self._exchange.check(target, "redirect")
        if question.look_first is not None or redirects > _MAX_REDIRECTS:
            raise CollectionError("error", "Microsoft sent the request elsewhere", status=response.status_code)
        return _absolute(target, "redirect", None)

    def _judged(self, question: _Question, response: httpx.Response) -> Answer:
        """Return an answer that is one; tell the throttle what was said.

        Raises:
            TransientError: asking again may help.
            CollectionError: it will not.
        """
        status, headers = response.status_code, dict(response.headers)
        asked_to_wait = retry_after(headers.get("retry-after"), self.now())
        code, message = ("", "") if response.is_success else error_of(response.content)
        refusal = None if response.is_success else meaning_of(status, code, message)
        is_busy = refusal is not None and refusal.meaning == "busy"
        self._throttle.note_answer(
            self.tenant,
            question.limits,
            status=int(httpx.codes.TOO_MANY_REQUESTS) if is_busy else status,
            retry_after=asked_to_wait,
            headers=headers,
        )
        if refusal is None:
            return self._whole(response, headers)
        if refusal.meaning in {"busy", "broken"}:
            raise TransientError(
                refusal.says, is_throttling=is_busy, retry_after=asked_to_wait, status=status, code=code
            )
        raise _refused(refusal.meaning, refusal.says, refusal.todo, status, code)

    def _whole(self, response: httpx.Response, headers: Mapping[str, str]) -> Answer:
        body = response.content
        if response.status_code != _NO_CONTENT:
            try:
                require_document(body)
            except IncompleteError as error:
                raise TransientError(str(error), status=response.status_code) from None
            except TooLargeError as error:
                raise CollectionError("error", str(error), status=response.status_code) from None
        return Answer(response.status_code, headers, body, self.now())


_OVER: Final = "the time for this tenant was over"
_NEXT_RUN: Final = "the next run goes on where this one stopped"


def _absolute(url: str, what: str, headers: Mapping[str, str] | None) -> RequestInformation:
    """Return a GET of an address that is sent as it was written."""
    if not url:
        raise LinkRefusedError(what, "")
    info = RequestInformation(Method.GET)
    info.url = url
    info.headers.add_all(dict(headers or {}))
    info.add_request_options([ParametersNameDecodingHandlerOption(enable=False)])
    return info


def _refused(meaning: str, says: str, todo: str, status: int, code: str) -> CollectionError:
    """Return the error for a refusal that stays one."""
    text = f"{says} (HTTP {status}{f', {code}' if code else ''})"
    if meaning == "stale_link":
        return StaleLinkError("error", text, hint=todo, status=status, code=code)
    if meaning == "not_found":
        return NotFoundError("error", text, hint=todo, status=status, code=code)
    reason = next(each for each in GAP_REASONS if each == meaning)
    return CollectionError(reason, text, hint=todo, status=status, code=code)


def _given_up(error: TransientError, sent: int) -> CollectionError:
    """Return the error for a fault or a limit that lasted."""
    times = "one request" if sent == 1 else f"{sent} requests"
    status = f"HTTP {error.status}" if error.status else "no answer"
    text = f"{error.why} ({status}{f', {error.code}' if error.code else ''}; given up after {times})"
    reason: GapReason = "throttled" if error.is_throttling else "error"
    return CollectionError(reason, text, hint=_NEXT_RUN, status=error.status, code=error.code)

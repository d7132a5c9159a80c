"""Owns how one thing is asked of Microsoft until there is an answer or no hope: limits, tokens, redirects, time.

Must never repeat what changes something without having looked, and never loop without a bound.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import httpx
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ParametersNameDecodingHandlerOption

from m365audit.graph.answers import NEXT_RUN, Answer, Heard, given_up, heard
from m365audit.graph.body import REDIRECT
from m365audit.graph.claims import demanded_claims
from m365audit.graph.clock import MicrosoftClock
from m365audit.graph.exchange import Exchange
from m365audit.graph.failures import CollectionError, LinkRefusedError, SignInError
from m365audit.graph.guard import Sending
from m365audit.graph.limits import Size
from m365audit.graph.retry import Patience, TransientError, policy

_MAX_REDIRECTS: Final = 3
_OVER: Final = "the time for this tenant was over"


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

    def note_size(self, tenant: str, size: Size) -> None:
        """Learn how large a tenant is."""
        ...

    def slot(
        self, tenant: str, name: str, *, on_wait: Callable[[float, str], None] | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Hold one of the places of what may run side by side."""
        ...


@dataclass(slots=True)
class Question:
    """One thing to be asked.

    Attributes:
        info: the request.
        limits: the throttle's limits that hold for it.
        cost: what it costs of them.
        is_beta: it goes to Graph's beta, when the SDK's builders made it.
        what: where its address was found.
        look_first: of a request that changes something: looks whether it took effect.
        sent: times that it may have been sent.
    """

    info: RequestInformation
    limits: Sequence[str]
    cost: float = 1
    is_beta: bool = False
    what: str = "next_link"
    look_first: Callable[[], Awaitable[Answer | None]] | None = None
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Timing:
    """Time, and how it passes.

    Attributes:
        clock: seconds since some moment.
        sleep: how waiting is done.
        request_seconds: longest time for one request.
        ends_at: when the tenant's time is over, by ``clock``.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    request_seconds: float
    ends_at: float = math.inf

    def remaining(self) -> float:
        """Return the seconds that the tenant still has."""
        return self.ends_at - self.clock()


class Conversation:
    """Asks one tenant's questions.

    Attributes:
        requests: made so far.
        microsoft: what time it is there.
    """

    def __init__(
        self,
        tenant: str,
        exchange: Exchange,
        throttle: Admission,
        timing: Timing,
        on_wait: Callable[[float, str], None],
    ) -> None:
        self._tenant = tenant
        self._exchange = exchange
        self._throttle = throttle
        self._timing = timing
        self._on_wait = on_wait
        self._is_limited = False
        self.requests = 0
        self.microsoft = MicrosoftClock(timing.clock)

    def now(self) -> datetime:
        """Return the time by Microsoft's clock."""
        return self.microsoft.now()

    async def ask(self, question: Question) -> Answer:
        """Ask until there is an answer, or a fault or a limit counts as lasting, or time is over.

        Raises:
            CollectionError: and its children, with the reason.
        """
        attempts = policy(
            Patience(self._timing.remaining),
            on_wait=lambda seconds, error: self._on_wait(seconds, error.why),
            sleep=self._timing.sleep,
        )
        try:
            return await attempts(self._attempt, question)
        except TransientError as error:
            raise given_up(error, question.sent) from None

    async def _attempt(self, question: Question) -> Answer:
        """Ask once, and after a fault leave the connections that it happened on."""
        try:
            return await self._admitted(question)
        except TransientError as error:
            self._is_limited |= error.is_throttling
            if not error.is_throttling:
                await self._exchange.renew()
            raise

    async def _admitted(self, question: Question) -> Answer:
        """Ask; with one fresh token when the one before is not taken, once with claims, through few redirects."""
        sending, redirects = Sending(question.what), 0
        while True:
            if question.look_first is not None and question.sent:
                found = await question.look_first()
                if found is not None:
                    return found
            came = await self._once(question, sending)
            if came.response.status_code == httpx.codes.UNAUTHORIZED:
                sending = _next_sending(came, sending)
            elif (target := came.response.extensions.get(REDIRECT)) is not None:
                redirects += 1
                question.info = self._followed(question, target, came.response.status_code, redirects)
                sending = Sending("redirect", sending.claims, sending.is_fresh)
            else:
                return came.answer()

    async def _once(self, question: Question, sending: Sending) -> Heard:
        """Send a question when the limits permit; hear the time, tell the throttle what came back."""
        await self._wait_for_limits(question)
        seconds = max(min(self._timing.request_seconds, self._timing.remaining()), 0)
        self.requests += 1
        question.sent += 1
        try:
            async with asyncio.timeout(seconds):
                response = await self._exchange.send(question.info, sending, is_beta=question.is_beta)
        except TimeoutError:
            raise TransientError(f"there was no whole answer within {seconds:.0f} seconds") from None
        except (LinkRefusedError, SignInError):
            self.requests -= 1
            question.sent -= 1
            raise
        came = heard(response, self.now())
        if came.is_microsofts:
            self.microsoft.hear(response.headers.get("date"))
        self._throttle.note_answer(
            self._tenant,
            question.limits,
            status=came.status,
            retry_after=came.asked_to_wait,
            headers=dict(response.headers),
        )
        return came

    async def _wait_for_limits(self, question: Question) -> None:
        """Return when the request may go.

        Raises:
            CollectionError: the tenant's time is over before.
        """

        def on_wait(seconds: float, why: str) -> None:
            self._is_limited = True
            self._on_wait(seconds, why)

        left = self._timing.remaining()
        try:
            async with asyncio.timeout(None if left == math.inf else max(left, 0)):
                await self._throttle.admit(self._tenant, question.limits, cost=question.cost, on_wait=on_wait)
        except TimeoutError:
            left = 0
        if left <= 0:
            raise CollectionError("throttled" if self._is_limited else "error", _OVER, hint=NEXT_RUN)

    def _followed(self, question: Question, target: str, status: int, redirects: int) -> RequestInformation:
        """Return the request for the place that a redirect names, if it is one of the configuration's.

        Raises:
            LinkRefusedError: it is not.
            CollectionError: only reading is redirected, and only a few times.
        """
        self._exchange.check(target, "redirect")
        if question.look_first is not None or redirects > _MAX_REDIRECTS:
            raise CollectionError("error", "Microsoft sent the request elsewhere", status=status)
        return absolute(target, "redirect")


def _next_sending(came: Heard, sending: Sending) -> Sending:
    """Return how to ask again after 401: with the claims demanded, or with a fresh token; each once.

    Raises:
        SignInError: that was tried.
        CollectionError: this 401 is not about the token.
    """
    if came.refusal is not None and came.refusal.meaning != "error":
        came.answer()
    claims = demanded_claims(came.response.headers.get("www-authenticate"))
    if claims and not sending.claims:
        return Sending(sending.what, claims)
    if not claims and not sending.is_fresh:
        return Sending(sending.what, sending.claims, is_fresh=True)
    raise SignInError(
        "Microsoft does not accept the auditor's token",
        hint="look whether the app or its credential was disabled; `m365audit doctor` says more",
        is_refused=True,
        code=came.code,
    )


def absolute(url: str, what: str, headers: Mapping[str, str] | None = None) -> RequestInformation:
    """Return a GET of an address that is sent as it was written.

    Raises:
        LinkRefusedError: it is empty.
    """
    if not url:
        raise LinkRefusedError(what, "")
    info = RequestInformation(Method.GET)
    info.url = url
    info.headers.add_all(dict(headers or {}))
    info.add_request_options([ParametersNameDecodingHandlerOption(enable=False)])
    return info

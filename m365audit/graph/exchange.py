"""Owns one request and its answer: built by the SDK, signed behind the guard, sent over the wire, read whole.

Must never ask twice, and never follow an answer anywhere: that is the client's.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final
from uuid import uuid4

import httpx
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.parameters_name_decoding_handler import ParametersNameDecodingHandler
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]
from opentelemetry.trace import INVALID_SPAN

from m365audit import __version__
from m365audit.graph.body import IncompleteError, TooLargeError, WholeBodies
from m365audit.graph.clouds import Cloud, Service
from m365audit.graph.failures import CollectionError
from m365audit.graph.guard import Guard, GuardedSigning, Sending
from m365audit.graph.retry import TransientError

_HEADERS: Final = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"m365audit/{__version__}",
}
_PREFER: Final = "include-unknown-enum-members"  # without it, new kinds of records hide behind `unknownFutureValue`

# At its usual level this logger writes every address with its query: skip tokens, filters, names of people.
logging.getLogger("httpx").setLevel(logging.WARNING)


class _Adapter(GraphRequestAdapter):
    """Kiota's adapter without its own answer to claims challenges: there is one policy, and it is the client's."""

    async def retry_cae_response_if_required(
        self, resp: httpx.Response, request_info: RequestInformation, claims: str
    ) -> httpx.Response:
        del request_info, claims
        return resp


class Exchange:
    """One tenant's way to Microsoft.

    Args:
        cloud: whose places may be asked.
        token: gives a token for a service.
        opened: makes the transport with the connections.
        max_bytes: largest answer.

    Attributes:
        sdk: builds requests (v1.0).
    """

    def __init__(
        self,
        cloud: Cloud,
        token: Callable[[Service, Sending], Awaitable[str]],
        opened: Callable[[], httpx.AsyncBaseTransport],
        max_bytes: int,
    ) -> None:
        self._bodies = WholeBodies(opened, max_bytes=max_bytes)
        self._http: httpx.AsyncClient = GraphClientFactory.create_with_custom_middleware(
            [ParametersNameDecodingHandler()],
            client=httpx.AsyncClient(
                transport=self._bodies,
                headers=_HEADERS,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
                follow_redirects=False,
                timeout=None,  # noqa: S113 - the wire has its own for silence, the client for the whole request
                trust_env=False,
            ),
        )
        guard = Guard(cloud)
        self.check = guard.check
        signing = GuardedSigning(guard, token)
        self._stable, self._beta = (_Adapter(signing, self._http) for _ in range(2))
        self._stable.base_url, self._beta.base_url = f"{cloud.graph}/v1.0", f"{cloud.graph}/beta"
        self.sdk = GraphServiceClient(request_adapter=self._stable)

    async def send(self, info: RequestInformation, sending: Sending, *, is_beta: bool) -> httpx.Response:
        """Send a request once and return its answer, read whole, whatever its status.

        Raises:
            TransientError: there is no whole answer.
            LinkRefusedError: the request goes where the configuration names no place; nothing was sent.
            SignInError: there is no token.
            CollectionError: the answer is larger than what is taken.
        """
        info.add_request_options([sending])
        info.headers.remove("client-request-id")
        info.headers.add("client-request-id", str(uuid4()))
        info.headers.add("Prefer", _PREFER)
        adapter = self._beta if is_beta else self._stable
        failure: TransientError | CollectionError
        try:
            response: httpx.Response = await adapter.get_http_response_message(info, INVALID_SPAN)
        except (httpx.TransportError, IncompleteError) as error:
            failure = TransientError(str(error))
        except TooLargeError as error:
            failure = CollectionError("error", str(error), hint="ask for fewer records a page")
        else:
            return response
        finally:
            info.headers.remove("Authorization")
        raise failure  # out here it does not drag httpx's error along, which holds the request

    async def renew(self) -> None:
        """Use new connections from now on."""
        await self._bodies.renew()

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()
        await self._bodies.aclose()  # msgraph-core's transport around it does not hand this on

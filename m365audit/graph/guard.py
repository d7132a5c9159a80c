"""Owns the one question whether a token may travel to an address, and the one place where it is put on a request.

Every address comes by here, our own and those that answers name. Must never guess what a doubtful address means:
what is not written exactly like an https address of a configured origin is refused.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation
from kiota_abstractions.request_option import RequestOption

from m365audit.graph.clouds import Cloud, Service
from m365audit.graph.failures import LinkRefusedError

MAX_LENGTH: Final = 65_000
"""Longest address taken, in characters; the HTTP library stops at 65,536. Skip tokens of many kilobytes are known."""

# Scheme, host, port, path and query as RFC 3986 writes them, and nothing that two parsers could read differently: no
# user, no backslash, no control character, no fragment. Behind the first slash, where no parser looks for a host any
# more, spaces and letters of other scripts pass, as some services write them unescaped.
_ADDRESS: Final = re.compile(
    r"(?P<scheme>https)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?:/[^\x00-\x1f\x7f-\x9f\\#]*)?",
    re.IGNORECASE | re.ASCII,
)
_SHOWN: Final = re.compile(r"[^/?#]*//[^/?#]*|[^/?#]+")
_HTTPS: Final = 443


def origin(address: str) -> str | None:
    """Return scheme, host and port of an https address in one spelling, None for everything that is not one."""
    match = _ADDRESS.fullmatch(address) if len(address) <= MAX_LENGTH else None
    return match and f"https://{match['host'].lower()}:{int(match['port'] or _HTTPS)}"


class Guard:
    """Knows the origins of one cloud."""

    def __init__(self, cloud: Cloud) -> None:
        self._services: dict[str, Service] = {}
        for service in cloud.services:
            found = origin(cloud.origin(service))
            if found is not None:
                self._services.setdefault(found, service)

    def check(self, address: str, what: str) -> Service:
        """Return whose address this is.

        Args:
            address: absolute, as it was written.
            what: where it was found: ``next_link``, ``content_uri``, ``redirect`` or ``location``.

        Raises:
            LinkRefusedError: the configuration names no such origin.
        """
        service = self._services.get(origin(address) or "")
        if service is None:
            raise LinkRefusedError(what, _shown(address))
        return service


def _shown(address: str) -> str:
    """Return what can be shown of a refused address: neither user, path nor query, and nothing that moves a cursor."""
    match = _SHOWN.match(address)
    place = match[0].rpartition("@") if match else ("", "", "")
    scheme = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]{0,20}:", place[0]) if place[1] else None
    return ascii((scheme[0] + "//" if scheme else "") + place[2])[1:-1]


@dataclass(frozen=True, slots=True)
class Sending(RequestOption):
    """How a request is to be signed.

    Attributes:
        what: where its address was found, for the refusal.
        claims: what Microsoft demanded to know anew, as JSON; empty when nothing.
        is_fresh: a token that was kept is not good enough.
    """

    what: str = "next_link"
    claims: str = ""
    is_fresh: bool = False

    @staticmethod
    def get_key() -> str:
        """Return the name under which a request carries this."""
        return "m365audit_sending"


class GuardedSigning(AuthenticationProvider):
    """Puts the Authorization header on requests, the only place that does, and looks first where they go."""

    def __init__(self, guard: Guard, token: Callable[[Service, Sending], Awaitable[str]]) -> None:
        self._guard = guard
        self._token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
    ) -> None:
        """Sign a request for the service that its address belongs to.

        Raises:
            LinkRefusedError: it goes where the configuration names no place.
            SignInError: there is no token.
        """
        del additional_authentication_context  # Kiota's own answer to a claims challenge; the client has one of its own
        sending = request.request_options.get(Sending.get_key())
        sending = sending if isinstance(sending, Sending) else Sending()
        service = self._guard.check(request.url, sending.what)
        token = await self._token(service, sending)
        request.headers.remove("Authorization")
        request.headers.add("Authorization", f"Bearer {token}")

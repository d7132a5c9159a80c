"""Owns a second server that nobody should ever ask: it keeps every contact. Must never answer with anything useful."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Contact:
    """One request that reached the other server.

    Attributes:
        url: what was asked for.
        had_token: an Authorization header came with it.
        is_plain: without TLS.
    """

    url: str
    had_token: bool
    is_plain: bool


class Elsewhere:
    """The other server, once with TLS (the same authority vouches for it) and once without.

    Attributes:
        contacts: every request that came.
        origin: its https address.
        plain_origin: its http address.
    """

    def __init__(self) -> None:
        self.contacts: list[Contact] = []
        self.origin = ""
        self.plain_origin = ""

    async def secure(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep a request over TLS."""
        return self._keep(request, is_plain=False)

    async def plain(self, request: web.BaseRequest) -> web.StreamResponse:
        """Keep a request without TLS."""
        return self._keep(request, is_plain=True)

    def _keep(self, request: web.BaseRequest, *, is_plain: bool) -> web.StreamResponse:
        self.contacts.append(Contact(request.raw_path, "Authorization" in request.headers, is_plain))
        return web.json_response({"value": []})

"""Owns what was asked of the simulator, request by request. Must never keep a secret: tests print it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, urlencode

import msgspec

UNANSWERED: Final = -1
"""Status of a request that is being answered, or broke whoever answers it."""

_SECRET_FIELDS: Final = {"client_secret", "client_assertion", "refresh_token", "code", "code_verifier", "password"}


@dataclass(slots=True)
class Logged:
    """One request and what became of it.

    Attributes:
        at: simulated time at which it came.
        service: ``login``, ``graph``, ``manage`` or ``storage``; empty when none answers there.
        method: HTTP method.
        path: path without query.
        query: query as it was sent.
        tenant: tenant of its path or token, empty when neither names one.
        client: application id in its token, empty without.
        had_token: an Authorization header came with it.
        status: status that was answered; 0 when none was; `UNANSWERED` while none is.
        sent: bytes of body that were answered.
        body: body of the request; secrets of sign-in are cut out.
        faults: names of the faults that it met.
        is_inner: it came within a ``$batch``.
        peer: port that it came from: another one means another connection.
    """

    at: datetime
    service: str
    method: str
    path: str
    query: str = ""
    tenant: str = ""
    client: str = ""
    had_token: bool = False
    status: int = UNANSWERED
    sent: int = 0
    body: bytes = b""
    faults: tuple[str, ...] = ()
    is_inner: bool = False
    peer: int = 0

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return f"{self.at:%H:%M:%S} {self.method} {self.service}{self.path}{query} {self.status} {self.sent}"


class RequestLog:
    """Every request in the order of arrival. Other threads may read it while the simulator runs."""

    def __init__(self) -> None:
        self._requests: list[Logged] = []

    def note(self, logged: Logged) -> None:
        """Keep a request; its status follows when it is answered."""
        self._requests.append(logged)

    def __iter__(self) -> Iterator[Logged]:
        return iter(self._requests[:])

    def __len__(self) -> int:
        return len(self._requests)

    def to(self, part_of_path: str, *, method: str | None = None, tenant: str | None = None) -> list[Logged]:
        """Return the requests whose path holds this text."""
        return [
            r
            for r in self
            if part_of_path in r.path and method in {None, r.method} and (tenant is None or r.tenant == tenant)
        ]


def without_secrets(body: bytes, content_type: str) -> bytes:
    """Return a request's body as it may be kept: fields of a form that would let one sign in are emptied."""
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return body
    fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return urlencode([(name, "" if name in _SECRET_FIELDS else value) for name, value in fields]).encode()


def writes(log: Iterable[Logged]) -> list[Logged]:
    """Return every request that could have changed a tenant; an auditor's log must have none.

    Allowed besides GET: a token request, ``subscriptions/start``, making an audit query, a ``$batch`` of GETs.
    """
    return [request for request in log if not _is_harmless(request)]


def _is_harmless(request: Logged) -> bool:
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        return True
    if request.method != "POST":
        return False
    if request.service == "login":
        return request.path.endswith(("/oauth2/v2.0/token", "/oauth2/v2.0/devicecode"))
    if request.service == "manage":
        return request.path.endswith("/activity/feed/subscriptions/start")
    if request.path.endswith("/$batch"):
        return _holds_only_gets(request.body)
    return request.service == "graph" and request.path.endswith("/security/auditLog/queries")


def _holds_only_gets(body: bytes) -> bool:
    try:
        inner = msgspec.json.decode(body)["requests"]
        return all(str(request["method"]).upper() == "GET" for request in inner)
    except (msgspec.DecodeError, KeyError, TypeError):
        return False

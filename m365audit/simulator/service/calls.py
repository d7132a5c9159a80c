"""Owns what passes between the wire and the services: a call, an answer, a page. Must never know aiohttp."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import parse_qsl

import msgspec

from m365audit.simulator.served import ServedTenant

if TYPE_CHECKING:
    from m365audit.simulator.service.paging import Snapshot

Service = Literal["login", "graph", "manage"]
JSON: Final = "application/json; charset=utf-8"
GRAPH_JSON: Final = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"


@dataclass(slots=True)
class Bearer:
    """What a verified access token says.

    Attributes:
        number: which token it is, by order of issue.
        tenant: tenant id.
        client: application id.
        roles: application permissions, of the service it is for.
        scopes: delegated permissions, when a person signed in.
        had_claims: it was asked for with the claims of a challenge.
    """

    number: int
    tenant: str
    client: str
    roles: frozenset[str]
    scopes: frozenset[str]
    had_claims: bool = False


@dataclass(slots=True)
class Call:
    """One request, read whole.

    Attributes:
        service: which service it came to.
        method: upper case.
        path: decoded, without query.
        raw_query: query as sent.
        headers: names in lower case.
        body: bytes.
        origin: scheme, host and port under which the caller knows the service; links are built with it.
        at: simulated time of its arrival.
        tenant: set once known.
        bearer: set once its token is verified.
        is_inner: it is part of a ``$batch``.
        faults: names of faults that it met.
        place: the listing, and the place in it, that its page came from.
    """

    service: Service
    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    origin: str
    at: datetime
    tenant: ServedTenant | None = None
    bearer: Bearer | None = None
    is_inner: bool = False
    faults: list[str] = field(default_factory=list)
    place: tuple[Snapshot, int] | None = None

    @property
    def query(self) -> dict[str, str]:
        """Options by name; a name that comes twice keeps its last value."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def url(self) -> str:
        """The address that was asked for."""
        return f"{self.origin}{self.path}" + (f"?{self.raw_query}" if self.raw_query else "")

    def form(self) -> dict[str, str]:
        """Return the fields of a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Any:
        """Return the body as JSON.

        Raises:
            RefusedError: it is none.
        """
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise RefusedError(graph_error(400, "BadRequest", "Unable to read JSON request payload.")) from error


@dataclass(slots=True)
class Page:
    """A page of a listing before it becomes bytes, so that a fault can still change it.

    Attributes:
        before: JSON in front of the records.
        records: encoded records.
        next_link: address of the next page.
    """

    before: bytes
    records: list[bytes]
    next_link: str | None = None

    def encoded(self) -> bytes:
        """Return the page as bytes."""
        link = b',"@odata.nextLink":' + msgspec.json.encode(self.next_link) if self.next_link is not None else b""
        return b"".join((self.before, b"[", b",".join(self.records), b"]", link, b"}"))


@dataclass(slots=True)
class Answer:
    """What is answered.

    Attributes:
        status: HTTP status.
        body: bytes, when there is no page.
        headers: without ``Date`` and ``Content-Length``.
        page: a page of records, in place of a body.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    page: Page | None = None

    def payload(self) -> bytes:
        """Return the body as it goes over the wire, uncompressed."""
        return self.body if self.page is None else self.page.encoded()


class RefusedError(Exception):
    """A request is answered with an error; the answer is all there is to say."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status} {answer.body[:200]!r}")
        self.answer = answer


def json_answer(value: object, *, status: int = 200, content_type: str = JSON) -> Answer:
    """Return a value as an answer."""
    return Answer(status, msgspec.json.encode(value), {"Content-Type": content_type})


def graph_error(status: int, code: str, message: str, **headers: str) -> Answer:
    """Return an error as Graph words it."""
    inner = {"request-id": str(uuid.uuid4()), "client-request-id": str(uuid.uuid4())}
    answer = json_answer({"error": {"code": code, "message": message, "innerError": inner}}, status=status)
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


def manage_error(status: int, code: str, message: str, **headers: str) -> Answer:
    """Return an error as the Management Activity API words it."""
    answer = json_answer({"error": {"code": code, "message": message}}, status=status)
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer

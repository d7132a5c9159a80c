"""The unified audit log through Graph's audit queries, for what is older than the Management Activity API keeps.

``POST /security/auditLog/queries`` makes a query, the second of the two writes that collection makes: never while the
list of queries shows that it was made before. It is polled until it is over, and its records are read twice: the same
finished query is known to have given different numbers. Where v1.0 knows no queries, beta is asked.

Permission AuditLogsQuery.Read.All; the narrower ones leave Teams out. Limits: 200 queries a day and 50 at a time for
all apps together, a million records each; beyond, the query still succeeds, and says so in a flag. Each query stays in
the tenant as a saved search. Global cloud only. Kept: 180 days for every service.
Source: learn.microsoft.com/graph/throttling-limits, /graph/api/resources/security-auditlogquery, published metadata;
CIPP and langwatch #7142 for queries that do not end, for 404 in v1.0 and for differing numbers.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from m365audit.graph.failures import CollectionError, NotFoundError
from m365audit.graph.feeds.collection import Answer, Client, Collection, Permission
from m365audit.graph.moments import literal
from m365audit.graph.paging import Listing, Progress, follow
from m365audit.graph.splitting import TooManyError, read_window, whole_window
from m365audit.graph.values import Ended, Page, Task, Window

PERMISSION: Final = Permission("graph", "AuditLogsQuery.Read.All", "5e1e9171-754d-478c-812c-f1755a9a4c2d")
LIMITS: Final = ("audit_queries",)
PATIENCE: Final = timedelta(hours=2)
"""How long a query is waited for in one run; the next one takes it up."""

ADOPTED: Final = timedelta(hours=12)
"""A query that an earlier run made is taken up while it is not older."""

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_SOURCE: Final = "GET /security/auditLog/queries/{id}/records"
_READINGS: Final = 4
_TRIES: Final = 2
_UNDER_WAY: Final = ("notstarted", "running")
_ODATA: Final = re.compile(rb'\s*"@odata\.\w+"\s*:\s*"[^"\\]*"\s*(,\s*|(?=\}))')
_NOT_A_QUERY: Final = "Microsoft's answer is not an audit query"

Sleep = Callable[[float], Awaitable[None]]


class _Query(msgspec.Struct, rename="camel"):
    id: str = ""
    display_name: str | None = None
    status: str | None = None
    is_record_count_limit_exceeded: bool | None = None


class _Wrapped(msgspec.Struct, rename="camel"):
    audit_data: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)


_read_query = msgspec.json.Decoder(_Query).decode
_read_wrapped = msgspec.json.Decoder(_Wrapped).decode
_read_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def bare_record(record: bytes) -> bytes:
    """Return the record that a query's row wraps, as the Management API writes it; the row itself when it wraps none.

    OData's own notes in it (``@odata.type``) are no part of the record; everything else keeps its bytes.
    """
    try:
        inner = bytes(_read_wrapped(record).audit_data)
        if inner.startswith(b'"'):
            inner = msgspec.json.decode(inner, type=str).encode()
        if not inner.startswith(b"{"):
            return record
        inner = b"{" + _without_notes(inner[1:])
        members = _read_members(inner)
    except (msgspec.MsgspecError, UnicodeError):
        return record
    if not {"Id", "CreationTime"} <= members.keys():
        return record
    if any(name.startswith("@odata.") for name in members):
        return msgspec.json.encode({name: raw for name, raw in members.items() if not name.startswith("@odata.")})
    return inner


def _without_notes(members: bytes) -> bytes:
    """Cut notes off the front, where they stand nearly always, without touching what follows."""
    while match := _ODATA.match(members):
        members = members[match.end() :]
    return members


@dataclass(slots=True)
class _Reader:
    """One task's queries.

    Attributes:
        sleep: how waiting is done.
        read_before: ids of queries whose records earlier runs read: another look needs another query.
        is_beta: v1.0 knows no queries here.
        query: the newest one, for the cursor.
    """

    sleep: Sleep
    read_before: frozenset[str]
    is_beta: bool = False
    query: str = ""

    async def read(self, client: Client, task: Task, window: Window, progress: Progress) -> AsyncIterator[Page]:
        """Read one part of the window by one query."""
        async with client.slot("audit_queries"):
            query = await self._finished(client, task, window, progress)
        if query.is_record_count_limit_exceeded:
            raise TooManyError("error", "an audit query found more records than it may return")
        self.query = query.id
        seen: set[int] = set()
        before = -1  # the first reading confirms nothing
        for _ in range(_READINGS):
            count = 0
            known = len(seen)
            async for page in follow(client, task, self._records(query), None, progress):
                count += len(page.records)
                fresh = [record for record in page.records if hash(record) not in seen]
                seen.update(map(hash, fresh))
                if fresh:
                    yield replace(page, records=[bare_record(record) for record in fresh])
            if len(seen) == known and count in {before, known}:
                return
            before = count
        raise CollectionError(
            "error", "an audit query that is over gave different records each time", hint="the next run makes another"
        )

    async def _finished(self, client: Client, task: Task, window: Window, progress: Progress) -> _Query:
        """Return a query that succeeded; one that failed is made once again."""
        for _ in range(_TRIES):
            query = await self._adopted(client, task, window) or await self._made(client, task, window)
            query = await self._over(client, query, progress)
            status = (query.status or "").casefold()
            if status == "succeeded":
                return query
            self.read_before |= {query.id}
        raise CollectionError(
            "error", f"Microsoft's audit query ended as {status[:40]}", hint="the next run asks again"
        )

    async def _over(self, client: Client, query: _Query, progress: Progress) -> _Query:
        """Wait for the end of a query."""
        pause, waited = _FIRST_PAUSE, 0.0
        while (query.status or "").casefold() in _UNDER_WAY:
            if waited >= PATIENCE.total_seconds():
                raise CollectionError(
                    "throttled", "Microsoft's audit query is still running", hint="the next run takes it up"
                )
            await self.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, _LONGEST_PAUSE)
            progress.requests += 1
            info = client.sdk.security.audit_log.queries.by_audit_log_query_id(query.id).to_get_request_information()
            query = _query_of(await client.send(info, limits=LIMITS, is_beta=self.is_beta))
        return query

    async def _adopted(self, client: Client, task: Task, window: Window) -> _Query | None:
        """Return a query for the same window that an earlier run made and did not read."""
        prefix = _prefix(window)
        async for query in self._existing(client, task):
            name = query.display_name or ""
            made_at = _made_at(name.removeprefix(prefix)) if name.startswith(prefix) else None
            is_young = made_at is not None and client.now() - made_at < ADOPTED
            is_usable = (query.status or "").casefold() in {*_UNDER_WAY, "succeeded"}
            if is_young and is_usable and query.id not in self.read_before:
                return query
        return None

    async def _made(self, client: Client, task: Task, window: Window) -> _Query:
        name = _prefix(window) + literal(client.now().replace(microsecond=0))
        body = msgspec.json.encode(
            {
                "@odata.type": "#microsoft.graph.security.auditLogQuery",
                "displayName": name,
                "filterStartDateTime": literal(window.begin),
                "filterEndDateTime": literal(window.end),
            }
        )

        async def look_first() -> Answer | None:
            async for query in self._existing(client, task):
                if query.display_name == name:
                    return Answer(200, {}, msgspec.json.encode(query), client.now())
            return None

        while True:
            info = client.sdk.security.audit_log.queries.to_get_request_information()
            try:
                return _query_of(
                    await client.post(info, body=body, limits=LIMITS, look_first=look_first, is_beta=self.is_beta)
                )
            except NotFoundError:
                if self.is_beta:
                    raise
                self.is_beta = True

    async def _existing(self, client: Client, task: Task) -> AsyncIterator[_Query]:
        """Yield the queries that there are."""
        listing = Listing("GET /security/auditLog/queries", self._list, LIMITS, sizes=(0,))
        async for page in follow(client, task, listing, None, Progress()):
            for record in page.records:
                yield _query_of_record(record)

    async def _list(self, client: Client, _window: Window | None, _size: int) -> Answer:
        info = client.sdk.security.audit_log.queries.to_get_request_information()
        try:
            return await client.send(info, limits=LIMITS, is_beta=self.is_beta)
        except NotFoundError:
            if self.is_beta:
                raise
            self.is_beta = True
            return await self._list(client, _window, _size)

    def _records(self, query: _Query) -> Listing:
        async def ask(client: Client, _window: Window | None, _size: int) -> Answer:
            records = client.sdk.security.audit_log.queries.by_audit_log_query_id(query.id).records
            return await client.send(records.to_get_request_information(), limits=LIMITS, is_beta=self.is_beta)

        return Listing(_SOURCE, ask, LIMITS, sizes=(0,))


def _prefix(window: Window) -> str:
    return f"m365audit {literal(window.begin)}/{literal(window.end)} made "


def _made_at(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None


def _query_of(answer: Answer) -> _Query:
    return _query_of_record(answer.body)


def _query_of_record(record: bytes) -> _Query:
    try:
        query = _read_query(record)
    except msgspec.MsgspecError:
        raise CollectionError("error", _NOT_A_QUERY) from None
    if not query.id:
        raise CollectionError("error", _NOT_A_QUERY)
    return query


def _memory(query: str) -> str:
    return f"audit_query/{query}"


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read one window by as many queries as it needs.

    Raises:
        CollectionError: it was not read; parts that have an end were.
    """
    whole_window(task)
    if not client.cloud.has_audit_queries:
        raise CollectionError("expired", "this cloud has no audit queries, and nothing else keeps what is that old")
    reader = _Reader(client.pause, frozenset(name.removeprefix(_memory("")) for name, _ in task.cursors))
    async for event in read_window(client, task, reader.read, narrowest=timedelta(minutes=1)):
        if isinstance(event, Ended) and event.reason is None and reader.query:
            # Told together with the end, so that a run that is killed before takes the query up again.
            yield Page(task, (), source=_SOURCE, next_cursor=(_memory(reader.query), 1))
        yield event


COLLECTION: Final = Collection(
    name="audit_queries",
    feeds=("audit_exchange", "audit_sharepoint", "audit_teams", "audit_entra", "audit_other"),
    kind="audit_records",
    permissions=(PERMISSION,),
    licence=(),
    window=timedelta(days=30),
    reach=timedelta(days=180),
    key="Id",
    limits=(
        "200 queries in 24 hours and 50 queued or running per tenant for all apps, 1,000,000 records a query "
        "(learn.microsoft.com/graph/throttling-limits); 10 at a time are taken here"
    ),
    unassessable="what the unified audit log held of the time before the last seven days",
    pull=pull,
    first_reach=timedelta(days=30),
    # Two days before the other source forgets: what it reads on its last days it could never read again to settle it.
    older_than=timedelta(days=5),
    takes_over=timedelta(days=7),
)

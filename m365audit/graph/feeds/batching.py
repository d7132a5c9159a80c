"""Many small listings in few requests: ``$batch`` of GETs, twenty at a time. Must never carry anything but GETs.

A batch only saves journeys: each question in it is counted and refused on its own, and answers come in any order. What
is not answered there as it should be is asked again alone, where limits, retries and reasons are known.
Source: learn.microsoft.com/graph/json-batching.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from m365audit.graph.documents import page_in
from m365audit.graph.failures import CollectionError, NotFoundError, StaleLinkError
from m365audit.graph.feeds.collection import Answer, Client
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY, whole
from m365audit.graph.values import Task

SIZE: Final = 20
_OK: Final = 200


class _Inner(msgspec.Struct):
    id: str
    status: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Batch(msgspec.Struct):
    responses: list[_Inner]


async def listings(
    client: Client, task: Task, paths: Sequence[str], *, cost: float = 1
) -> AsyncIterator[tuple[str, list[bytes] | None]]:
    """Read a listing for each path, whole; None where the object is gone.

    Args:
        client: the tenant's.
        task: the pull that asks.
        paths: below the version of the API, e.g. ``/servicePrincipals/{id}/appRoleAssignments``.
        cost: resource units of each.

    Raises:
        CollectionError: one of them could not be read.
    """
    for first in range(0, len(paths), SIZE):
        some = paths[first : first + SIZE]
        answered = await _asked(client, some, cost)
        for place, path in enumerate(some):
            yield path, await _listing(client, task, path, answered.get(str(place)), cost)


async def _asked(client: Client, paths: Sequence[str], cost: float) -> dict[str, _Inner]:
    requests = [{"id": str(place), "method": "GET", "url": path} for place, path in enumerate(paths)]
    body = msgspec.json.encode({"requests": requests})
    answer = await client.post(
        f"{client.cloud.graph}/v1.0/$batch", body=body, limits=DIRECTORY, look_first=_nothing, cost=cost * len(paths)
    )
    try:
        return {inner.id: inner for inner in msgspec.json.decode(answer.body, type=_Batch).responses}
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return {}


async def _nothing() -> Answer | None:
    """GETs take no effect that could be looked for: the batch may be sent again."""
    return None


async def _listing(client: Client, task: Task, path: str, inner: _Inner | None, cost: float) -> list[bytes] | None:
    """Return a listing whose first page may have come with a batch; what did not come is asked for."""
    found, link = _first_page(inner) or ([], _address(client, path))
    if link is None:
        return found
    try:
        return found + await whole(client, task, lambda _: link, source=path, cost=cost, sizes=ANY_SIZE)
    except NotFoundError:
        return None
    except StaleLinkError:
        return await whole(client, task, lambda _: _address(client, path), source=path, cost=cost, sizes=ANY_SIZE)


def _first_page(inner: _Inner | None) -> tuple[list[bytes], str | None] | None:
    if inner is None or inner.status != _OK:
        return None
    try:
        return page_in(bytes(inner.body))
    except CollectionError:
        return None


def _address(client: Client, path: str) -> str:
    return f"{client.cloud.graph}/v1.0{path}"

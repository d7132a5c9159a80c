"""Owns pages: snapshots of a listing, opaque skip tokens bound to their query. Must never choose the records."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from m365audit.simulator.served import Record
from m365audit.simulator.service.calls import Call, RefusedError, graph_error
from m365audit.simulator.service.tokens import unpadded

_KEPT: Final = 4_096
_KEY: Final = b"simulated skip tokens"


@dataclass(slots=True)
class Snapshot:
    """A listing as it was when its first page was asked for.

    Attributes:
        number: which one.
        query: what it was asked with, without the skip token.
        records: all of it.
        select: properties that were asked for; empty: all.
        size: records on a page.
        is_expired: its tokens are not taken any more.
    """

    number: int
    query: tuple[str, ...]
    records: Sequence[Record]
    select: tuple[str, ...]
    size: int
    is_expired: bool = False


class Snapshots:
    """The listings that are being paged through.

    Attributes:
        most: records that a page has at the most, however many are asked for; None: as many as are asked for.
    """

    def __init__(self) -> None:
        self.most: int | None = None
        self._kept: OrderedDict[int, Snapshot] = OrderedDict()
        self._made = 0

    def open(
        self, query: tuple[str, ...], records: Sequence[Record], size: int, select: tuple[str, ...] = ()
    ) -> Snapshot:
        """Keep a listing for paging."""
        self._made += 1
        snapshot = Snapshot(self._made, query, records, select, min(size, self.most or size))
        self._kept[self._made] = snapshot
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return snapshot

    def resumed(self, token: str, query: tuple[str, ...]) -> tuple[Snapshot, int]:
        """Return the listing and the place that a skip token means.

        Raises:
            RefusedError: the token is not ours, is over, or belongs to another query.
        """
        place = _place(token.rstrip("~"))
        snapshot = self._kept.get(place[0]) if place else None
        if place is None or snapshot is None or snapshot.is_expired or snapshot.query != query:
            raise RefusedError(graph_error(400, "Directory_ExpiredPageToken", "Invalid skip token: it has expired."))
        return snapshot, place[1]

    def expire(self) -> None:
        """Take none of the skip tokens that were given out so far."""
        for snapshot in self._kept.values():
            snapshot.is_expired = True


def skip_token(snapshot: Snapshot, offset: int) -> str:
    """Return an opaque token for a place in a listing."""
    text = f"{snapshot.number}.{offset}".encode()
    return unpadded(text.hex().encode() + b"." + hmac.digest(_KEY, text, hashlib.sha256)[:12].hex().encode())


def _place(token: str) -> tuple[int, int] | None:
    try:
        text, _, mac = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).partition(b".")
        plain = bytes.fromhex(text.decode())
        number, _, offset = plain.decode().partition(".")
    except ValueError:
        return None
    if not hmac.compare_digest(mac, hmac.digest(_KEY, plain, hashlib.sha256)[:12].hex().encode()):
        return None
    return int(number), int(offset)


def next_link(call: Call, token: str) -> str:
    """Return the address of the next page: the query as it was, with another skip token."""
    kept = [part for part in call.raw_query.split("&") if part and not _is_skip(part)]
    return f"{call.origin}{quote(call.path, safe='/$()=,:')}?" + "&".join([*kept, f"$skiptoken={token}"])


def own_query(call: Call) -> tuple[str, ...]:
    """Return who asks and what for, without the place in it: a skip token is good for nothing else."""
    parts = sorted(f"{name}={value}" for name, value in call.query.items() if name != "$skiptoken")
    return (call.tenant.id if call.tenant else "", call.path, *parts)


def _is_skip(part: str) -> bool:
    return part.startswith(("$skiptoken=", "%24skiptoken="))

"""Decides which windows to read: pure functions from what the ledger holds to what is still to be done.

The clock is Microsoft's, handed in; a host's clock that jumps changes nothing. Never asks, never stores, and never
plans to read again what is settled.
"""

from __future__ import annotations

from collections.abc import Collection as Some
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from m365audit.config.policy import SETTLE_AFTER
from m365audit.graph.feeds.collection import PREMIUM, Collection
from m365audit.graph.values import GapReason, Window

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)

MARGIN: Final = timedelta(minutes=15)
"""What Microsoft will have forgotten by the time it is asked: so much less than its retention is planned for."""

_Work = Literal["nothing", "read", "settle", "wait"]
"""What a piece of time needs; ``wait``: read once, and it is too early to read it again."""


@dataclass(frozen=True, slots=True)
class KnownWindow:
    """What the ledger holds of one window of one feed.

    Attributes:
        collection: that it was read by.
        feed: that it is about.
        window: half-open interval.
        state: open, drained, settled or gap.
        reason: why it is a gap.
        last_pulled_at: when the newest whole pull began, by Microsoft's clock.
        records: records that it saw; None when nobody knows.
    """

    collection: str
    feed: str
    window: Window
    state: str
    reason: str | None = None
    last_pulled_at: datetime | None = None
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done for one collection.

    Attributes:
        windows: to read, oldest first; one None for a listing of the present state.
        lost: intervals that Microsoft no longer has, not in the ledger as such yet: reason and a sentence.
    """

    windows: tuple[Window | None, ...]
    lost: tuple[tuple[Window, GapReason, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Where a collection's time lies.

    Attributes:
        begin: first moment that is wanted.
        readable: first moment that Microsoft surely still has.
        lost: last moment of what it surely has no longer.
        end: first moment that is not wanted, or not read here.
    """

    begin: datetime
    readable: datetime
    lost: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class _Piece:
    """An interval of which the ledger says one thing in every feed."""

    window: Window
    work: _Work


def plan(
    collection: Collection,
    known: Iterable[KnownWindow],
    now: datetime,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    settle_after: timedelta = SETTLE_AFTER,
    plans: Some[str] | None = None,
) -> Plan:
    """Return what to read of a collection, and what can never be read any more.

    Args:
        collection: with its facts.
        known: the ledger's windows of the tenant; those of other feeds are passed over.
        now: by Microsoft's clock.
        begin: first moment wanted, None for as far back as Microsoft keeps it, and for everything known before.
        end: first moment not wanted, None for now; never after now.
        settle_after: how long after a window's end, and after the pull before, it is read again.
        plans: service plans of the tenant, None when nobody knows; they decide how long Microsoft keeps a log.
    """
    if collection.window is None:
        return Plan((None,))
    rows = [row for row in known if row.feed in collection.feeds]
    bounds = _bounds(collection, rows, now, begin=begin, end=end, plans=plans)
    if bounds.begin >= bounds.end:
        return Plan(())
    pieces = list(_pieces(collection, rows, bounds, now, settle_after))
    unread = _joined(piece.window for piece in pieces if piece.work == "read")
    windows = [
        part for window in _clipped(unread, bounds.readable, bounds.end) for part in _on_grid(window, collection.window)
    ]
    due = _settling(pieces, min(collection.window, max(settle_after, _SECOND)), bounds)
    windows += [part for window in due for part in _on_grid(window, collection.window)]
    lost = [] if collection.continued_by else _clipped(unread, bounds.begin, bounds.lost)
    return Plan(tuple(sorted(windows)), tuple((window, "expired", _gone(collection, plans)) for window in lost))


def _bounds(
    collection: Collection,
    rows: Sequence[KnownWindow],
    now: datetime,
    *,
    begin: datetime | None,
    end: datetime | None,
    plans: Some[str] | None,
) -> _Bounds:
    now = _whole_second(now)
    surely, longest = _kept(collection, plans)
    newest = now if not collection.older_than else _floor(now - collection.older_than, timedelta(days=1))
    stop = newest if end is None else min(newest, _whole_second(end))
    own = [row.window.begin for row in rows if row.collection == collection.name]
    readable, gone = now - surely + MARGIN, now - longest + MARGIN
    first = max(readable, now - collection.first_reach) if collection.first_reach else readable
    start = min([first, *own]) if begin is None else _whole_second(begin)
    return _Bounds(start, max(start, readable), min(stop, gone), stop)


def _kept(collection: Collection, plans: Some[str] | None) -> tuple[timedelta, timedelta]:
    """Return how long Microsoft surely keeps the log, and how long at the longest; they differ when nobody knows."""
    longest = collection.reach or timedelta(0)
    if collection.short_reach is None or (plans is not None and set(plans) & set(PREMIUM)):
        return longest, longest
    return collection.short_reach, longest if plans is None else collection.short_reach


def _pieces(
    collection: Collection, rows: Sequence[KnownWindow], bounds: _Bounds, now: datetime, settle_after: timedelta
) -> Iterator[_Piece]:
    """Cut the time at every edge in the ledger and say what each piece needs."""
    edges = {bounds.begin, bounds.end}
    for row in rows:
        edges |= {moment for moment in (row.window.begin, row.window.end) if bounds.begin < moment < bounds.end}
    by_feed = {feed: sorted((r for r in rows if r.feed == feed), key=lambda r: r.window) for feed in collection.feeds}
    places = dict.fromkeys(collection.feeds, 0)
    for begin, end in pairwise(sorted(edges)):
        needs = set()
        for feed, held in by_feed.items():
            while places[feed] < len(held) and held[places[feed]].window.end <= begin:
                places[feed] += 1
            over = [
                row for row in _from(held, places[feed], end) if row.window.begin <= begin and row.window.end >= end
            ]
            needs.add(_work(collection, over, now, settle_after))
        yield _Piece(Window(begin, end), next(work for work in _URGENT if work in needs))


_URGENT: Final[tuple[_Work, ...]] = ("read", "wait", "settle", "nothing")
"""What a piece needs when its feeds need different things: the first of these that any of them needs."""


def _from(held: Sequence[KnownWindow], place: int, end: datetime) -> Iterator[KnownWindow]:
    """Yield the rows from a place on that begin before ``end``; rows of several collections may overlap."""
    for index in range(place, len(held)):
        if held[index].window.begin >= end:
            return
        yield held[index]


def _work(collection: Collection, rows: Sequence[KnownWindow], now: datetime, settle_after: timedelta) -> _Work:
    """Return what a piece needs by the rows of one feed that are about it; several collections may have read it."""
    own = next((row for row in rows if row.collection == collection.name), None)
    if any(row.state == "settled" for row in rows):
        return "nothing"
    if own is not None and own.state == "drained":
        pulled = own.last_pulled_at or own.window.end
        return "settle" if now - max(own.window.end, pulled) >= settle_after else "wait"
    if own is not None and own.reason == "expired":
        return "nothing"
    drained = [row for row in rows if row.state == "drained"]
    return "nothing" if drained and not _is_left(collection, drained, now) else "read"


def _is_left(collection: Collection, drained: Iterable[KnownWindow], now: datetime) -> bool:
    """Say whether other collections cannot settle any more what they read once, and this one is to do it."""
    age = collection.takes_over
    return age is not None and all(row.window.end <= now - age for row in drained)


def _settling(pieces: Iterable[_Piece], width: timedelta, bounds: _Bounds) -> list[Window]:
    """Return what is due for another look, by cells of a grid: a cell of which a part has to wait waits whole."""
    due: dict[datetime, list[Window]] = {}
    waiting = set()
    for piece in pieces:
        for window in _clipped([piece.window], bounds.readable, bounds.end):
            for part in _on_grid(window, width):
                if piece.work == "settle":
                    due.setdefault(_floor(part.begin, width), []).append(part)
                elif piece.work == "wait":
                    waiting.add(_floor(part.begin, width))
    return _joined(window for cell, windows in due.items() if cell not in waiting for window in windows)


def _joined(windows: Iterable[Window]) -> list[Window]:
    """Join neighbours."""
    result: list[Window] = []
    for window in sorted(windows):
        if result and result[-1].end == window.begin:
            result[-1] = Window(result[-1].begin, window.end)
        else:
            result.append(window)
    return result


def _clipped(windows: Iterable[Window], begin: datetime, end: datetime) -> list[Window]:
    cut = (Window(max(window.begin, begin), min(window.end, end)) for window in windows)
    return [window for window in cut if window.begin < window.end]


def _on_grid(window: Window, width: timedelta) -> Iterator[Window]:
    """Cut a window where the grid of its width has its lines, counted from 1970 in UTC."""
    begin = window.begin
    while begin < window.end:
        end = min(window.end, _floor(begin, width) + width)
        yield Window(begin, end)
        begin = end


def _floor(moment: datetime, width: timedelta) -> datetime:
    return moment - (moment - _EPOCH) % width


def _whole_second(moment: datetime) -> datetime:
    return _floor(moment.astimezone(UTC), _SECOND)


def _gone(collection: Collection, plans: Some[str] | None) -> str:
    _, longest = _kept(collection, plans)
    return f"Microsoft keeps this for {longest.days} days; nobody can read it any more"

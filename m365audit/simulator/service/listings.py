"""Owns lists as they are served: encoded once, ordered by time, filtered, selected. Must never page them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from m365audit.simulator.served import Record
from m365audit.simulator.service.clock import ticks
from m365audit.simulator.service.filters import Filter, value_at

_KEPT: Final = 1_000_000


@dataclass(slots=True)
class _Timed:
    """A list in order of time: the ticks, and the records at the same places."""

    marks: tuple[int, int]
    times: list[int]
    records: list[Record]


class Encoder:
    """Encodes each record once for each selection of its properties."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[str, ...]], tuple[Record, bytes]] = {}

    def encoded(self, records: Iterable[Record], select: tuple[str, ...] = ()) -> list[bytes]:
        """Return records as JSON; ``select`` empty: whole."""
        return [self._one(record, select) for record in records]

    def _one(self, record: Record, select: tuple[str, ...]) -> bytes:
        key = id(record), select
        known = self._known.get(key)
        if known is not None and known[0] is record:
            return known[1]
        content = msgspec.json.encode(_selected(record, select) if select else record)
        if len(self._known) >= _KEPT:
            self._known.clear()
        self._known[key] = record, content
        return content


def _selected(record: Record, select: tuple[str, ...]) -> Record:
    """Return what was selected; annotations (``@odata.type``) come whether they are selected or not."""
    annotations = {name: value for name, value in record.items() if name.startswith("@")}
    return annotations | {name: record.get(name) for name in select}


class TimeOrder:
    """Keeps lists sorted by a time, so that a window of a long log costs a bisection."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], _Timed] = {}

    def window(self, records: list[Record], time_property: str, asked: Filter) -> Sequence[Record]:
        """Return the records within the filter's bounds, oldest first; its other tests are not made."""
        timed = self._sorted(records, time_property)
        begin, end = bisect_left(timed.times, asked.begin), bisect_left(timed.times, asked.end)
        return timed.records[begin:end]

    def _sorted(self, records: list[Record], time_property: str) -> _Timed:
        key = id(records), time_property
        marks = len(records), id(records[-1]) if records else 0
        known = self._known.get(key)
        if known is not None and known.marks == marks:
            return known
        pairs = sorted(((ticks(str(value_at(r, time_property))) or 0, r) for r in records), key=lambda pair: pair[0])
        timed = _Timed(marks, [at for at, _ in pairs], [r for _, r in pairs])
        self._known[key] = timed
        return timed

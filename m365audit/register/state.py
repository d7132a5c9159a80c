"""The state of a consent record at every time: which process is active, and if not, why. Pure; knows no clock.

Source: verdicts.md, *State of the register at time t* and the row *period* of the verdict's table. Candidates are
compared in the last version declaring them that began at or before t, or else in the first one declaring them; an
active process is declared by the version in force, so that this one rule holds for both.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from m365audit.register.document import ConsentRecord, EndingEntry, FullEntry
from m365audit.register.processes import Process

PeriodReason = Literal["before_start", "invalidated", "after_withdrawal", "after_expiry"]

_BEFORE_EVERYTHING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Segment:
    """A half-open stretch of time in which a process is compared in one version, with one answer.

    Attributes:
        valid_from: inclusive; None means always before.
        valid_to: exclusive; None means for ever.
        version: position in the history of the full-state entry compared.
        period_reason: None while the process is active.
    """

    valid_from: datetime | None
    valid_to: datetime | None
    version: int
    period_reason: PeriodReason | None


@dataclass(frozen=True, slots=True)
class Ending:
    """When and by which event a process version stopped before its ``effective_until``."""

    ended_at: datetime
    ended_by: str


def versions(record: ConsentRecord) -> dict[int, FullEntry]:
    """Return the full-state entries by their position in the history."""
    return {index: entry for index, entry in enumerate(record.history) if isinstance(entry, FullEntry)}


def endings(record: ConsentRecord) -> dict[int, EndingEntry]:
    """Return the ending entries by their position in the history."""
    return {index: entry for index, entry in enumerate(record.history) if isinstance(entry, EndingEntry)}


def process_names(record: ConsentRecord) -> tuple[str, ...]:
    """Return the id of every process ever declared, sorted by code point."""
    return tuple(sorted({process.id for entry in versions(record).values() for process in entry.processes}))


def declared(entry: FullEntry, process: str) -> Process | None:
    """Return a process as an entry declares it, or None."""
    return next((body for body in entry.processes if body.id == process), None)


def in_force_at(record: ConsentRecord, moment: datetime, *, before: int | None = None) -> int | None:
    """Return the version in force at a time: the last full-state entry that has begun.

    Args:
        record: the record.
        moment: a UTC time.
        before: only entries written before this position count.
    """
    begun = [
        index
        for index, entry in versions(record).items()
        if entry.effective_from <= moment and (before is None or index < before)
    ]
    return begun[-1] if begun else None


def compared_version(record: ConsentRecord, process: str, moment: datetime) -> int:
    """Return the version in which a process is compared with an event at a time.

    Raises:
        ValueError: the record never declares the process.
    """
    declaring = [index for index, entry in versions(record).items() if declared(entry, process) is not None]
    if not declaring:
        raise ValueError(f"{record.record} never declares {process}")
    begun = [index for index in declaring if record.history[index].effective_from <= moment]
    return begun[-1] if begun else declaring[0]


def is_invalidated(record: ConsentRecord, process: str, version: int) -> bool:
    """Return whether a later invalidating entry ended a process of a version from its very start.

    It ends the version in force at its ``effective_from`` among those written before it, and every version written
    before it that begins later.
    """
    for position, ending in endings(record).items():
        if ending.event != "invalidated" or position < version or not ending.covers(process):
            continue
        begins_later = record.history[version].effective_from > ending.effective_from
        if begins_later or version == in_force_at(record, ending.effective_from, before=position):
            return True
    return False


def stops(record: ConsentRecord, process: str, version: int) -> list[tuple[datetime, int]]:
    """Return when withdrawals and revocations take effect on a process of a version, with their positions."""
    found = []
    for position, ending in endings(record).items():
        if ending.event != "invalidated" and position > version and ending.covers(process):
            stop = _later(ending.effective_from, record.stop_within)
            if stop is not None:
                found.append((stop, position))
    return sorted(found)


def period_reason_at(record: ConsentRecord, process: str, moment: datetime) -> PeriodReason | None:
    """Return why a process is not active at a time; None when it is. The first reason that holds is the answer."""
    version = compared_version(record, process, moment)
    entry = versions(record)[version]
    if entry.effective_from > moment:
        return "before_start"
    if is_invalidated(record, process, version):
        return "invalidated"
    if any(stop <= moment for stop, _ in stops(record, process, version)):
        return "after_withdrawal"
    if moment >= entry.effective_until or in_force_at(record, moment) != version:
        return "after_expiry"
    return None


def timeline(record: ConsentRecord, process: str) -> tuple[Segment, ...]:
    """Return the segments of a process: gapless, in order, over all time; equal neighbours are one."""
    segments: list[Segment] = []
    bounds = sorted(set(_bounds(record)))
    for start, end in zip([None, *bounds], [*bounds, None], strict=True):
        moment = _BEFORE_EVERYTHING if start is None else start
        version = compared_version(record, process, moment)
        reason = period_reason_at(record, process, moment)
        if segments and (segments[-1].version, segments[-1].period_reason) == (version, reason):
            start = segments.pop().valid_from  # noqa: PLW2901 - the neighbour is taken in
        segments.append(Segment(start, end, version, reason))
    return tuple(segments)


def ending_of(record: ConsentRecord, process: str, version: int) -> Ending | None:
    """Return when and why a process version stopped before its ``effective_until``; None when it ran its course.

    An invalidated one ended when it began; otherwise the earliest of a withdrawal's or revocation's effect and the
    begin of the next version counts, the one written first where both fall together.
    """
    entry = versions(record)[version]
    if is_invalidated(record, process, version):
        return Ending(entry.effective_from, "invalidated")
    causes = stops(record, process, version)
    causes += [(later.effective_from, index) for index, later in versions(record).items() if index > version]
    moment, position = min(causes, default=(entry.effective_until, -1))
    if position < 0 or moment >= entry.effective_until:
        return None
    return Ending(max(moment, entry.effective_from), record.history[position].event)


def active_periods(record: ConsentRecord) -> list[tuple[datetime, datetime]]:
    """Return the stretches in which any process of a record is active, in order, not joined."""
    segments = [segment for process in process_names(record) for segment in timeline(record, process)]
    return sorted(
        (segment.valid_from, segment.valid_to)
        for segment in segments
        if segment.period_reason is None and segment.valid_from is not None and segment.valid_to is not None
    )


def _bounds(record: ConsentRecord) -> Iterator[datetime]:
    """Yield every time at which an answer may change; an invalidation changes answers at no time of its own."""
    for entry in record.history:
        if isinstance(entry, FullEntry):
            yield from (entry.effective_from, entry.effective_until)
        elif entry.event != "invalidated":
            stop = _later(entry.effective_from, record.stop_within)
            if stop is not None:
                yield stop


def _later(moment: datetime, delay: timedelta) -> datetime | None:
    """Return a later time; None when it lies beyond the calendar and so never comes."""
    try:
        return moment + delay
    except OverflowError:
        return None

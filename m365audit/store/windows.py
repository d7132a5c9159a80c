"""The law of collection windows: what a pull makes of the parts of time that it was about. Values only, no database.

A window is open until it was tried, a gap while it was not read, drained when it was read once, settled when a later
pull added nothing. Nothing that was read is taken back, but records that come late make a settled window drained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

State = Literal["open", "gap", "drained", "settled"]
Interval = tuple[datetime, datetime]
"""First moment that belongs to it, first moment that does not; UTC."""

LATE: Final = "records came after it had settled"


@dataclass(frozen=True, slots=True)
class Held:
    """What the ledger holds of one window.

    Attributes:
        begin: first moment of it.
        end: first moment after it.
        state: open, gap, drained or settled.
        reason: why it is a gap; None elsewhere.
        detail: a sentence about the reason, or about a later pull that failed; empty when there is nothing to say.
        pulls: how often it was read whole.
        records: records that the newest whole pull saw; None when a part of the pull cannot be told from the rest.
        added_last: records that the newest whole pull added to the store.
        first_pulled_at: when the first whole pull began.
        last_pulled_at: when the newest whole pull began; what happened later it cannot have seen.
        tried_at: when the newest pull began, whatever became of it; of time that was lost without being asked for, its
            own end: so what was lost in many runs is one row, and the ledger grows with the gaps, not with the runs.
        run_id: the run that last had to do with it.
    """

    begin: datetime
    end: datetime
    state: State = "open"
    reason: str | None = None
    detail: str = ""
    pulls: int = 0
    records: int | None = None
    added_last: int = 0
    first_pulled_at: datetime | None = None
    last_pulled_at: datetime | None = None
    tried_at: datetime | None = None
    run_id: str = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """What one pull, or the part of it that was about ``window``, came to.

    Attributes:
        window: what was asked for.
        began_at: when the reading began, by Microsoft's clock.
        reason: None when everything was read; else why not.
        detail: a sentence about it.
        records: records read.
        added: of them, new to the store.
        run_id: the run.
    """

    window: Interval
    began_at: datetime
    reason: str | None = None
    detail: str = ""
    records: int = 0
    added: int = 0
    run_id: str = ""


def opened(held: Iterable[Held], windows: Iterable[Interval], run_id: str) -> list[Held]:
    """Return the ledger with the windows in it; what it knows already stays as it is."""
    ledger = _ordered(held)
    for window in windows:
        ledger = _ordered([*ledger, *(Held(*missing, run_id=run_id) for missing in _uncovered(ledger, window))])
    return ledger


def closed(held: Iterable[Held], pull: Pull, settle_after: timedelta) -> list[Held]:
    """Return the ledger after a pull; what the ledger holds of other times stays as it is.

    Of a whole pull the time after its beginning stays open: nobody can have seen it.
    """
    begin, end = pull.window
    if pull.reason is None and pull.began_at < end:
        ledger = opened(held, [pull.window], pull.run_id)
        end = max(begin, pull.began_at)
    else:
        ledger = _ordered(held)
    if begin >= end:
        return ledger
    ledger = opened(ledger, [(begin, end)], pull.run_id)
    split = (part for row in ledger for part in _cut(row, begin, end))
    after = (_after(row, pull, settle_after) if begin <= row.begin and row.end <= end else row for row in split)
    return merged(after)


def merged(held: Iterable[Held]) -> list[Held]:
    """Join neighbours that nobody will look at again, so that the ledger does not grow for ever."""
    result: list[Held] = []
    for row in _ordered(held):
        if result and _belong_together(result[-1], row):
            result[-1] = _joined(result[-1], row)
        else:
            result.append(row)
    return result


def _ordered(held: Iterable[Held]) -> list[Held]:
    return sorted(held, key=lambda row: row.begin)


def _uncovered(ledger: Iterable[Held], window: Interval) -> Iterator[Interval]:
    """Yield the parts of the window that no row of the ordered ledger is about."""
    reached, end = window
    for row in ledger:
        if row.end <= reached:
            continue
        if row.begin >= end:
            break
        if row.begin > reached:
            yield reached, row.begin
        reached = row.end
    if reached < end:
        yield reached, end


def _cut(row: Held, begin: datetime, end: datetime) -> Iterator[Held]:
    """Yield the parts of a row before, inside and after an interval; how many records are in which, nobody knows."""
    inside = [edge for edge in (begin, end) if row.begin < edge < row.end]
    for since, until in pairwise([row.begin, *inside, row.end]):
        part = replace(row, begin=since, end=until, records=None) if inside else row
        yield replace(part, tried_at=until) if _is_lost(row) else part


def _after(row: Held, pull: Pull, settle_after: timedelta) -> Held:
    """Return what a window is after a pull that was about all of it."""
    if pull.reason is not None:
        return _after_failure(row, pull)
    if row.last_pulled_at is not None and pull.began_at <= row.last_pulled_at:
        return row  # the same pull again, or one that was overtaken
    read = replace(
        row,
        state="drained",
        reason=None,
        detail="",
        pulls=row.pulls + 1,
        records=pull.records if (row.begin, row.end) == pull.window else None,
        added_last=pull.added,
        first_pulled_at=row.first_pulled_at or pull.began_at,
        last_pulled_at=pull.began_at,
        tried_at=_latest(row.tried_at, pull.began_at),
        run_id=pull.run_id,
    )
    if row.state == "settled":
        return replace(read, detail=LATE) if pull.added else replace(read, state="settled")
    return replace(read, state="settled") if _proves_rest(row, pull, settle_after) else read


def _after_failure(row: Held, pull: Pull) -> Held:
    """What was read stays read: of it only the failure is told, where another pull is still to come."""
    if row.state == "settled":
        return row
    if row.state == "drained":
        told = pull.detail or pull.reason or ""
        return replace(row, detail=told, tried_at=_latest(row.tried_at, pull.began_at), run_id=pull.run_id)
    is_unasked = pull.reason == "expired" and pull.began_at <= pull.window[1]
    tried_at = row.end if is_unasked else _latest(row.tried_at, pull.began_at)
    return replace(row, state="gap", reason=pull.reason, detail=pull.detail, tried_at=tried_at, run_id=pull.run_id)


def _is_lost(row: Held) -> bool:
    """Say whether nobody asked for it before it was gone: then no attempt is to be told from another."""
    return row.state == "gap" and row.reason == "expired" and row.tried_at == row.end


def _proves_rest(row: Held, pull: Pull, settle_after: timedelta) -> bool:
    """Nothing was added, long enough after the window's end and after the pull before."""
    if row.last_pulled_at is None or pull.added:
        return False
    return pull.began_at - max(row.end, row.last_pulled_at) >= settle_after


def _belong_together(left: Held, right: Held) -> bool:
    if left.end != right.begin or left.state != right.state:
        return False
    return (left.state == "settled" or _are_gone(left, right)) and left.detail == right.detail


def _are_gone(left: Held, right: Held) -> bool:
    """Say whether two gaps are for ever, and not of two attempts: those cannot be told apart when a pull cuts them."""
    if not left.reason == "expired" == right.reason:
        return False
    both = _is_lost(left), _is_lost(right)
    return all(both) or (not any(both) and left.tried_at == right.tried_at)


def _joined(left: Held, right: Held) -> Held:
    both = left.records is not None and right.records is not None
    return replace(
        left,
        end=right.end,
        pulls=min(left.pulls, right.pulls),
        records=(left.records or 0) + (right.records or 0) if both else None,
        added_last=max(left.added_last, right.added_last),
        first_pulled_at=_earliest(left.first_pulled_at, right.first_pulled_at),
        last_pulled_at=_latest(left.last_pulled_at, right.last_pulled_at),
        tried_at=_latest(left.tried_at, right.tried_at),
        run_id=max(left.run_id, right.run_id),
    )


def _latest(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _earliest(*moments: datetime | None) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)

"""Owns where things stand in the drawing of a timeline; numbers only, no words, no markup.

Coordinates are written with a point and without separators, whatever the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from m365audit.report.timeline import Gap, Mark, Timeline, UseDay

_WIDTH: Final = 960
_HEIGHT: Final = 148
_TOP: Final = 40
"""Above it stand the marks."""
_BASE: Final = 126
_LABEL: Final = 142
_LETTER: Final = 14
"""Room that a mark's letter takes; marks that come closer stand on the next line."""
_LINES: Final = 2
_TICKS: Final = 6


@dataclass(frozen=True, slots=True)
class Point:
    """A mark: its place, and where its letter stands."""

    kind: str
    x: str
    y: str
    text_y: str


@dataclass(frozen=True, slots=True)
class Box:
    """A time that is hatched."""

    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A date below the axis."""

    x: str
    anchor: str
    day: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """One timeline, ready to be drawn; bars of one kind are one path."""

    within: str
    unknown: str
    outside_path: str
    gaps: tuple[Box, ...]
    marks: tuple[Point, ...]
    ticks: tuple[Tick, ...]
    most: int
    uses: int
    outside: int
    used_days: int
    width: int = _WIDTH
    height: int = _HEIGHT
    top: int = _TOP
    base: int = _BASE
    deep: int = _BASE - _TOP
    label: int = _LABEL


def draw(timeline: Timeline) -> Drawing:
    """Return where everything stands; what lies outside the watched time is in the table only."""
    seconds = (timeline.end - timeline.start).total_seconds()

    def x_of(at: datetime) -> float:
        return min(max((at - timeline.start).total_seconds() / seconds, 0), 1) * _WIDTH

    totals = [day.within + day.outside + day.not_assessable for day in timeline.days]
    most = max(totals, default=0)
    paths = _bars(timeline.days, most, x_of)
    return Drawing(
        *paths,
        gaps=tuple(_box(gap, x_of) for gap in timeline.gaps),
        marks=_points((mark for mark in timeline.marks if timeline.start <= mark.at <= timeline.end), x_of),
        ticks=_ticks(timeline, x_of),
        most=most,
        uses=sum(totals),
        outside=sum(day.outside for day in timeline.days),
        used_days=len(timeline.days),
    )


def _bars(days: Iterable[UseDay], most: int, x_of: Callable[[datetime], float]) -> tuple[str, str, str]:
    """Return the bars of each verdict as one path: within at the bottom, then not judged, then outside."""
    paths: tuple[list[str], list[str], list[str]] = ([], [], [])
    for day in days:
        begin = datetime.combine(day.day, time(), UTC)
        left, right = x_of(begin), x_of(begin + timedelta(days=1))
        gap = min((right - left) * 0.12, 3)
        bottom = float(_BASE)
        for path, count in zip(paths, (day.within, day.not_assessable, day.outside), strict=True):
            # What is there is seen, however little it is against the largest day.
            tall = max(count / most * (_BASE - _TOP - 12), 1.5) if count else 0
            if tall:
                width = max(right - left - 2 * gap, 1)
                path.append(f"M{_n(left + gap)} {_n(bottom)}v-{_n(tall)}h{_n(width)}v{_n(tall)}z")
            bottom -= tall
    within, unknown, outside = ("".join(path) for path in paths)
    return within, unknown, outside


def _box(gap: Gap, x_of: Callable[[datetime], float]) -> Box:
    left = x_of(gap.start)
    return Box(_n(left), _n(max(x_of(gap.end) - left, 1)))


def _points(marks: Iterable[Mark], x_of: Callable[[datetime], float]) -> tuple[Point, ...]:
    last = [-float(_LETTER)] * _LINES
    found: dict[tuple[str, int], Point] = {}
    for mark in marks:
        x = min(max(x_of(mark.at), 8), _WIDTH - 8)
        key = mark.kind, round(x / 4)
        if key in found:
            continue
        line = next((line for line in range(_LINES) if x - last[line] >= _LETTER), _LINES - 1)
        last[line] = x
        y = 10 + line * 16
        found[key] = Point(mark.kind, _n(x), _n(y), _n(y + 3.5))
    return tuple(found.values())


def _ticks(timeline: Timeline, x_of: Callable[[datetime], float]) -> tuple[Tick, ...]:
    span = timeline.end - timeline.start
    days = {(timeline.start + span * step / _TICKS).date() for step in range(_TICKS)}
    ticks = []
    for day in sorted(days):
        x = x_of(datetime.combine(day, time(), UTC))
        anchor = "start" if x < 1 else "middle"
        ticks.append(Tick(_n(x), anchor, day.isoformat()))
    return tuple(ticks)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")

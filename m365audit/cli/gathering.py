"""Keeps account of how far collection is, and hands it to the terminal's table or to the log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final, Protocol

from m365audit.pipeline import Step

_MEASURABLE: Final = 1.0
"""Seconds from which a rate says something."""
_OVER: Final = frozenset({"read", "gap"})


@dataclass(slots=True)
class Row:
    """What is known of one collection of one tenant.

    Attributes:
        step: the newest step.
        began: when the first step was told, in seconds of a clock that never goes back.
        records_then: records that were read by then: how long they took is not known.
        moved: when it came a step further last.
        gaps: windows or listings of it that could not be read.
    """

    step: Step
    began: float
    records_then: int
    moved: float
    gaps: int = 0

    @property
    def is_over(self) -> bool:
        """Every window of it has ended, one way or the other."""
        return self.step.state in _OVER and self.step.done >= self.step.total

    @property
    def rate(self) -> float | None:
        """Records per second; None when that cannot be said yet."""
        seconds = self.moved - self.began
        return (self.step.records - self.records_then) / seconds if seconds >= _MEASURABLE else None


@dataclass(slots=True)
class Course:
    """How far all is.

    Attributes:
        rows: by tenant and collection.
        refused: tenant → why it did not let the auditor in.
        tenants: those that were heard of.
        waited: tenant → seconds that its requests waited for limits, all together.
        began: when the first step was told.
    """

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    tenants: dict[str, None] = field(default_factory=dict)
    waited: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def note(self, step: Step) -> None:
        """Take a step in."""
        self.tenants.setdefault(step.tenant)
        if step.state == "refused":
            self.refused[step.tenant] = step.detail
        if step.state == "waiting":
            self.waited[step.tenant] = self.waited.get(step.tenant, 0.0) + step.seconds
        if step.collection:
            self._move(step)

    def _move(self, step: Step) -> None:
        now, key = time.monotonic(), (step.tenant, step.collection)
        row = self.rows.get(key)
        if row is None:
            row = self.rows[key] = Row(step, now, step.records, now)
        if step.state == "waiting":  # says nothing of records
            step = Step(step.tenant, step.collection, step.state, step.done, step.total, row.step.records,
                        step.seconds, step.detail)  # fmt: skip
        row.step, row.moved = step, now
        row.gaps += step.state == "gap"

    def totals(self) -> dict[str, int]:
        """Return the sums over all tenants: tenants, refused, done, total, records, gaps, waited (whole seconds)."""
        rows = list(self.rows.values())  # the table is drawn in a thread of its own
        return {
            "tenants": len(self.tenants),
            "refused": len(self.refused),
            "done": sum(row.step.done for row in rows),
            "total": sum(row.step.total for row in rows),
            "records": sum(row.step.records for row in rows),
            "gaps": sum(row.gaps for row in rows),
            "waited": round(sum(list(self.waited.values()))),
        }


class _Shown(Protocol):
    """Where the course is shown."""

    def tell(self, step: Step) -> None:
        """The course has taken a step in."""

    def close(self) -> None:
        """Nothing comes any more."""


class Gathering:
    """What the pipeline tells while it collects. ``close`` leaves the terminal's lines clean."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._course = Course()
        self._shown = _shown_on_terminal(self._course) if is_terminal else _shown_in_log(self._course)

    def tell(self, step: Step) -> None:
        """Collection has come a step further."""
        self._course.note(step)
        self._shown.tell(step)

    def close(self) -> None:
        """Stop drawing, say how it ended."""
        self._shown.close()


def _shown_on_terminal(course: Course) -> _Shown:
    from m365audit.cli.gathering_table import GatheringTable  # noqa: PLC0415 - rich is for terminals alone

    return GatheringTable(course)


def _shown_in_log(course: Course) -> _Shown:
    from m365audit.cli.gathering_log import GatheringLog  # noqa: PLC0415

    return GatheringLog(course)

"""Tables of law and contract by date: which line was in force on a day. Never asks what day it is today.

Every line has a ``valid_from`` and perhaps a ``valid_until`` (the first day on which it does not hold any more); the
file says on which day somebody last compared it with its sources, and how long that is good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Protocol, TypeVar

from pydantic import BeforeValidator, Field, StrictInt, WithJsonSchema

from m365audit.config.complaints import check
from m365audit.config.shapes import Strict, Text, fault
from m365audit.config.spelling import shown
from m365audit.config.yamlnodes import Document, read_document
from m365audit.errors import ConfigurationError
from m365audit.resources import data_dir

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def _day(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and _DAY.match(value):
            return date.fromisoformat(value)
    except ValueError:
        fault("bad_day", f"{shown(value)} is not in the calendar", "check month and day")
    return fault("bad_day", f"{shown(value)} is not a day", "write it like 2025-08-07")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


class Line(Strict):
    """What every line has: when it holds, and who says so."""

    valid_from: Day = Field(examples=["2018-05-25"])
    valid_until: Day | None = None
    source: Text = Field(examples=['"GDPR Art. 33(1)"'])

    def holds_on(self, day: date) -> bool:
        """Return whether this line is in force on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


class DatedTable(Strict):
    """What every dated table says of itself."""

    verified_on: Day = Field(examples=["2026-11-22"])
    verify_within_days: Annotated[StrictInt, Field(ge=1, le=3_660)] = Field(examples=["180"])


class Keyed(Protocol):
    """A line that may not overlap another one of its key."""

    valid_from: date
    valid_until: date | None

    @property
    def key(self) -> str:
        """What the line is about."""


_Table = TypeVar("_Table", bound=DatedTable)
_Line = TypeVar("_Line", bound=Line)


def utc_day(moment: date | datetime) -> date:
    """Return the day of a moment in UTC; a day is itself.

    Raises:
        ValueError: a time without a zone.
    """
    if not isinstance(moment, datetime):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a time without a zone has no day")
    return moment.astimezone(UTC).date()


def read_table(model: type[_Table], name: str, group: str, beside: Path | None) -> _Table:
    """Read a dated table: the file of that name in the folder ``beside``, else the product's own.

    Args:
        model: what it holds.
        name: file name.
        group: key of its list of lines.
        beside: folder of the policy; None for the product's own file.

    Raises:
        ConfigurationError: it cannot be read or is wrong; ``problems`` names every line.
    """
    own = None if beside is None else beside / name
    path = own if own is not None and own.exists() else data_dir("config") / name
    document = read_document(path)
    table = check(model, document) if document.is_readable else None
    if table is not None:
        _check_lines(getattr(table, group), group, document)
    problems = tuple(sorted(document.problems, key=lambda problem: (problem.line, problem.path, problem.code)))
    if table is None or problems:
        hint = "correct the file, or remove it to use the one that comes with the product"
        text = "\n".join(str(problem) for problem in problems)
        raise ConfigurationError(f"{path} cannot be used:\n{text}", problems=problems, hint=hint)
    return table


def _check_lines(lines: Sequence[Keyed], group: str, document: Document) -> None:
    """Complain about lines that end before they begin, and about two lines of one key that hold on one day."""
    for index, line in enumerate(lines):
        if line.valid_until is not None and line.valid_until <= line.valid_from:
            what = f"this line of {shown(line.key)} ends before it begins"
            document.problem("ends_before_begin", (group, index), what, "valid_until is the first day after it")
        elif any(_overlap(line, other) for other in lines[:index] if other.key == line.key):
            what = f"two lines of {shown(line.key)} hold on the same day"
            todo = "give the older one a valid_until: the first day on which the newer one holds"
            document.problem("overlapping_lines", (group, index), what, todo)


def _overlap(line: Keyed, other: Keyed) -> bool:
    begins_in_time = line.valid_until is None or other.valid_from < line.valid_until
    return begins_in_time and (other.valid_until is None or line.valid_from < other.valid_until)


def in_force(lines: Iterable[_Line], day: date) -> list[_Line]:
    """Return the lines that hold on a day."""
    return [line for line in lines if line.holds_on(day)]

"""``clocks.yml``: hours, days and limits by date. Holds no number of its own and never asks what time it is."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, StrictInt

from m365audit.config.dated import DatedTable, Line, read_table, utc_day
from m365audit.config.shapes import Text
from m365audit.errors import ConfigurationError

FILE: Final = "clocks.yml"
Unit = Literal["hours", "days", "business_days", "months"]
_ADDED: Final = ("evidence.listing",)
"""Clocks that files written before them lack: the product's own lines hold until such a file names one itself."""
_SATURDAY: Final = 5
_MONTHS: Final = 12


class Clock(Line):
    """One clock or limit, for as long as it held."""

    clock: Text = Field(examples=["breach.authority"])
    amount: Annotated[StrictInt, Field(ge=1, le=100_000)] = Field(examples=["72"])
    unit: Unit = Field(examples=["hours"])

    @property
    def key(self) -> str:
        """Its name."""
        return self.clock

    @property
    def text(self) -> str:
        """Amount and unit in words, e.g. ``72 hours``."""
        unit = self.unit.replace("_", " ")
        return f"{self.amount} {unit.removesuffix('s') if self.amount == 1 else unit}"

    def after(self, start: datetime) -> datetime:
        """Return when it runs out: hours and days by the clock, months by the calendar, business days without weekends.

        A month ends on the day of the same number, or on the month's last day where there is none (31 January: 28 or 29
        February). What the start's zone is decides nothing but the calendar: give UTC.
        """
        if self.unit == "months":
            return months_after(start, self.amount)
        if self.unit == "business_days":
            return _business_days_after(start, self.amount)
        return start + (timedelta(hours=self.amount) if self.unit == "hours" else timedelta(days=self.amount))


class Clocks(DatedTable):
    """All of ``clocks.yml``."""

    schema_version: Literal["m365audit.clocks/1"] = Field(alias="schema", examples=["m365audit.clocks/1"])
    clocks: Annotated[tuple[Clock, ...], Field(min_length=1)] = Field(examples=["[...]"])

    def find(self, name: str, at: date | datetime) -> Clock | None:
        """Return the clock of this name that was in force then; None when there was none."""
        day = utc_day(at)
        return next((line for line in self.clocks if line.clock == name and line.holds_on(day)), None)

    def at(self, name: str, at: date | datetime) -> Clock:
        """Return the clock of this name that was in force then.

        Raises:
            ConfigurationError: the table has none for that day: nothing may then be reckoned by guessing.
        """
        found = self.find(name, at)
        if found is None:
            hint = f"add a line of {name} to {FILE} that holds on that day"
            raise ConfigurationError(f"no clock {name} was in force on {utc_day(at)}", hint=hint)
        return found


def load_clocks(beside: Path | None = None) -> Clocks:
    """Read the clocks: from ``clocks.yml`` in a folder (that of the policy), else the product's own.

    Raises:
        ConfigurationError: the file cannot be read or is wrong.
    """
    table = read_table(Clocks, FILE, "clocks", beside)
    missing = set(_ADDED) - {line.clock for line in table.clocks}
    if not missing:
        return table
    own = read_table(Clocks, FILE, "clocks", None)
    return table.model_copy(update={"clocks": (*table.clocks, *(each for each in own.clocks if each.clock in missing))})


def months_after(start: datetime, months: int) -> datetime:
    """Return the same day and time so many months later, or the month's last day where it is shorter."""
    year, month = divmod(start.year * _MONTHS + start.month - 1 + months, _MONTHS)
    return start.replace(year=year, month=month + 1, day=min(start.day, monthrange(year, month + 1)[1]))


def _business_days_after(start: datetime, days: int) -> datetime:
    moment = start
    while days:
        moment += timedelta(days=1)
        days -= moment.weekday() < _SATURDAY
    return moment

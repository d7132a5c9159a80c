"""ISO 8601 durations and times as people write them; one reading for every file. Never uses the local time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

_NUMBER = r"([0-9]{1,9}(?:[.,][0-9]{1,9})?)"
_PERIOD = re.compile(
    rf"P(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?\Z"
)
_MICROSECONDS: Final = (7 * 86_400_000_000, 86_400_000_000, 3_600_000_000, 60_000_000, 1_000_000)
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,12}))?)?"
    r" ?([Zz]|[+-][0-9]{2}:?[0-9]{2})?\Z"
)
_EARLIEST_YEAR: Final = 1970


class DurationError(ValueError):
    """Text is not a duration that may stand here.

    Attributes:
        what: what is wrong.
        todo: what to write instead.
    """

    def __init__(self, what: str, todo: str) -> None:
        super().__init__(what)
        self.what = what
        self.todo = todo


class TimeError(DurationError):
    """Text is not a point in time; ``has_no_zone`` when only its time zone is missing."""

    def __init__(self, what: str, todo: str, *, has_no_zone: bool = False) -> None:
        super().__init__(what, todo)
        self.has_no_zone = has_no_zone


@dataclass(frozen=True, slots=True)
class Period:
    """A calendar duration: years and months, which have no fixed length, and the rest, which has."""

    years: int
    months: int
    rest: timedelta


def parse_period(text: str) -> Period:
    """Read an ISO 8601 duration in which years and months are allowed (retention).

    Raises:
        DurationError: not such a duration.
    """
    found = _PERIOD.match(text)
    if found is None or text[-1:] in {"P", "T"}:
        raise _malformed(text)
    numbers = [Decimal((part or "0").replace(",", ".")) for part in found.groups()]
    given = [index for index, part in enumerate(found.groups()) if part]
    if any(numbers[index] != int(numbers[index]) for index in {0, 1, *given[:-1]}):
        raise DurationError("only the last part of a duration may have a fraction", "write whole numbers")
    amount = sum(int(number * unit) for number, unit in zip(numbers[2:], _MICROSECONDS, strict=True))
    try:
        rest = timedelta(microseconds=amount)
    except OverflowError:
        raise DurationError("the duration is longer than any calendar", "write a shorter one") from None
    return Period(int(numbers[0]), int(numbers[1]), rest)


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of fixed length: weeks, days of 24 hours, hours, minutes, seconds.

    Raises:
        DurationError: not a duration, negative, or with years or months, whose length is not fixed.
    """
    period = parse_period(text)
    if period.years or period.months or re.match(r"P[^T]*[YM]", text):
        todo = "give days instead, e.g. P30D for a month or P365D for a year"
        raise DurationError("years and months have no fixed length and are not accepted here", todo)
    return period.rest


def _malformed(text: str) -> DurationError:
    """Return the error for text that is no duration, with the best advice there is."""
    if text[:1] == "-" or "-" in text[1:]:
        return DurationError("a duration cannot be negative", "write it without the minus sign, e.g. PT24H")
    if _PERIOD.match(text.upper()) and text.upper()[-1:] not in {"P", "T"}:
        return DurationError("a duration is written in capitals", f"write {text.upper()}")
    todo = "write e.g. PT24H (24 hours), P7D (seven days) or P2W (two weeks)"
    return DurationError("this is not an ISO 8601 duration", todo)


def parse_time(text: str) -> datetime:
    """Read a point in time with its zone (RFC 3339) and return it in UTC; below microseconds is cut off.

    Raises:
        TimeError: not a time, without zone, or outside of the years 1970 to 9999.
    """
    found = _TIME.match(text)
    if found is None:
        if re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", text):
            todo = f"write the time and the zone too, e.g. {text}T00:00:00Z"
            raise TimeError("this is a day, not a point in time", todo, has_no_zone=True)
        raise TimeError("this is not a time", "write it like 2025-09-01T09:00:00Z")
    *numbers, fraction, zone = found.groups()
    if zone is None:
        todo = f"add Z for UTC, or the offset: {text}Z or {text}+02:00"
        raise TimeError("the time has no zone", todo, has_no_zone=True)
    offset = "+00:00" if zone in {"Z", "z"} else zone
    day = "-".join(numbers[:3])
    clock = ":".join(part or "00" for part in numbers[3:])
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0')[:6]:0<6}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise TimeError("there is no such day or time", "check day, hour, minute and offset") from None
    if moment.year < _EARLIEST_YEAR:
        raise TimeError(f"the year {moment.year} is not plausible", f"give a year from {_EARLIEST_YEAR} on")
    return moment


def iso(moment: datetime) -> str:
    """Return a UTC time as ISO 8601 text with ``Z``; microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Puts the times that portals write for people into ISO 8601, where they can mean only one thing.

Must never guess: day and month that could stand for each other stay as they are, for the store to count as unreadable.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?:[ \u00a0\u202f](?P<half>[AaPp])\.?[Mm]\.?)?"
)
_SPELLINGS: Final = tuple(
    re.compile(date + r",?[ \u00a0T]+" + _CLOCK + r"(?: ?(?:UTC|Z|GMT))?")
    for date in (
        r"(?P<first>\d{1,2})/(?P<second_number>\d{1,2})/(?P<year>\d{4})",
        r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
        r"(?P<day>\d{1,2})-(?P<month>\d{1,2})-(?P<year>\d{4})",
    )
)
_HALF_DAY: Final = 12


def in_iso(text: str) -> str:
    """Return ``text`` as ISO 8601 in UTC where it is a time as portals show it to people, else as it is.

    Read are ``7/16/2026, 1:05:02.123 PM`` (month first, as everywhere where hours are counted to twelve in capitals),
    ``16.7.2026, 13:05:02,123``, ``16-7-2026 13:05:02``, and days and months with slashes where one of them is above
    twelve. They must have been written in UTC.
    """
    found = next((match for spelling in _SPELLINGS if (match := spelling.fullmatch(text.strip()))), None)
    if found is None:
        return text
    parts = found.groupdict()
    date = _date(parts)
    clock = _clock(parts)
    if date is None or clock is None:
        return text
    fraction = f".{parts['fraction']}" if parts["fraction"] else ""
    iso = f"{date}T{clock}"
    try:
        datetime.fromisoformat(iso)
    except ValueError:
        return text
    return f"{iso}{fraction}Z"


def _date(parts: dict[str, str | None]) -> str | None:
    """Return the date, None where day and month cannot be told apart."""
    day, month = parts.get("day"), parts.get("month")
    if day is None or month is None:
        first, second = int(parts["first"] or 0), int(parts["second_number"] or 0)
        is_month_first = second > _HALF_DAY or first == second or (parts["half"] or "").isupper()
        if not is_month_first and first <= _HALF_DAY:
            return None
        month, day = (str(first), str(second)) if is_month_first else (str(second), str(first))
    return f"{parts['year']}-{int(month):02}-{int(day):02}"


def _clock(parts: dict[str, str | None]) -> str | None:
    hour = int(parts["hour"] or 0)
    if parts["half"]:
        if not 1 <= hour <= _HALF_DAY:
            return None
        hour = hour % _HALF_DAY + (_HALF_DAY if parts["half"].lower() == "p" else 0)
    return f"{hour:02}:{parts['minute']}:{parts['second'] or '00'}"

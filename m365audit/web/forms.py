"""Owns what a form is: its fields, whether it may be sent now and why not, and how its texts become values.

No check of what may be decided stands here: those are ``m365audit.findings``'s, asked with a trial.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import Final, Literal

from markupsafe import Markup

from m365audit.errors import ReviewError
from m365audit.web.refusals import Told

Kind = Literal["reason", "text", "lines", "choice", "day", "moment", "hidden"]
_MOST_LINES: Final = 60


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: as it is sent; the words are ``page.field.<name>``.
        kind: how it is asked for.
        choices: what may be chosen.
        family: where the words of the choices are, e.g. ``decision``.
        is_needed: the browser asks for it already.
        only: name of another field and the values of it with which this one counts; for the script only.
        value: what stands in it.
    """

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    family: str = ""
    is_needed: bool = False
    only: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """One form, or why there is none.

    Attributes:
        name: the words are ``page.form.<name>.title`` and ``.button``.
        action: where it is sent.
        refusal: why it cannot be sent now; None when it can.
        refusals: choice → why that one cannot be taken now.
    """

    name: str
    action: str
    fields: tuple[Field, ...] = ()
    version: int = 0
    refusal: Told | None = None
    refusals: Mapping[str, Markup] = field(default_factory=dict)
    is_grave: bool = False


def reason(name: str = "reason") -> Field:
    """Return the field for a reason."""
    return Field(name, "reason", is_needed=True)


def lines_of(text: str) -> tuple[str, ...]:
    """Return the lines of a text that say something."""
    return tuple(line.strip() for line in text.split("\n") if line.strip())[:_MOST_LINES]


def day_of(text: str, name: str) -> date | None:
    """Return a day, None when the field is empty.

    Raises:
        ReviewError: it is none.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ReviewError(f"{name} is not a day", hint="write it like 2026-11-30", key="no_day", field=name) from None


def moment_of(text: str, name: str, zone: tzinfo) -> datetime | None:
    """Return a time that was given in the reader's zone, None when the field is empty.

    Raises:
        ReviewError: it is none.
    """
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        hint = "write it like 2026-11-30T14:05"
        raise ReviewError(f"{name} is not a time", hint=hint, key="no_time", field=name) from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=zone)).astimezone(UTC)


def version_of(fields: Mapping[str, str]) -> int:
    """Return the version on which a form was filled in.

    Raises:
        ReviewError: it is none.
    """
    text = fields.get("version", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004
        what = "the form does not say what it was filled in on"
        raise ReviewError(what, hint="load the page again", key="no_version")
    return int(text)

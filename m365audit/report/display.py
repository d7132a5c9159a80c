"""Owns how a value looks to a person: hostile characters become visible, long texts are cut with a mark.

It never interprets a text: what an attacker wrote is shown, not followed. Escaping for HTML is Jinja's work.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from typing import Final

SHOWN: Final = 300
"""Characters of one text that are shown; the JSON file holds all of it."""

_INVISIBLE: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\ud800-\udfff\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
    "]"
)
"""Control, format, bidirectional, zero-width and blank characters, surrogates, tags, variation selectors."""

_ORDINARY: Final = re.compile(r"[0-9A-Za-z][ -~]*")
"""Text that needs no care in a CSV cell, which is nearly all of a million rows."""
_WORD: Final = re.compile(r"[^\s<>\"'()\[\],;]+")
_FORMULA: Final = tuple(
    "=+-@\t\r\n\x00"
    "\uff1d\uff0b\uff0d\uff20"  # full width
    "\ufe66\ufe62\ufe63\ufe6b\u2212"  # small forms, minus sign
)
_SKIPPED_BEFORE_FORMULA: Final = " \"'`\u00a0\u3000\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb"
_CONFUSABLE_SCRIPTS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})


def visible(value: str) -> str:
    """Return the text with every invisible or reordering character written out, e.g. ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda found: f"⟨U+{ord(found.group()):04X}⟩", value)


def shown(value: str, mark: str = "… [{count}]") -> str:
    """Return the text as a person sees it: visible, and cut with a mark when it is very long.

    ``mark`` says that it was cut; ``{count}`` in it are the characters of the whole.
    """
    if len(value) <= SHOWN:
        return visible(value)
    return f"{visible(value[:SHOWN])} {mark.format(count=f'{len(value):,}')}"


def impersonal(value: str) -> str:
    """Return the text without anything that looks like a person's address; for the first page."""
    # Word by word: a pattern that looks for the "@" itself takes quadratic time on one long word.
    return _WORD.sub(lambda word: "[address]" if "@" in word.group().strip("@") else word.group(), value)


def inert(value: str) -> str:
    """Return the text for one CSV cell: visible, and never a formula in any spreadsheet.

    An apostrophe comes first where the text would begin with a formula's sign, also behind spaces, quotes, a byte
    order mark or other invisible characters.
    """
    if _ORDINARY.fullmatch(value):
        return value
    start = _INVISIBLE.sub(_keep_breaks, value).lstrip(_SKIPPED_BEFORE_FORMULA)
    prefix = "'" if start.startswith(_FORMULA) else ""
    return prefix + visible(value)


def _keep_breaks(found: re.Match[str]) -> str:
    return found.group() if found.group() in "\t\r\n\x00" else ""


def moment(value: datetime) -> str:
    """Return a time as ISO 8601 in UTC with ``Z``; microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(value: datetime) -> str:
    """Return a time to the minute, for reading."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def day(value: datetime) -> str:
    """Return a date."""
    return value.astimezone(UTC).strftime("%Y-%m-%d")


def has_mixed_scripts(value: str) -> bool:
    """Tell whether a word mixes alphabets that look alike, as imitations of known names do."""
    return any(len(_scripts(word) & _CONFUSABLE_SCRIPTS) > 1 for word in shown(value).split())


def _scripts(word: str) -> set[str]:
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in word if letter.isalpha()}

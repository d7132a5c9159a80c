"""Makes text that others wrote harmless to a terminal; knows nothing of streams and formats."""

from __future__ import annotations

import re
from typing import Final

UNSEEN: Final = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # control characters, the 8-bit ones included
    "\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f"  # direction, zero-width, line and format characters, tags
    "\ud800-\udfff\ue000-\uf8ff\U000f0000-\U0010ffff"  # surrogates and private use
    "]"
)
"""Characters that command a terminal, reorder a line, or cannot be seen."""


def harmless(text: str) -> str:
    """Return text that cannot command a terminal: control, direction and invisible characters show as code points."""
    return text if text.isascii() and text.isprintable() else UNSEEN.sub(_code_point, text)


def harmless_json(text: str) -> str:
    """Return JSON with the same meaning and without such characters: as escapes (they occur in texts only).

    Line breaks and indentation are left: they stand between values.
    """
    return UNSEEN.sub(_json_escape, text)


def _code_point(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found.group()):x}}}"


def _json_escape(found: re.Match[str]) -> str:
    char = found.group()
    if char == "\n":
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))

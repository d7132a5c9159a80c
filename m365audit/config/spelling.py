"""Words for people: the nearest valid word, and hostile values made safe to print. Knows nothing of any file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 60
_ENOUGH_ALIKE = 0.6


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a misspelt one most likely means, or None when none is alike."""
    folded = {entry.casefold(): entry for entry in sorted(known, reverse=True)}
    exact = folded.get(word.casefold())
    if exact is not None:
        return exact
    close = difflib.get_close_matches(word[:200].casefold(), folded, n=1, cutoff=_ENOUGH_ALIKE)
    return folded[close[0]] if close else None


def shown(value: object) -> str:
    """Return a value as it may stand in a message: short, in quotes when text, without control characters."""
    text = value if isinstance(value, str) else str(value)
    safe = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: _LONGEST + 1])
    if len(safe) > _LONGEST:
        safe = safe[:_LONGEST] + "…"
    return f"'{safe}'" if isinstance(value, str) else safe


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return the advice for a misspelt word: the nearest one, and all there are."""
    words = list(known)
    close = nearest(word, words)
    listed = ", ".join(words)
    return f"did you mean {close}? Known here: {listed}" if close else f"use one of: {listed}"

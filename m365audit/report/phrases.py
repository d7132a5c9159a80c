"""Owns the machine's own fixed sentences in the reader's language; never guesses at one that nobody has put into words.

English is what code and queries write down. ``config/words/<language>/phrases.yml`` says the same in another language,
with ``{places}`` for what was filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from m365audit.report.words import load_words
from m365audit.resources import data_dir, yaml_values

_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Phrases:
    """Sentences by their English text, and by their English pattern where something is filled in."""

    exact: Mapping[str, str]
    patterns: tuple[tuple[re.Pattern[str], str], ...]
    places: Mapping[str, Mapping[str, str]]

    def said(self, text: str) -> str | None:
        """Return a sentence in the reader's language; None when there are no words for it."""
        if text in self.exact:
            return self.exact[text]
        for pattern, there in self.patterns:
            found = pattern.fullmatch(text)
            if found is not None:
                return self._filled(there, found.groupdict())
        return None

    def _filled(self, there: str, values: Mapping[str, str]) -> str:
        words = {name: self.places.get(name, {}).get(value, value) for name, value in values.items()}
        return _PLACE.sub(lambda place: words[place[1]], there)


def texts_of(what: str, language: str) -> Mapping[str, Any]:
    """Return one file of ``config/words/<language>``; nothing where there is none."""
    path = data_dir("config") / "words" / language / f"{what}.yml"
    if not path.is_file():
        return {}
    loaded = yaml_values(path.read_text(encoding="utf-8"))
    return loaded if isinstance(loaded, dict) else {}


@cache
def phrases(language: str) -> Phrases:
    """Return the sentences of a language; none at all for English, which is what they are made from."""
    file = texts_of("phrases", language)
    told = {str(english): str(there) for english, there in file.get("phrases", {}).items()}
    feeds = {key.removeprefix("feed."): text for key, text in load_words(language).texts.items()
             if key.startswith("feed.") and isinstance(text, str)}  # fmt: skip
    return Phrases(
        {english: there for english, there in told.items() if not _PLACE.search(english)},
        tuple((_pattern(english), there) for english, there in told.items() if _PLACE.search(english)),
        {"feed": feeds, **file.get("places", {})},
    )


def _pattern(english: str) -> re.Pattern[str]:
    """Return what matches a sentence whatever is filled in; the most exact sentences stand first in the file."""
    parts = _PLACE.split(english)
    return re.compile("".join(f"(?P<{part}>.+?)" if odd % 2 else re.escape(part) for odd, part in enumerate(parts)))

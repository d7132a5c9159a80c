"""Owns the page's own words beside the report's: ``words/<language>.yml``, same keys in each. Holds no value."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final

from m365audit.report.words import Words, flat, load_words
from m365audit.resources import yaml_values

_FOLDER: Final = Path(__file__).resolve().parent / "words"


@cache
def page_words(language: str = "en", time_zone: str = "UTC") -> Words:
    """Return the report's words with the page's own, which all begin with ``page.``.

    Raises:
        ConfigurationError: no such language, or no such zone.
    """
    words = load_words(language, time_zone)
    own = yaml_values((_FOLDER / f"{words.language}.yml").read_text(encoding="utf-8"))
    basic = flat(own.pop("basic"))
    return replace(words, texts={**basic, **words.texts, **flat(own, "page.")})

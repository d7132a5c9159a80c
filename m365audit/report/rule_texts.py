"""Owns the texts of rules in the reader's language: title, question, advice, and the controls that they speak about.

English stands in the rules' own headers, titles that hold codes in ``config/words/en/rules.yml``; another language in
``config/words/<language>/rules.yml``. Where a text is not there, the English one is shown, marked as English.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from m365audit.report.phrases import phrases, texts_of
from m365audit.resources import data_dir
from m365audit.store.queries import read_query


@dataclass(frozen=True, slots=True)
class RuleText:
    """What is said of one rule's findings. ``title`` has places for the parts of the subject, e.g. ``{app_id}``."""

    title: str | None
    question: str | None
    advice: str | None
    controls: tuple[str, ...]
    language: str
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def has_own_title(self) -> bool:
        """Whether the title says codes in words; else the one that the rule itself wrote is as good."""
        return self.language != "en" or bool(self.values)

    def filled(self, parts: Mapping[str, str]) -> str | None:
        """Return the title with the subject's parts in their places; None when one of them is missing."""
        if self.title is None or not set(_PLACE.findall(self.title)) <= set(parts):
            return None
        return _PLACE.sub(lambda place: self._value(place[1], parts[place[1]]), self.title)

    def _value(self, name: str, value: str) -> str:
        """Return a code of a subject in words; anything else, names above all, as it stands."""
        if name == _SENTENCE:
            return phrases(self.language).said(value) or value
        return self.values.get(name, {}).get(value, value)


_PLACE: Final = re.compile(r"\{(\w+)\}")
_SENTENCE: Final = "doing"
"""The one part of a subject that is a sentence, and not a code."""
_BEGINS_TITLES: Final = "feed"
"""The one part with which titles begin; its words have a capital."""


@cache
def rule_texts(language: str) -> Mapping[str, RuleText]:
    """Return the texts of every rule by its id, and by the names it had before."""
    file = texts_of("rules", language)
    own = file.get("rules", {})
    found: dict[str, RuleText] = {}
    for path in sorted((data_dir("queries") / "rules").glob("*/*.sql")):
        header = read_query(path).header
        rule = str(header.get("id", path.stem))
        said = own.get(rule)
        text = _text(header, said if isinstance(said, dict) else None, language, file.get("values", {}))
        for name in (rule, *header.get("aliases", ())):
            found[str(name)] = text
    return found


@cache
def _values(language: str) -> Mapping[str, Mapping[str, str]]:
    values: Mapping[str, Mapping[str, str]] = texts_of("rules", language).get("values", {})
    return values


def said_part(language: str, name: str, value: str) -> str | None:
    """Return a part of a finding's subject in words, for the middle of a sentence; None for names and ids."""
    if name == _SENTENCE:
        return phrases(language).said(value)
    words = _values(language).get(name, {}).get(value)
    return words[:1].lower() + words[1:] if words and name == _BEGINS_TITLES else words


def _text(
    header: Mapping[str, Any], said: Mapping[str, Any] | None, language: str, values: Mapping[str, Mapping[str, str]]
) -> RuleText:
    controls = tuple(str(item) for item in header.get("control") or ())
    if language == "en":
        title = _clean((said or header).get("title"))
        question, advice = _clean(header.get("question")), _clean(header.get("advice"))
        return RuleText(title, question, advice, controls, "en", values if said else {})
    # All of a rule's texts or none: a sentence in two languages helps nobody.
    is_whole = said is not None and all(said.get(name) for name in ("title", "question", "advice"))
    source = said if is_whole and said is not None else header
    title, question, advice = (_clean(source.get(name)) for name in ("title", "question", "advice"))
    return RuleText(title, question, advice, controls, language if is_whole else "en", values if is_whole else {})


def _clean(value: object) -> str | None:
    return None if value is None else " ".join(str(value).split())

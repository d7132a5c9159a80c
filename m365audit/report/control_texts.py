"""Owns what is said of controls and of the policy's text in the reader's language; English where there are no words.

English is what the published database holds. A sentence is put together anew from the keys and facts in column
``said``; where one of its facts has no words, the English sentence stays, whole, and is marked as English.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from m365audit.config.sentences import sentence
from m365audit.report.phrases import Phrases, phrases, texts_of
from m365audit.report.words import Words, load_words
from m365audit.resources import data_dir, yaml_values

_PHRASES: Final = ("what", "reason", "roles")
"""Facts that are English text of a query's."""
_OWN: Final = ("object", "attach")
"""Facts that are English text of the control itself."""
_THOUSAND: Final = 1000
_LISTS: Final[Mapping[str, str]] = {"feeds": "feed", "kinds": "integration_kind"}
_CODES: Final[Mapping[str, str]] = {"feed": "feed", "table": "dated_table"}


@dataclass(frozen=True, slots=True)
class ControlTexts:
    """The controls' words in one language; for English there are none, and the database's own texts are shown."""

    language: str
    controls: Mapping[str, Mapping[str, str]]
    sentences: Mapping[str, str]
    reasons: Mapping[str, str]
    owners: Mapping[str, str]
    english: Mapping[str, str]
    phrases: Phrases
    words: Words

    def of(self, control: str) -> Mapping[str, str]:
        """Return ``title``, ``commitment`` and ``attach`` of a control: all of them, or none."""
        texts = self.controls.get(control, {})
        return texts if all(texts.get(name) for name in ("title", "commitment", "attach")) else {}

    def sentence(self, said: str | None) -> str | None:
        """Return what is said of an outcome; None when a part of it has no words in this language."""
        if not said or not self.sentences:
            return None
        told = json.loads(said)
        for entry in told["said"]:
            if entry["says"] not in self.sentences:
                return None
            facts = {name: self._fact(name, value) for name, value in (entry["facts"] or {}).items()}
            used = self.sentences[entry["says"]]
            if any(value is None and f"{{{name}}}" in used for name, value in facts.items() if entry["facts"][name]):
                return None
            entry["facts"] = {name: value for name, value in facts.items() if value is not None}
        if told.get("attested"):
            role = told["attested"]["role"]
            told["attested"]["role"] = self.words.code("role", role) if role else role
        return sentence(json.dumps(told), self)

    def _fact(self, name: str, value: Any) -> Any:
        if not isinstance(value, str):
            return self.words.number(value) if isinstance(value, int) and value >= _THOUSAND else value
        if name in _PHRASES:
            return self.phrases.said(value) or (self.words.texts.get(f"feed.{value}") if name == "reason" else None)
        if name in _OWN:
            return self.english.get(value)
        if name in _LISTS:
            return ", ".join(self.words.code(_LISTS[name], part) for part in value.split(", "))
        return self.words.code(_CODES[name], value) if name in _CODES else value


@cache
def control_texts(language: str) -> ControlTexts:
    """Return the words for controls of a language."""
    file = texts_of("controls", language)
    own: dict[str, Mapping[str, str]] = {
        str(control): {str(name): " ".join(str(text).split()) for name, text in texts.items()}
        for control, texts in file.get("controls", {}).items()
    }
    sentences, reasons, owners = (file.get(name, {}) for name in ("sentences", "reasons", "owners"))
    return ControlTexts(
        language, own, sentences, reasons, owners, _english(own), phrases(language), load_words(language)
    )


def _english(own: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    """Return what is said in this language for the English texts of the controls."""
    if not own:
        return {}
    pairs: dict[str, str] = {}
    catalogue = yaml_values((data_dir("config") / "controls.yml").read_text(encoding="utf-8"))
    for control in catalogue["controls"]:
        there, part = own.get(control["control"], {}), control.get("part") or {}
        english = {"attach": control["attach"], "object": control.get("object") or part.get("object")}
        pairs |= {" ".join(text.split()): there[name] for name, text in english.items() if text and name in there}
    return pairs


def policy_text(rule: str, filled: str | None, language: str) -> tuple[str, str] | None:
    """Return title and reason of a weakness of the policy's text in another language than English.

    Args:
        rule: POL-01 ….
        filled: what the check filled in, as JSON.
        language: the reader's.

    Returns:
        None where this language has no words for it.
    """
    file = _policy(language)
    text = file.get("findings", {}).get(rule)
    try:
        values = json.loads(filled or "{}")
        words = {name: _listed(str(value), file["words"]) for name, value in values.items()} if text else {}
        return None if text is None else (_clean(text["title"]).format(**words), _clean(text["why"]).format(**words))
    except (KeyError, ValueError):
        return None


def _listed(value: str, words: Mapping[str, str]) -> str:
    return ", ".join(words.get(part, part) for part in value.split(", "))


def _clean(text: str) -> str:
    return " ".join(text.split())


@cache
def _policy(language: str) -> Mapping[str, Any]:
    return texts_of("policy_findings", language)

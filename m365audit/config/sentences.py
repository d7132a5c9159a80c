"""What is said of a control's outcome: fixed sentences with a few facts filled in. Never decides an outcome.

The facts are numbers, days, names of rules, logs, countries and integrations; never a person's name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

_DECIDED = ("false_positive", "explained", "accepted")


class Sentences(Protocol):
    """Where the words are: ``Catalogue``, or the same in another language."""

    @property
    def sentences(self) -> Mapping[str, str]:
        """Key → text with ``{words}``."""

    @property
    def reasons(self) -> Mapping[str, str]:
        """Reason code → words."""

    @property
    def owners(self) -> Mapping[str, str]:
        """Owner → words."""


def sentence(said: str, words: Sentences) -> str:
    """Return what is said of one outcome.

    Args:
        said: column ``said`` of the table ``controls``: keys of sentences with their facts, as JSON.
        words: the sentences of one language.
    """
    told = json.loads(said)
    attested = told.get("attested")
    until = _filled("never_attested", {}, words)
    if attested:
        until = _filled("attested_until", {"day": attested["day"], "until": attested["until"] or "?"}, words)
    parts = [
        text for entry in told["said"] for text in _parts(entry["says"], entry["facts"] or {}, words, attested=until)
    ]
    if told.get("also"):
        parts.append(_filled("also_gap", {"reason": words.reasons.get(told["also"], told["also"])}, words))
    if attested:
        facts = {"role": attested["role"] or "?", "day": attested["day"], "until": attested["until"] or "?"}
        parts.append(_filled("attested", facts, words))
    return " ".join(dict.fromkeys(parts))


def _parts(key: str, facts: Mapping[str, Any], words: Sentences, *, attested: str) -> list[str]:
    values = {name: str(value) for name, value in facts.items()}
    if "owner" in values:
        values["owner"] = words.owners.get(values["owner"], values["owner"])
    if "code" in values:
        values["reason"] = f"{values.get('feed', '?')}: {words.reasons.get(values['code'], values['code'])}"
    values["attested"] = attested
    if key == "within_provisional":
        return [words.sentences["within"], words.sentences[key]]
    decided = [_filled(name, {"count": values[name]}, words) for name in _DECIDED if facts.get(name)]
    return [_filled(key, values, words), *decided]


def _filled(key: str, values: Mapping[str, str], words: Sentences) -> str:
    """Return the sentence with its words; a word that is not there is left as a question mark, never an error."""
    return words.sentences[key].format_map(_Known(values))


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"

"""Owns why something is not possible, in the reader's language: an error carries a key and values, the page the words.

What has no words here is shown as it is, and marked as English: a gap in the words must not hide a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from markupsafe import Markup

from m365audit.errors import AuditError
from m365audit.report.words import Words

_FAMILIES: Final[Mapping[str, str]] = {
    "action": "page.action.{}", "decision": "page.decision.{}", "possible": "page.decision.{}",
    "field": "page.field.{}.label", "role": "page.role.{}", "severity": "page.severity.{}",
    "state": "page.request_state.{}", "never": "page.never.{}",
}  # fmt: skip
"""Values of errors that are codes → the words for them."""


@dataclass(frozen=True, slots=True)
class Told:
    """Why something is not possible, and the next step, both escaped; the step is empty where there is none."""

    message: Markup
    hint: Markup


def told(words: Words, error: AuditError) -> Told:
    """Return an error in the reader's words; English and marked as such where the page has none for it."""
    key = f"page.refusal.{error.key}"
    if words.has(f"{key}.message"):
        values = {name: _value(words, name, value) for name, value in error.values.items()}
        return Told(words(f"{key}.message", **values), words(f"{key}.hint", **values))
    mark = Markup("{}") if words.language == "en" else Markup('<span lang="en">{}</span>')
    return Told(*(mark.format(words.placed(text)) if text else Markup() for text in (error.message, error.hint)))


def _value(words: Words, name: str, value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(str(_value(words, name, each)) for each in value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    key = _FAMILIES.get(name, "").format(value)
    return words.plain(key) if words.has(key) else value

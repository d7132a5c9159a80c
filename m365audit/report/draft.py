"""Owns the copy sheet of a breach notification (GDPR Art. 33) as a page: what to paste where, and what is still yours.

The page sends nothing and holds no form: the authority takes notifications on its own site alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from m365audit.report import jinja
from m365audit.report.display import visible
from m365audit.report.phrases import phrases
from m365audit.report.words import Words


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """One answer. ``status``: filled from evidence, suggestion, you must write, written by a person.

    ``text`` is empty where a person has to write it; ``name``: what ``breach draft --answer`` calls it.
    """

    block: int
    block_name: str
    question: str
    status: str
    text: str
    name: str


TONES = {
    "filled from evidence": "filled", "suggestion": "suggested", "you must write": "yours",
    "written by a person": "written",
}  # fmt: skip


def render_draft(case_id: str, answers: Sequence[DraftAnswer], missing: Sequence[str], now: datetime,
                 words: Words) -> bytes:  # fmt: skip
    """Return the draft as one HTML file, UTF-8, with every value escaped and made visible.

    Args:
        case_id: the case.
        answers: in the order of the authority's form.
        missing: names of the answers that Art. 33(3) asks for and nobody has given.
        now: when the draft was made.
        words: the reader's language and zone.
    """
    environment = _environment()
    answers = [_told(answer, words.language) for answer in answers]
    page = environment.get_template("draft.html").render(
        case_id=case_id,
        blocks=[(key, list(group)) for key, group in groupby(answers, key=lambda each: (each.block, each.block_name))],
        missing=missing,
        made=words.minute(now),
        left=sum(each.status == "you must write" for each in answers),
        w=words,
        tones=TONES,
        style_hash=jinja.style_hash(environment, "draft.css"),
    )
    return page.encode("utf-8")


def _told(answer: DraftAnswer, language: str) -> DraftAnswer:
    """Return an answer in the reader's language; what a person wrote, and what logs said, stay as they are."""
    if language == "en":
        return answer
    said = phrases(language).said
    own = None if answer.status == "written by a person" else said(answer.text)
    return replace(
        answer,
        block_name=said(answer.block_name) or answer.block_name,
        question=said(answer.question) or answer.question,
        text=own or answer.text,
    )


@cache
def _environment() -> Environment:
    return jinja.environment(_written)


def _written(value: object) -> Any:
    return value if isinstance(value, Markup) else visible(str(value))

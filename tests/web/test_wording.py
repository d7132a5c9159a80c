"""The page speaks English and Dutch: the same sentences with the same values, none of them missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from m365audit import web
from m365audit.web.application import application  # noqa: F401 - every part is imported
from m365audit.web.case_pages import _ACTS
from m365audit.web.wording import page_words

FOLDER = Path(web.__file__).resolve().parent
_FIELD = re.compile(r"\{(\w+)\}")


def _forms(language: str) -> dict[str, list[str]]:
    texts = page_words(language).texts
    return {
        f"{key}.{form}": sorted(set(_FIELD.findall(text)))
        for key, value in texts.items()
        if key.startswith("page.")
        for form, text in ([("", value)] if isinstance(value, str) else value.items())
    }


def test_both_languages_say_the_same() -> None:
    assert _forms("en") == _forms("nl")
    english, dutch = page_words("en").texts, page_words("nl").texts
    same = [key for key in english if key.startswith("page.") and english[key] == dutch[key]]
    assert len(same) < 0.1 * len(english), same


@pytest.mark.parametrize("template", sorted((FOLDER / "templates").glob("*.html")), ids=lambda path: path.name)
def test_every_sentence_that_a_template_asks_for_is_there(template: Path) -> None:
    texts = page_words("en").texts
    asked = set(re.findall(r'\bt\("(page\.[a-z_.]+)"[,)]', template.read_text(encoding="utf-8")))
    assert {key for key in asked if key not in texts} == set()


def test_every_form_and_field_has_its_words() -> None:
    texts = page_words("nl").texts
    for name, act in _ACTS.items():
        assert f"page.form.{name}.title" in texts
        assert f"page.form.{name}.button" in texts
        for field in act.fields:
            assert f"page.field.{field.name}.label" in texts
            assert all(f"page.{field.family}.{choice}" in texts for choice in field.choices)

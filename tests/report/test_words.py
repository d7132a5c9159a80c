"""Every word on the page comes from the words' files: both languages have the same keys, and no word is left over."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

import duckdb
import pytest

from m365audit.errors import ConfigurationError
from m365audit.report import Document, words
from m365audit.report import html as html_form
from m365audit.report.words import LANGUAGES, Words, load_words

from .page import Element, read_page
from .reader import QueryReader, document_of
from .replaced import replaced

Texts = Mapping[str, "str | Mapping[str, str]"]
_PLACES = re.compile(r"\{(\w+)\}")
_ALLOWED = {"m365audit", "UTC", "SHA", "R", "G", "U", "CSV", "JSON", "query", "report", "sql", "format"}


def _texts(language: str) -> Texts:
    return load_words(language).texts


def test_both_languages_have_the_same_keys_places_and_forms() -> None:
    english, dutch = (_texts(language) for language in LANGUAGES)
    assert list(english) == list(dutch)
    for key, text in english.items():
        other = dutch[key]
        assert isinstance(text, str) == isinstance(other, str), key
        for one, two in zip(_forms(text), _forms(other), strict=True):
            assert set(_PLACES.findall(one)) == set(_PLACES.findall(two)), key
            assert one.strip(), key
            assert two.strip(), key


def _forms(text: str | Mapping[str, str]) -> list[str]:
    return [text] if isinstance(text, str) else [text["one"], text["other"]]


def _pseudo(text: str) -> str:
    """Return the text in letters that no English word has, its places as they are."""
    return "".join(
        part if part.startswith("{") else re.sub("[A-Za-z]", "ж", part) for part in re.split(r"(\{\w+\})", text)
    )


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make English a language of one letter."""
    texts: dict[str, str | Mapping[str, str]] = {
        key: _pseudo(text) if isinstance(text, str) else {form: _pseudo(said) for form, said in text.items()}
        for key, text in _texts("en").items()
    }
    texts |= {key: text for key, text in _texts("en").items() if key == "format.thousands"}

    def load(language: str = "en", time_zone: str = "UTC") -> Words:  # noqa: ARG001 - as the real one
        return Words(language, texts)

    monkeypatch.setattr(html_form, "load_words", load)
    monkeypatch.setattr("m365audit.report.assemble.load_words", load)


def _said(element: Element) -> list[str]:
    """Return the texts and the readable attributes below an element, but for what is marked as another language."""
    found = [value for name in ("aria-label", "title") if (value := element.attributes.get(name))]
    for child in element.children:
        if isinstance(child, str):
            found.append(child)
        elif child.tag not in {"style", "script"} and child.attributes.get("lang") != "en":
            found += _said(child)
    return found


@pytest.mark.usefixtures("pseudo")
def test_no_word_of_the_page_stands_outside_of_the_words_files(report_world: duckdb.DuckDBPyConnection) -> None:
    made = document_of(QueryReader(report_world))
    # `replaced` keeps the field of this name, for the cells that have one too.
    coverage = tuple(replaced(line, lambda _: "жж") for line in made.coverage)
    document = dataclasses.replace(replaced(made, lambda _: "жж"), coverage=coverage)
    page = read_page(html_form.render_html(document))
    left = {
        word
        for text in _said(page.all("body")[0])
        for word in re.findall(r"[A-Za-z]{2,}", re.sub(r"\b[A-Z]{1,3}\d*-[\w-]+|[0-9a-f]{8}-[0-9a-f-]+", "", text))
    }
    assert sorted(left - _ALLOWED - _codes(document)) == []


def _codes(document: Document) -> set[str]:
    """Words of commands, which are the same in every language, and of fields that ``replaced`` leaves alone."""
    commands = " ".join(finding.evidence_command for finding in document.findings)
    return set(re.findall("[A-Za-z]+", commands))


@pytest.mark.parametrize(
    ("language", "key", "count", "said"),
    [
        ("en", "page.tenants", 1, "1 tenant"), ("en", "page.tenants", 2, "2 tenants"),
        ("en", "page.tenants", 0, "0 tenants"),
        ("nl", "clocks.days_left", 1, "nog 1 dag"), ("nl", "clocks.days_left", 14, "nog 14 dagen"),
    ],
)  # fmt: skip
def test_plurals_are_right(language: str, key: str, count: int, said: str) -> None:
    assert load_words(language).plain(key, count=count) == said


def test_figures_and_times_are_written_as_the_language_writes_them(report_world: duckdb.DuckDBPyConnection) -> None:
    english, dutch = load_words("en"), load_words("nl", "Europe/Amsterdam")
    assert (english.number(1_234_567), dutch.number(1_234_567)) == ("1,234,567", "1.234.567")
    assert dutch.duration(3_600 * 40 + 61) == "40 u 01 min"
    at = document_of(QueryReader(report_world)).now.replace(hour=23, minute=30)
    assert english.minute(at) == "2026-11-21 23:30"
    assert dutch.minute(at) == "2026-11-22 00:30 (2026-11-21 23:30 UTC)"
    assert dutch.in_full(at) == "zo 22 nov 2026 00:30 Amsterdam (21 nov 23:30 UTC)"
    assert english.in_full(at) == "Sat 21 Nov 2026 23:30 UTC"


def test_the_dutch_page_is_dutch_and_says_what_is_not(report_world: duckdb.DuckDBPyConnection) -> None:
    document = document_of(QueryReader(report_world), language="nl")
    page = read_page(html_form.render_html(document))
    assert page.all("html")[0].attributes["lang"] == "nl"
    text = page.by_id("page-one").text()
    assert "Ja. Gegevens zijn gebruikt buiten de vastgelegde toestemming." in text
    for finding in document.findings:
        assert finding.text_language in {"en", "nl"}


def test_hostile_values_in_words_stay_text() -> None:
    said = load_words("en")("answer.not_judged", tenant="<b>{count}</b>{0.__class__}")
    assert str(said) == "&lt;b&gt;{count}&lt;/b&gt;{0.__class__} was not judged:"


@pytest.mark.parametrize(("language", "zone"), [("fr", "UTC"), ("en", "Mars/Olympus"), ("en", "../etc/passwd")])
def test_a_language_or_zone_that_is_not_there_is_refused(language: str, zone: str) -> None:
    with pytest.raises(ConfigurationError):
        load_words(language, zone)


def test_what_has_no_words_is_shown_as_it_stands() -> None:
    assert load_words("nl").code("reason", "brand_new") == "brand_new"
    assert words.load_words("nl").reason("licence").startswith("de licentie")

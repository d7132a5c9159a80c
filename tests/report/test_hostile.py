"""What attackers write stays text: in the page, in the tables, in the JSON."""

# ruff: noqa: RUF001 - look-alike letters are tested here

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sys
import time
import unicodedata
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from m365audit.report import Document, render
from m365audit.report.display import SHOWN, has_mixed_scripts, impersonal, inert, moment, shown, visible
from m365audit.report.tables import SECTIONS
from m365audit.report.words import load_words

from .hostile import HOSTILE
from .page import read_page, structure
from .reader import QueryReader, ReplacedReader, pieces
from .replaced import outside_fields, replaced

_BADGE = b' <span class="tag warn">letters of different alphabets</span>'
_SIGNS = tuple("=+-@\t\r\n\0＝＋－＠−")
_ROWS: dict[str, list[dict[str, object]]] = {}
_NEVER_PRINTED = {"Cc", "Cf", "Cs", "Zl", "Zp"}


@pytest.fixture(scope="module")
def document(document: Document) -> Document:
    """The rich document with two pieces of evidence per finding and one tenant's coverage: every field, less often."""
    findings = tuple(dataclasses.replace(item, evidence=item.evidence[:2]) for item in document.findings)
    coverage = tuple(line for line in document.coverage if line.tenant_id == document.coverage[0].tenant_id)
    return dataclasses.replace(document, findings=findings, coverage=coverage)


@pytest.fixture(scope="module")
def benign(document: Document) -> list[tuple[str, Any]]:
    return list(structure(render(replaced(document, lambda _: "benign"), "html")))


def test_the_corpus_and_the_fields_are_many(document: Document) -> None:
    assert len(set(HOSTILE)) >= 80
    fields = outside_fields(document)
    assert len(fields) >= 60
    assert {"Cell.app_name", "Finding.title", "Finding.subject", "Evidence.event_id", "Evidence.what",
            "UnmappedCall.shape", "FileTrouble.path", "QuarantineGroup.reason", "AppSheet.publisher",
            "AppSheet.permissions", "TenantSection.name", "NotJudged.reason"} <= fields  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_every_outside_field_of_the_page_holds_only_text(
    document: Document, benign: list[tuple[str, Any]], text: str
) -> None:
    # An empty text may be shown by its replacement word; markup for it is the same.
    page = render(replaced(document, lambda _: text or "benign"), "html").replace(_BADGE, b"")
    assert structure(page) == benign
    assert not {unicodedata.category(letter) for letter in set(page.decode())} & (_NEVER_PRINTED - {"Cc"})
    assert not {letter for letter in set(page.decode()) if ord(letter) < 32} - {"\n"}


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_no_csv_cell_is_a_formula_or_breaks_its_line(report_world: duckdb.DuckDBPyConnection, text: str) -> None:
    reader = ReplacedReader(QueryReader(report_world), text, _ROWS)
    for section in SECTIONS:
        lines = b"".join(pieces(reader, "csv", section)).decode("utf-8").split("\r\n")
        assert lines.pop() == ""
        rows = list(csv.reader(io.StringIO("\r\n".join(lines))))
        assert len(rows) == len(lines)
        for row in rows:
            assert len(row) == len(rows[0])
            for cell in row:
                bare = cell.lstrip(' "\u00a0\u3000\ufeff')
                assert not bare.startswith(_SIGNS)
                assert not {unicodedata.category(letter) for letter in set(cell)} & _NEVER_PRINTED


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:40])
def test_json_gives_back_the_exact_text(document: Document, text: str) -> None:
    changed = replaced(document, lambda _: text)
    form = render(changed, "json")
    assert json.loads(form) == _plain(dataclasses.asdict(changed))
    assert form.isascii()
    assert not set(form.decode()) & set("<>&\x7f")
    assert not {byte for byte in set(form) if byte < 32} - {10}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return moment(value) if isinstance(value, datetime) else value


@pytest.mark.parametrize("name", ["</dd><script>", "{{7*7}}", "\u202e", "x\" y='"])
def test_a_subject_with_hostile_names_and_values_stays_text(document: Document, name: str) -> None:
    subject = json.dumps({name: name, "number": 3, "list": [name]})
    finding = dataclasses.replace(document.findings[0], subject=subject)
    page = render(dataclasses.replace(document, findings=(finding,)), "html")
    assert not read_page(page).all("script")
    about = next(term for term in read_page(page).all("div") if term.text().startswith("About"))
    assert visible(name) in about.text()


def test_a_lone_surrogate_breaks_no_form(document: Document) -> None:
    changed = replaced(document, lambda _: "half \ud800 pair")
    assert "⟨U+D800⟩" in render(changed, "html").decode()
    assert "half \ud800 pair" in json.loads(render(changed, "json"))["findings"][0]["title"]


def test_every_character_that_hides_or_reorders_is_written_out() -> None:
    hidden = [
        letter
        for letter in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(letter) in _NEVER_PRINTED and visible(letter) == letter
    ]
    assert hidden == []
    assert visible("x\u202ey") == "x⟨U+202E⟩y"
    assert visible("Zażółć 日本語 😀 ضصث") == "Zażółć 日本語 😀 ضصث"


def test_a_long_text_is_cut_with_a_mark() -> None:
    assert shown("a" * SHOWN) == "a" * SHOWN
    assert shown("a" * 12_345) == "a" * SHOWN + " … [12,345]"
    said = "a" * SHOWN + " … [cut; 12,345 characters, all of them in the JSON file]"
    assert str(load_words().placed("a" * 12_345)) == said


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1", "'=1"), (" =1", "' =1"), ("\ufeff=1", "'⟨U+FEFF⟩=1"), ("\t1", "'⟨U+0009⟩1"), ('"=1', "'\"=1"),
        ("a=1", "a=1"), ("1-2", "1-2"), ("Contoso", "Contoso"), ("'quoted'", "'quoted'"), ("＝1", "'＝1"),
        ("\x1b-1", "'⟨U+001B⟩-1"),
    ],
)  # fmt: skip
def test_only_what_may_be_a_formula_gets_an_apostrophe(text: str, cell: str) -> None:
    assert inert(text) == cell


def test_letters_of_different_alphabets_in_one_name_are_pointed_out(document: Document) -> None:
    assert has_mixed_scripts("Microsоft")
    assert not has_mixed_scripts("Microsoft")
    assert not has_mixed_scripts("Контосо 3CX")
    assert not has_mixed_scripts("日本語 CRM")
    assert _BADGE in render(replaced(document, lambda _: "Microsоft Teams"), "html")
    assert _BADGE not in render(document, "html")


def test_one_enormous_word_takes_no_enormous_time() -> None:
    for text in ("a" * 2_000_000, "@" * 2_000_000, "a@" * 1_000_000, " " * 2_000_000, "='" * 1_000_000):
        begin = time.perf_counter()
        for read in (impersonal, inert, shown, has_mixed_scripts):
            assert read(text) is not None
        assert time.perf_counter() - begin < 5  # quadratic time would be hours
    assert impersonal("from <anna@contoso.example>, @ home") == "from <[address]>, @ home"

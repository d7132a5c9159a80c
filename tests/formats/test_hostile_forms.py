"""Hundreds of hostile strings in every field of every form: they stay text. Checked by other people's parsers."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
import unicodedata
import xml.etree.ElementTree as ET
import zipfile
from typing import Any

import icalendar
import openpyxl  # type: ignore[import-untyped]
import pytest
import tinyhtml5  # type: ignore[import-untyped]
from hostile_corpus import families, hostile
from report.page import structure
from report.reader import QueryReader, people
from report.replaced import outside_fields, replaced

from m365audit.cli.harmless import harmless
from m365audit.report import Document, render
from m365audit.report.csv import csv_pieces
from m365audit.report.hiding import hidden
from m365audit.report.ics import render_ics
from m365audit.report.ocsf import ocsf_pieces
from m365audit.report.tables import SECTIONS, table
from m365audit.report.words import load_words
from m365audit.report.xlsx import SHEETS, render_xlsx

from .packed import PackedReader, rotating, slim

STRINGS = hostile()
_NEVER_PRINTED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_SIGNS = tuple("=+-@\t\r\n\0＝＋－＠−﹦﹢﹣﹫")  # noqa: RUF001 - look-alikes are what it is about
_BADGE = re.compile(rb' <span class="tag warn">letters of different alphabets</span>')


@pytest.fixture(scope="module")
def thin(document: Document) -> Document:
    """The decided document with little of everything."""
    return slim(document)


def test_the_corpus_is_large_and_of_every_kind(document: Document) -> None:
    assert len(STRINGS) >= 300
    assert all(len(strings) >= 5 for strings in families().values())
    assert set(families()) >= {
        "script", "markup", "attributes", "svg", "style", "templates", "formulas", "dde", "quoting", "calendars",
        "terminal", "controls", "directions", "unseen", "surrogates", "look_alikes", "addresses", "paths", "sql",
        "documents", "huge",
    }  # fmt: skip
    assert len(outside_fields(document)) >= 100


@pytest.mark.parametrize("part", range(6))
def test_the_page_has_no_element_and_no_attribute_that_the_template_lacks(thin: Document, part: int) -> None:
    plain = _with_text(thin, "benign")
    wanted, quickly = _elements(render(plain, "html")), _structure(render(plain, "html"))
    assert len(wanted) > 500
    for string in STRINGS[part::6]:
        # An empty text is shown by its replacement word; the markup for it is the same.
        page = _BADGE.sub(b"", render(_with_text(thin, string or "benign"), "html"))
        if set(string) & set("<>&\"'`"):
            assert _elements(page) == wanted, ascii(string)[:80]
        else:
            assert _structure(page) == quickly, ascii(string)[:80]
        _check_nothing_commands(page.decode())


def _structure(page: bytes) -> list[tuple[str, list[str]]]:
    """Return elements and attributes' names by a quicker parser, for strings without a character of markup."""
    return [(tag, [name for name, _ in attributes]) for tag, attributes in structure(page)]


def _all_of(document: Document, text: str) -> Document:
    return replaced(document, lambda _: text)


def _with_text(document: Document, text: str) -> Document:
    """Return the document with a text everywhere; a finding's subject stays JSON, which makes as many lines as ever."""
    changed = _all_of(document, text)
    sound = text.encode("utf-8", "replace").decode()  # a database's JSON holds no half characters
    subject = json.dumps({"app_id": sound, f"x{sound}": sound})
    findings = tuple(dataclasses.replace(finding, subject=subject) for finding in changed.findings)
    return dataclasses.replace(changed, findings=findings)


def _elements(page: bytes) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """Return every element with its attributes as a browser's parser sees them; fails on comments."""
    tree = tinyhtml5.parse(page.decode("utf-8"), namespace_html_elements=False)
    found = []
    for element in tree.iter():
        assert isinstance(element.tag, str), "a comment or an instruction"
        # What is read aloud may hold names; what leads somewhere, styles or identifies may not.
        spoken = {"aria-label", "title"}
        found.append((element.tag, tuple((name, "" if name in spoken else value) for name, value in element.items())))
    return found


def _check_nothing_commands(text: str) -> None:
    letters = set(text)
    assert not {letter for letter in letters if unicodedata.category(letter) in _NEVER_PRINTED} - {"\n", "\r"}


def test_no_cell_of_any_csv_is_a_formula_or_breaks_its_line(reader: QueryReader) -> None:
    rows_of = hidden(PackedReader(reader, STRINGS), people())
    for section in SECTIONS:
        text = b"".join(csv_pieces(rows_of, section)).decode("utf-8")
        _check_nothing_commands(text)
        lines = text.split("\r\n")
        assert lines.pop() == ""
        assert "\r" not in "".join(lines)
        assert "\n" not in "".join(lines)
        rows = list(csv.reader(io.StringIO("\r\n".join(lines))))
        assert len(rows) == len(lines)
        assert len(rows) >= min(len(STRINGS), 300) or section == "coverage", section
        for row in rows:
            assert len(row) == len(rows[0])
            for cell in row:
                assert not cell.lstrip(' "\u00a0\u3000\ufeff').startswith(_SIGNS), (section, ascii(cell)[:80])


@pytest.fixture(scope="module")
def workbook(reader: QueryReader, thin: Document) -> bytes:
    """A workbook with every string in every column, and in the facts about the report."""
    rows_of = hidden(PackedReader(reader, STRINGS), people())
    return render_xlsx(replaced(thin, lambda _: "=1+1"), rows_of, load_words())


def test_the_workbook_holds_texts_alone(workbook: bytes, reader: QueryReader) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook))
    rows_of = hidden(PackedReader(reader, STRINGS), people())
    for sheet, section in zip(book.worksheets[1:], SHEETS, strict=True):
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not [cell.coordinate for cell in cells if cell.data_type in {"f", "e"} or cell.hyperlink]
        assert sheet.max_row == 1 + sum(1 for _ in table(rows_of, section).rows)
        for value in {cell.value for cell in cells if isinstance(cell.value, str)}:
            _check_nothing_commands(value)


def test_the_workbook_names_nothing_outside_itself(workbook: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook)) as archive:
        for name in archive.namelist():
            assert not name.startswith(("xl/externalLinks", "xl/connections", "xl/queryTables", "xl/macro"))
            tree = ET.fromstring(archive.read(name))  # noqa: S314
            tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
            assert not tags & {"f", "hyperlink", "hyperlinks", "oleObject", "ddeLink", "externalReference"}, name
            assert not [one for one in tree.iter() if one.get("TargetMode")], name


@pytest.mark.parametrize("start", range(0, len(STRINGS), max(len(STRINGS) // 12, 1)))
def test_json_gives_back_the_exact_text(thin: Document, start: int) -> None:
    changed = rotating(thin, STRINGS, start)
    form = render(changed, "json")
    assert form.isascii()
    assert not set(form.decode()) & set("<>&\x7f")
    assert not {byte for byte in set(form) if byte < 32} - {10}
    assert json.loads(form)["findings"][0]["title"] == changed.findings[0].title


def test_every_event_is_one_line_that_parses(thin: Document) -> None:
    count = len(_events(thin))
    assert count >= 4
    for string in STRINGS:
        events = _events(_all_of(thin, string))
        assert len(events) == count
        for event in events:
            _check_texts(event)


def _events(document: Document) -> list[dict[str, Any]]:
    lines = b"".join(ocsf_pieces(document, document.findings, document.controls))
    assert lines.isascii()
    assert not {byte for byte in set(lines) if byte < 32} - {10}
    return [json.loads(line) for line in lines.splitlines()]


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        _check_nothing_commands(value)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_texts(inner)


def test_a_calendar_has_the_same_entries_whatever_things_are_called(document: Document) -> None:
    plain = _calendar(document)
    assert len(plain) >= 6
    for string in STRINGS:
        entries = _calendar(_all_of(document, string or "x"))
        assert entries == plain, ascii(string)[:80]


def _calendar(document: Document) -> list[tuple[str, frozenset[str]]]:
    made = render_ics(document, load_words())
    text = made.decode("utf-8")
    assert text.count("BEGIN:") == text.count("END:")
    assert all(len(line) <= 75 for line in made.split(b"\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    for hostile_word in ("evil", "pwned", "ATTACH", "ATTENDEE", "PROCEDURE"):
        assert hostile_word not in text
    calendar = icalendar.Calendar.from_ical(made)
    return [(str(item.name), frozenset(map(str, item.keys()))) for item in calendar.subcomponents]


def test_a_terminal_obeys_none_of_them() -> None:
    for string in STRINGS:
        _check_nothing_commands(harmless(string).replace("\n", ""))

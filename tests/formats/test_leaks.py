"""Persons planted in every column come out of no form: one world, rendered once in each."""

from __future__ import annotations

import importlib
import io
import re
import zipfile
from collections.abc import Iterator

import pypdf
import pytest
from planted import PLANTED, knowing, plant, traces
from report.reader import QueryReader, people, pieces

from m365audit.report import FORMATS
from m365audit.report.tables import SECTIONS

from .world import decided_world

_FORMS = [(form, None) for form in FORMATS if form != "csv"] + [("csv", section) for section in SECTIONS]


@pytest.fixture(scope="module")
def planted() -> Iterator[QueryReader]:
    connection = decided_world()
    ((database,),) = connection.execute("SELECT current_database()").fetchall()
    assert plant(connection, database) > 60
    assert plant(connection, "temp") > 5
    yield QueryReader(connection)
    connection.close()


def _text(form: str, made: bytes) -> str:
    """Return every text of a form, as a reader with the right program finds it."""
    if form == "pdf":
        book = pypdf.PdfReader(io.BytesIO(made))
        return "".join(page.extract_text() for page in book.pages) + str(book.metadata) + str(book.outline)
    if form in {"xlsx", "art30"}:
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            return "".join(archive.read(name).decode() for name in archive.namelist())
    text = made.decode()
    if form == "html":
        text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return text.replace("\r\n ", "") if form == "ics" else text


@pytest.mark.parametrize(("form", "section"), _FORMS, ids=str)
def test_nobody_comes_out(planted: QueryReader, form: str, section: str | None) -> None:
    if form == "pdf":
        _need_pdf()
    made = b"".join(pieces(planted, form, section, people=knowing(people())))
    found = traces(_text(form, made))
    assert not found, found
    assert not traces(_unescaped(_text(form, made)))


def _need_pdf() -> None:
    try:
        importlib.import_module("weasyprint")
    except (ImportError, OSError):
        pytest.skip("WeasyPrint or its Pango is not installed")


def _unescaped(text: str) -> str:
    """Return what JSON, XML and HTML escapes stand for."""
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    return re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), text)


def test_they_were_planted(planted: QueryReader) -> None:
    rows = planted.connection.execute("SELECT app_name FROM apps UNION SELECT path FROM sources").fetchall()
    assert {text for (text,) in rows} <= set(PLANTED)
    assert not [text for text in PLANTED if not traces(text.replace("\u0435", "e"))]


def test_with_names_shown_they_do_come_out(planted: QueryReader) -> None:
    made = b"".join(pieces(planted, "csv", "findings", people=knowing(people(is_identified=True))))
    assert traces(made.decode())

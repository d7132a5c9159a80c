"""The PDF: one page first, tagged for those who cannot see it, made without asking anybody for anything."""

from __future__ import annotations

import builtins
import importlib
import io
import sys
from typing import Any

import pypdf
import pytest
from report.reader import QueryReader, pieces

from m365audit.errors import QueryError
from m365audit.report import Document
from m365audit.report.pdf import render_pdf


def _is_missing() -> bool:
    try:
        importlib.import_module("weasyprint")
    except (ImportError, OSError):
        return True
    return False


pytestmark = pytest.mark.skipif(_is_missing(), reason="WeasyPrint or its Pango is not installed")


@pytest.fixture(scope="module")
def made(reader: QueryReader) -> bytes:
    return b"".join(pieces(reader, "pdf"))


@pytest.fixture(scope="module")
def book(made: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(made))


def test_it_is_tagged_and_says_its_language_and_its_title(book: pypdf.PdfReader, made: bytes) -> None:
    root: Any = book.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert book.metadata is not None
    assert str(book.metadata.title).endswith("m365audit")
    assert b"pdfuaid" in b"".join([root["/Metadata"].get_object().get_data(), made[:0]])
    roles = set(_roles(root["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/Table", "/TH", "/TD", "/L", "/LI", "/P"} <= roles


def _roles(node: Any) -> Any:
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, list) else [kids]:
        one = kid.get_object()
        if isinstance(one, dict):
            if "/S" in one:
                yield str(one["/S"])
            yield from _roles(one)


def test_page_one_is_one_a4_and_holds_the_answer(book: pypdf.PdfReader, document: Document) -> None:
    first, second = (page.extract_text() for page in book.pages[:2])
    assert [round(float(side)) for side in book.pages[0].mediabox[2:]] == [595, 842]
    assert document.answer.headline in " ".join(first.split())
    assert "Who may do what" in " ".join(first.split())
    assert "Every log, with reasons" not in second
    assert "What changed" in " ".join(first.split())


def test_every_page_says_whose_it_is_and_which_of_how_many(book: pypdf.PdfReader) -> None:
    pages = len(book.pages)
    for number, page in enumerate(book.pages, 1):
        text = " ".join(page.extract_text().split())
        assert f"{number} / {pages}" in text
        assert "7f3c0a11" in text
        assert "Contoso" in text


def test_the_foot_is_text_whatever_a_tenant_is_called() -> None:
    foot = '"; } } * { display: none } @page { @top-left { content: "owned" <script> \\ \u202e \ud800'
    page = pypdf.PdfReader(io.BytesIO(render_pdf(b"<html lang=en><title>x</title><p>here", foot))).pages[0]
    text = " ".join(page.extract_text().split())
    assert text.startswith("here")
    assert '"; } } * { display: none }' in text


def test_nothing_is_loaded_whatever_a_page_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr("urllib.request.OpenerDirector.open", lambda *given, **_: opened.append(given))
    monkeypatch.setattr("socket.create_connection", lambda *given, **_: opened.append(given))
    page = (
        b'<html lang=en><title>x</title><link rel=stylesheet href="http://evil.example/x.css">'
        b'<style>@import "file:///etc/passwd"; p{background:url(http://evil.example/a.png)}</style>'
        b'<p>x<img src="file:///etc/hostname"><img src="data:image/svg+xml,<svg onload=1>"><object data="file:///etc/passwd">'
    )
    assert pypdf.PdfReader(io.BytesIO(render_pdf(page))).pages[0].extract_text().startswith("x")
    assert opened == []


@pytest.mark.parametrize(
    ("error", "words"),
    [(ImportError("no"), "pip install 'm365audit[pdf]'"), (OSError("cannot load library 'libpango-1.0-0'"), "apt-get")],
)
def test_what_is_missing_is_said_with_what_to_do(monkeypatch: pytest.MonkeyPatch, error: Exception, words: str) -> None:
    real = builtins.__import__

    def refuse(name: str, *given: Any, **named: Any) -> Any:
        if name == "weasyprint" or name.startswith("weasyprint."):
            raise error
        return real(name, *given, **named)

    for name in [name for name in sys.modules if name.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.import_module", refuse)
    with pytest.raises(QueryError, match="WeasyPrint") as refused:
        render_pdf(b"<html></html>")
    assert words in str(refused.value)


def test_its_drawings_have_their_colours(book: pypdf.PdfReader) -> None:
    """A drawing that does not get the page's style is drawn all in black, and says that everything is one."""
    drawn = b"".join(content.get_data() for page in book.pages if (content := page.get_contents()) is not None)
    within, gap = (46, 139, 98), (228, 230, 234)
    for colour in (within, gap):
        assert b" ".join(b"%g" % round(part / 255, 6) for part in colour) + b" rg" in drawn

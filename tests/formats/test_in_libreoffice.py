"""The workbook and the CSV files opened by LibreOffice: every cell is the text that was written, and nothing is done.

Skips where there is no LibreOffice: apt-get install libreoffice-calc-nogui.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hostile_corpus import hostile
from report.reader import QueryReader, people
from report.replaced import replaced

from m365audit.report import Document
from m365audit.report.csv import csv_pieces
from m365audit.report.display import visible
from m365audit.report.hiding import hidden
from m365audit.report.tables import table
from m365audit.report.words import load_words
from m365audit.report.xlsx import render_xlsx

from .packed import PackedReader, slim

OFFICE = shutil.which("soffice")
pytestmark = pytest.mark.skipif(OFFICE is None, reason="there is no soffice here (libreoffice-calc-nogui)")
_STRINGS = tuple(string for string in hostile() if len(string) < 1_000)
_SECTIONS = ("findings", "evidence", "not_assessable", "action_plan", "art30_controller")
_SHEETS = ("findings", "action_plan", "decisions", "not_assessable", "art30_controller")
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def opened(reader: QueryReader, document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the forms as LibreOffice read them, and a bait that shows that it does calculate."""
    folder = tmp_path_factory.mktemp("office")
    rows = hidden(PackedReader(reader, _STRINGS), people())
    (folder / "book.xlsx").write_bytes(
        render_xlsx(replaced(slim(document), lambda _: "=1+1"), rows, load_words(), _SHEETS)
    )
    for section in _SECTIONS:
        (folder / f"{section}.csv").write_bytes(b"".join(csv_pieces(rows, section)))
    (folder / "bait.csv").write_text('"=1+1","=HYPERLINK(""http://evil.example"")"\r\n')
    command = [OFFICE or "", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--norestore",
               "--convert-to", "fods", "--outdir", str(folder)]  # fmt: skip
    tables = [str(folder / f"{section}.csv") for section in (*_SECTIONS, "bait")]
    # Comma, quotes, UTF-8, from the first row: what a person answers in the dialogue.
    subprocess.run([*command, "--infilter=CSV:44,34,76,1", *tables], check=True, capture_output=True, timeout=120)
    subprocess.run([*command, str(folder / "book.xlsx")], check=True, capture_output=True, timeout=120)
    return folder


def _tree(path: Path) -> ET.Element:
    return ET.fromstring(path.read_bytes())  # noqa: S314


def _formulas(tree: ET.Element) -> list[str]:
    return [str(cell.get(f"{_TABLE}formula")) for cell in tree.iter() if cell.get(f"{_TABLE}formula") is not None]


def _outside(tree: ET.Element) -> list[str]:
    """Return what leads out of the file: links in cells, tables that come from elsewhere, DDE, scripts."""
    tags = {f"{_TEXT}a", f"{_TABLE}table-source", f"{_TABLE}dde-link", f"{_TABLE}cell-range-source",
            f"{_OFFICE}dde-source", f"{_OFFICE}event-listeners"}  # fmt: skip
    return [element.tag for element in tree.iter() if element.tag in tags]


def _cells(tree: ET.Element, sheet: int) -> list[list[str]]:
    """Return the texts of a sheet; rows and columns that are empty to the sheet's end are left out."""
    rows = []
    for row in list(tree.iter(f"{_TABLE}table"))[sheet].iter(f"{_TABLE}table-row"):
        cells: list[str] = []
        for cell in row.findall(f"{_TABLE}table-cell"):
            text = "\n".join(_said(paragraph) for paragraph in cell.findall(f"{_TEXT}p"))
            cells += [text] * min(int(cell.get(f"{_TABLE}number-columns-repeated", "1")), 100)
        while cells and not cells[-1]:
            cells.pop()
        rows.append(cells)
    while rows and not rows[-1]:
        rows.pop()
    return rows


def _said(paragraph: ET.Element) -> str:
    """Return a paragraph's text; runs of spaces are elements there."""
    text = paragraph.text or ""
    for child in paragraph:
        text += " " * int(child.get(f"{_TEXT}c", "1")) if child.tag == f"{_TEXT}s" else _said(child)
        text += child.tail or ""
    return text


def test_the_bait_is_taken(opened: Path) -> None:
    assert len(_formulas(_tree(opened / "bait.fods"))) == 2, "or the tests below see nothing"


@pytest.mark.parametrize("name", [*_SECTIONS, "book"])
def test_no_cell_calculates_and_nothing_leads_outside(opened: Path, name: str) -> None:
    tree = _tree(opened / f"{name}.fods")
    assert _formulas(tree) == []
    assert _outside(tree) == []
    assert [element.get(_LINK) for element in tree.iter() if element.get(_LINK)] == []
    assert not {cell.get(f"{_OFFICE}value-type") for cell in tree.iter(f"{_TABLE}table-cell")} & {"error"}


@pytest.mark.parametrize("section", ["findings", "action_plan"])
def test_cells_of_a_csv_are_what_was_written(opened: Path, section: str) -> None:
    written = list(csv.reader(io.StringIO((opened / f"{section}.csv").read_bytes().decode())))
    shown = _cells(_tree(opened / f"{section}.fods"), 0)
    assert len(shown) == len(written)
    title = written[0].index("title")
    for before, after in zip(written[1:], shown[1:], strict=True):
        if not _is_a_value(before[title]):
            assert after[title].rstrip() == before[title].rstrip()


def _is_a_value(text: str) -> bool:
    """Tell whether a spreadsheet takes the text for a number, a date or a truth value: harmless, and not the text."""
    return re.fullmatch(r"[\s\d.,:/%+-]*(e\d+)?|true|false", text.strip(), re.IGNORECASE) is not None


def test_cells_of_the_workbook_are_what_was_written(opened: Path, reader: QueryReader) -> None:
    rows = table(hidden(PackedReader(reader, _STRINGS), people()), "findings")
    at = list(rows.columns).index("title")
    shown = _cells(_tree(opened / "book.fods"), 1)[1:]
    for before, after in zip(rows.rows, shown, strict=True):
        assert after[at].rstrip() == visible(str(before[at])).rstrip()

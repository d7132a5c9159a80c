"""The three forms, byte by byte. After a wanted change: UPDATE_SNAPSHOTS=1 pytest tests/report/test_snapshots.py."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from m365audit.report import Document, render
from m365audit.report.tables import SECTIONS

from .reader import QueryReader, document_of, pieces

FOLDER = Path(__file__).resolve().parent.parent / "snapshots" / "report"
FORMS = [("report.html", "html", None), ("report.json", "json", None)] + [
    (f"{section}.csv", "csv", section) for section in SECTIONS
]


@pytest.mark.parametrize(("name", "form", "section"), FORMS)
def test_form_is_as_it_was(report_world: duckdb.DuckDBPyConnection, name: str, form: str, section: str | None) -> None:
    made = b"".join(pieces(QueryReader(report_world), form, section))
    path = FOLDER / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        FOLDER.mkdir(parents=True, exist_ok=True)
        path.write_bytes(made)
    assert made == path.read_bytes()


def test_the_same_database_gives_the_same_bytes(report_world: duckdb.DuckDBPyConnection, document: Document) -> None:
    again = document_of(QueryReader(report_world))
    assert again == document
    assert [render(again, form) for form in ("html", "json")] == [render(document, form) for form in ("html", "json")]

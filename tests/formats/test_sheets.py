"""The workbook: its sheets, its types, and the line between what was agreed and what was observed."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from report.database import PERSON
from report.reader import QueryReader, pieces

from m365audit.report import words
from m365audit.report.tables import SECTIONS

_WORDS = Path(words.__file__).parent


@pytest.fixture(scope="module")
def made(reader: QueryReader) -> bytes:
    return b"".join(pieces(reader, "xlsx"))


@pytest.fixture(scope="module")
def book(made: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(made))


def _rows(sheet: Any) -> list[dict[str, Any]]:
    head, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_sheets_are_ready_to_be_worked_with(book: Any) -> None:
    assert book.sheetnames == [
        "About", "Action plan", "Findings", "Controls", "Coverage", "Decisions", "Art. 30 controller",
        "Art. 30 processor", "Not assessable",
    ]  # fmt: skip
    for sheet in book.worksheets[1:]:
        assert sheet.freeze_panes is not None
        assert sheet.auto_filter.ref is not None
        assert sheet["A1"].font.bold
        assert sheet.max_row > 1, sheet.title


def test_every_row_of_a_table_is_in_its_sheet(book: Any, reader: QueryReader) -> None:
    sheets = zip(
        ("action_plan", "findings", "controls", "coverage", "decisions", "art30_controller", "art30_processor",
         "not_assessable"), book.worksheets[1:], strict=True,
    )  # fmt: skip
    for section, sheet in sheets:
        table = list(csv.reader(io.StringIO(b"".join(pieces(reader, "csv", section)).decode())))
        assert (len(table), len(table[0])) == (sheet.max_row, sheet.max_column), section


def test_times_are_dates_and_counts_are_numbers(book: Any) -> None:
    row = _rows(book["Findings"])[0]
    assert row["First seen (UTC)"] == datetime(2026, 10, 22)  # noqa: DTZ001 - sheets hold no zone
    assert row["Pieces of evidence"] == 45


def test_the_plan_holds_what_is_not_decided_away_and_leaves_its_columns_to_people(book: Any) -> None:
    rows = _rows(book["Action plan"])
    assert {row["Finding or control"] for row in rows} >= {"F1-00000000000000000000000001", "C12-6", "C14-1"}
    assert "F1-00000000000000000000000003" not in {row["Finding or control"] for row in rows}, "an accepted one"
    assert all(row[name] is None for row in rows for name in ("Owner", "Due", "Done", "Justification"))


def test_nothing_observed_fills_in_what_was_agreed(book: Any) -> None:
    rows = {row["Process"]: row for row in _rows(book["Art. 30 controller"])}
    mail = rows["crm-mail-log"]
    assert mail["Countries agreed to"] == "DE"
    assert mail["Observed: countries"] == "NL"
    assert (mail["Differs from observation"], mail["Differs in"]) == ("yes", "use; country")
    assert mail["Transfers and safeguards"] == "US SalSoft Inc standard_clauses SCC.pdf"
    silent = rows["phone-presence"]
    assert silent["Observed: permissions held"] == "Presence.Read.All"
    assert silent["Controller"] == silent["Erasure term"] == "not in the record"
    assert silent["Recipients"] == "none"
    assert silent["Differs from observation"] == "no"
    assert rows["crm-contacts"]["Differs from observation"] == "unknown", "its logs have gaps"
    assert all(row[name] is None for row in rows.values() for name in ("Security measures", "DPIA"))


def test_a_processor_stands_once_per_controller_with_the_worst_of_its_answers(book: Any) -> None:
    rows = {row["Processor"]: row for row in _rows(book["Art. 30 processor"])}
    assert rows["SalSoft"]["Categories of processing"] == (
        "calendar: read, write; contacts: read; files: read; mail: read"
    )
    assert rows["SalSoft"]["Differs from observation"] == "yes"
    assert rows["SalSoft"]["Observed: uses"] == 129


def test_persons_are_tokens_in_every_table(reader: QueryReader, made: bytes) -> None:
    inside = b"".join(
        zipfile.ZipFile(io.BytesIO(made)).read(name) for name in zipfile.ZipFile(io.BytesIO(made)).namelist()
    )
    tables = b"".join(b"".join(pieces(reader, "csv", section)) for section in SECTIONS)
    for text in (inside, tables):
        assert PERSON.encode() not in text
        assert b"k.bos" not in text
        assert b"P-" in text


def test_the_same_database_gives_the_same_workbook(reader: QueryReader, made: bytes) -> None:
    assert b"".join(pieces(reader, "xlsx")) == made


def test_records_of_processing_can_be_had_alone(reader: QueryReader) -> None:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(pieces(reader, "art30"))))
    assert book.sheetnames == ["About", "Art. 30 controller", "Art. 30 processor"]


@pytest.mark.skipif(not (_WORDS / "nl.yml").is_file(), reason="the page has no Dutch words yet")
def test_it_speaks_dutch(reader: QueryReader) -> None:
    book = openpyxl.load_workbook(io.BytesIO(b"".join(pieces(reader, "art30", language="nl"))))
    assert book.sheetnames == ["Over dit bestand", "Art. 30 verantwoordelijke", "Art. 30 verwerker"]
    assert "Verwerkingsverantwoordelijke" in [cell.value for cell in book.worksheets[1][1]]

"""HTML, CSV and JSON hold the same cells, value by value."""

# ruff: noqa: RUF001 - the dash stands for "nothing" on the page

from __future__ import annotations

import csv
import io
import json

import duckdb

from m365audit.report import Document, render
from m365audit.report.display import minute
from m365audit.report.words import load_words

from .page import Element, read_page
from .reader import QueryReader, pieces

WORDS = load_words()

COLUMNS = (
    "tenant_id", "tenant_name", "app_id", "app_name", "integration_name", "record", "workload", "recorded", "granted",
    "used", "within", "outside", "not_assessable", "first_used_at", "last_used_at", "coverage",
)  # fmt: skip


def _csv_cells(connection: duckdb.DuckDBPyConnection) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(pieces(QueryReader(connection), "csv")).decode("utf-8"))))


def test_csv_and_json_are_equal_in_every_value(report_world: duckdb.DuckDBPyConnection, document: Document) -> None:
    from_json = json.loads(render(document, "json"))["matrix"]
    from_csv = _csv_cells(report_world)
    assert tuple(from_csv[0]) == COLUMNS
    assert len(from_csv) == len(from_json) == len(document.matrix) == 10
    for plain, exact in zip(from_csv, from_json, strict=True):
        assert tuple(exact) == COLUMNS
        for column in COLUMNS:
            value = exact[column]
            assert plain[column] == ("" if value is None else str(value)), column


def _page_rows(page: Element) -> list[list[str]]:
    body = page.by_id("every-cell").all("tbody")[0]
    return [[cell.text() for cell in row.children if isinstance(cell, Element)] for row in body.all("tr")]


def test_the_page_holds_the_same_cells(document: Document) -> None:
    rows = _page_rows(read_page(render(document, "html")))
    assert len(rows) == len(document.matrix)
    for row, cell in zip(rows, document.matrix, strict=True):
        tenant, app, record, workload, recorded, granted, *numbers, first, last, coverage = row
        assert tenant == cell.tenant_name
        assert (cell.app_id or "does not name") in app
        assert (cell.integration_name or cell.app_name or "") in app
        assert record == (cell.record or "–")
        assert workload == WORDS.code("workload", cell.workload)
        assert (recorded, granted) == (WORDS.code("recorded", cell.recorded), WORDS.code("granted", cell.granted))
        assert [int(number.replace(",", "")) for number in numbers] == [
            cell.used, cell.within, cell.outside, cell.not_assessable
        ]  # fmt: skip
        assert first == ("–" if cell.first_used_at is None else minute(cell.first_used_at))
        assert last == ("–" if cell.last_used_at is None else minute(cell.last_used_at))
        assert coverage.endswith(WORDS.code("coverage", cell.coverage))


def test_the_exact_times_stand_behind_the_readable_ones(document: Document) -> None:
    rows = read_page(render(document, "html")).by_id("every-cell").all("tbody")[0].all("tr")
    exact = json.loads(render(document, "json"))["matrix"]
    for row, cell in zip(rows, exact, strict=True):
        times = [time.attributes["datetime"] for time in row.all("time")]
        assert times == [at for at in (cell["first_used_at"], cell["last_used_at"]) if at is not None]


def test_page_one_says_of_each_cell_what_the_cell_says(document: Document) -> None:
    page = read_page(render(document, "html"))
    links = page.by_id("page-one").all("a")
    boxes = [link for link in links if (link.attributes["href"] or "").startswith("#cell-")]
    assert len(boxes) == len(document.matrix)
    for box in boxes:
        ordinal = int((box.attributes["href"] or "").removeprefix("#cell-"))
        cell = document.matrix[ordinal - 1]
        text = box.text()
        assert (f"{cell.outside} outside" in text) == bool(cell.outside)
        assert (f"{cell.used} used" in text) == (bool(cell.used) or cell.coverage == "complete")
        assert ("at least" in text) == (bool(cell.used) and cell.coverage != "complete")
        assert ("record ended" in text) == (cell.recorded == "ended")
        assert ("not granted" in text) == (cell.granted == "no")
        assert ("grant unknown" in text) == (cell.granted == "unknown")

"""Text on its way out: every character that commands a terminal or a spreadsheet is inert, and nothing is lost."""

from __future__ import annotations

import csv
import io
import json
import sys
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from m365audit.cli import table
from m365audit.cli.harmless import harmless
from m365audit.cli.output import as_json, lay_out


def test_every_control_direction_and_private_character_is_shown_as_its_code_point() -> None:
    kept = [
        f"{point:x}"
        for point in range(sys.maxunicode + 1)
        if unicodedata.category(chr(point)) in {"Cc", "Cf", "Zl", "Zp", "Cs", "Co"}
        and harmless(chr(point)) == chr(point)
    ]
    assert kept == []


@pytest.mark.parametrize("text", ["Müller & Söhne", "株式会社", "café", "— “quoted” …"])
def test_ordinary_text_stays(text: str) -> None:
    assert harmless(text) == text


@given(st.text(st.characters()))
@example("\x7f")
def test_json_keeps_every_text_and_shows_none_that_commands(text: str) -> None:
    written = as_json({text: [text]})
    assert json.loads(written) == {text: [text]}
    assert harmless(written.replace("\n", "")) == written.replace("\n", "")


def test_json_is_json_for_values_that_json_lacks() -> None:
    moment = datetime(2026, 9, 1, 12, 0, 0, 5, UTC)
    row = (float("nan"), float("inf"), Decimal("1.50"), b"\xff", moment, None, True)
    answer = json.loads(lay_out(list("abcdefg"), [row], "json"), parse_constant=pytest.fail)
    assert list(answer[0].values()) == ["nan", "inf", "1.50", "ff", "2026-09-01T12:00:00.000005Z", None, True]


def test_json_keeps_columns_of_the_same_name() -> None:
    assert json.loads(lay_out(["a", "a", "a_1"], [(1, 2, 3)], "json")) == [{"a": 1, "a_1": 2, "a_1_1": 3}]


@pytest.mark.parametrize(
    "begin", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\ufeff=1", "\uff1d1", "'=1", '"=1', "\u22121"]
)
def test_no_csv_cell_or_heading_is_a_formula(begin: str) -> None:
    heading, row = csv.reader(io.StringIO(lay_out([begin], [(begin,)], "csv"), newline=""))
    assert heading[0].startswith("'")
    assert row[0].startswith("'")


def test_csv_shows_numbers_as_numbers_and_booleans_as_sql_does() -> None:
    assert lay_out(["a", "b", "c"], [(-5, True, ["x"])], "csv").splitlines()[1] == '"-5","true","[""x""]"'


def test_csv_keeps_line_breaks_and_no_terminal_command() -> None:
    (_, row) = csv.reader(io.StringIO(lay_out(["a"], [("one\ntwo\x1b[2J\x9b\u202e",)], "csv"), newline=""))
    assert row == ["one\ntwo\\u{1b}[2J\\u{9b}\\u{202e}"]


def test_a_table_in_a_pipe_is_as_wide_as_its_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "terminal_width", lambda: None)
    drawn = lay_out(["name", "n"], [("株式会社", 1), ("x" * 500, 22)], "table").splitlines()
    assert drawn[0].split() == ["name", "n"]
    assert drawn[2].startswith("株式会社" + " " * (120 - 8) + "  1")
    assert "…" in drawn[3]


@pytest.mark.parametrize("width", [20, 40, 80, 200])
@given(rows=st.lists(st.tuples(st.text(max_size=90), st.text(max_size=9), st.integers()), max_size=4))
def test_a_table_never_wraps_on_a_terminal(width: int, rows: list[tuple[str, str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "terminal_width", lambda: width)
        drawn = lay_out(["one", "two", "three"], rows, "table").splitlines()
    if drawn and not drawn[0].startswith("── "):
        assert max(map(table.text_width, drawn)) <= width


def test_many_columns_become_records_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "terminal_width", lambda: 40)
    names = [f"column_{number}" for number in range(9)]
    drawn = lay_out(names, [tuple("x" * 30 for _ in names), ("", *"12345678")], "table").splitlines()
    assert drawn[0].startswith("── 1 of 2 ")
    assert drawn[1] == "column_0  " + "x" * 30
    assert "column_0" not in drawn[11]


def test_no_rows_and_no_columns() -> None:
    assert json.loads(lay_out(["a"], [], "json")) == []
    assert lay_out(["a"], [], "csv") == '"a"'
    assert lay_out(["a"], [], "table").splitlines()[0] == "a"

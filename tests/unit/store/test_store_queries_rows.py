"""Query files and their headers; rows of plain values on their way into a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from m365audit.errors import RuleError
from m365audit.store.queries import read_queries, read_query
from m365audit.store.rows import create_from_rows, insert_rows

HEAD = "/*---\ntable: x\n---*/\n"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1", "header"),
        ("", "header"),
        ("-- note\n" + HEAD + "SELECT 1", "header"),
        ("/*---\n---\nSELECT 1", "header"),
        ("/*---\n: [\n---*/\nSELECT 1", "not YAML"),
        ("/*---\n- a\n---*/\nSELECT 1", "not a mapping"),
        ("/*---\n\n---*/\nSELECT 1", "not a mapping"),
        (HEAD, "not a SELECT"),
        (HEAD + "DROP TABLE x", "not a SELECT"),
        (HEAD + "selection", "not a SELECT"),
    ],
)
def test_a_query_file_without_a_sound_header_and_a_select_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "10_x.sql"
    path.write_text(text)
    with pytest.raises(RuleError, match=complaint) as caught:
        read_query(path)
    assert caught.value.file == str(path)


def test_a_query_keeps_its_lines_and_loses_its_semicolon(tmp_path: Path) -> None:
    path = tmp_path / "10_some_table.sql"
    path.write_text("\n" + HEAD + "WITH a AS (SELECT 1)\nFROM a;\n")
    query = read_query(path)
    assert query.name == "some_table"
    assert query.header == {"table": "x"}
    assert query.sql.count("\n") == 5
    assert query.sql.endswith("FROM a")


def test_every_query_of_the_product_can_be_read_in_the_order_of_its_number() -> None:
    for folder in ("tables", "verdicts", "report"):
        found = read_queries(folder)
        assert found
        assert [query.path.name for query in found] == sorted(query.path.name for query in found)


COLUMNS = {
    "a": "VARCHAR", "j": "JSON", "l": "VARCHAR[]", "s": "STRUCT(name VARCHAR, n INTEGER)[]", "t": "TIMESTAMPTZ",
    "n": "BIGINT", "b": "BOOLEAN",
}  # fmt: skip


def test_values_arrive_as_they_were_given(tmp_path: Path) -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    text = 'x"\n\\\u2028é\U0001f600'
    rows: list[Mapping[str, object]] = [
        {"a": text, "j": '{"k": [1, "x"]}', "l": ["1", None], "s": [{"name": "m", "n": 1}],
         "t": "2026-05-04T10:00:00.123456Z", "n": 2**62, "b": False},
        {"a": ""},
        {},
    ]  # fmt: skip
    create_from_rows(connection, "x", COLUMNS, rows, workdir=tmp_path)
    first, *others = connection.execute(
        "SELECT a, j->>'$.k[1]', json_type(j), l, s, t::VARCHAR, n, b FROM x"
    ).fetchall()
    assert first == (
        text, "x", "OBJECT", ["1", None], [{"name": "m", "n": 1}], "2026-05-04 10:00:00.123456+00", 2**62,
        False,
    )  # fmt: skip
    assert others == [("", *[None] * 7), (None,) * 8]
    insert_rows(connection, "x", COLUMNS, [], workdir=tmp_path)
    assert connection.execute("SELECT count(*) FROM x").fetchone() == (3,)
    assert not list(tmp_path.iterdir())


def test_no_rows_make_an_empty_table(tmp_path: Path) -> None:
    connection = duckdb.connect()
    create_from_rows(connection, "x", COLUMNS, (), workdir=tmp_path)
    described = connection.execute("DESCRIBE x").fetchall()
    assert [row[0] for row in described] == list(COLUMNS)

"""Laws that hold for every input: nothing is lost in any container, and no damage does more than damage."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.errors import EvidenceError
from m365audit.exports import prepare
from m365audit.exports.strict import UnreadableError, parse
from m365audit.model import PreparedFile

from .noted import notes_of
from .test_formats import database, rows_of

Records = list[dict[str, Any]]

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.lists(
    st.builds(lambda extra: {"CreationTime": "2026-08-01T07:00:00", "Operation": "Send", "Extra": extra}, JSON),
    min_size=1,
    max_size=6,
)


def lines(records: Records, end: str = "\n", *, ascii_only: bool = False) -> str:
    return "".join(json.dumps(record, ensure_ascii=ascii_only) + end for record in records)


def page(records: Records) -> dict[str, Any]:
    return {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#x", "value": records}


def table(records: Records, indent: int | None = None) -> str:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(["RecordId", "AuditData", "UserId"])
    writer.writerows([[i, json.dumps(r, indent=indent), 'a"b,\nc'] for i, r in enumerate(records)])
    return out.getvalue()


CONTAINERS: dict[str, Callable[[Records], str | bytes]] = {
    "lines": lines,
    "lines with CRLF": lambda records: lines(records, "\r\n"),
    "lines in ASCII": lambda records: lines(records, ascii_only=True),
    "array": lambda records: json.dumps(records, ensure_ascii=False),
    "indented array": lambda records: json.dumps(records, indent=2),
    "page": lambda records: json.dumps(page(records)),
    "indented page": lambda records: json.dumps(page(records), indent=2),
    "page per line": lambda records: lines([page([record]) for record in records]),
    "indented pages": lambda records: "\n".join(json.dumps(page([record]), indent=1) for record in records),
    "indented objects": lambda records: "".join(json.dumps(record, indent=1) for record in records),
    "array without blanks, then lines": lambda records: json.dumps(records[:1]) + lines(records[1:]),
    "UTF-16 LE": lambda records: codecs.BOM_UTF16_LE + lines(records).encode("utf-16-le"),
    "UTF-16 BE": lambda records: codecs.BOM_UTF16_BE + json.dumps(records, indent=3).encode("utf-16-be"),
    "gzip": lambda records: gzip.compress(lines(records).encode()),
    "gzip members": lambda records: b"".join(gzip.compress(lines([r]).encode()) for r in records),
    "table": table,
    "table with line breaks": lambda records: table(records, indent=1),
    "wrapped objects": lambda records: json.dumps([{"AuditData": record} for record in records], indent=4),
    "wrapped text": lambda records: json.dumps([{"AuditData": json.dumps(record)} for record in records]),
    "Event Hubs": lambda records: json.dumps({"records": records}),
}


def as_bytes(data: str | bytes) -> bytes:
    return data.encode("utf-8") if isinstance(data, str) else data


def prepared_as_by_the_store(path: Path, workdir: Path) -> PreparedFile:
    """Take the fast path first and the careful one when the store's reader objects."""
    prepared = prepare(path, workdir=workdir)
    try:
        rows_of(prepared)
    except duckdb.Error:
        prepared = prepare(path, workdir=workdir, careful=True)
    return prepared


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
@pytest.mark.parametrize("name", CONTAINERS)
@settings(max_examples=6, deadline=None)
@given(records=RECORDS)
def test_every_container_gives_back_what_was_put_in(name: str, records: Records, *, careful: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence"
        path.write_bytes(as_bytes(CONTAINERS[name](records)))
        prepared = prepare(path, workdir=Path(folder) / "work", careful=careful)
        assert rows_of(prepared) == records
        assert (prepared.records, prepared.quarantined) == (len(records), 0)


@pytest.mark.parametrize("name", CONTAINERS)
@settings(max_examples=15, deadline=None)
@given(records=RECORDS, data=st.data())
def test_no_damage_loses_a_record_or_raises_anything_else(name: str, records: Records, data: st.DataObject) -> None:
    body = bytearray(as_bytes(CONTAINERS[name](records)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(body) - 1)))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        path, work = Path(folder) / "evidence", Path(folder) / "work"
        path.write_bytes(bytes(body))
        try:
            prepared = prepared_as_by_the_store(path, work)
        except EvidenceError:
            assert not any(work.iterdir()), "a refusal leaves nothing behind"
            return
        rows = rows_of(prepared)
        assert prepared.records == len(rows) + prepared.quarantined
        assert all(isinstance(row, dict) for row in rows)
        ordinals = [item.record or 0 for item in notes_of(prepared)]
        assert ordinals == sorted(set(ordinals))


@settings(max_examples=60, deadline=None)
@given(records=RECORDS.filter(lambda records: len(records) > 3), data=st.data())
def test_a_damaged_line_costs_no_other_line(records: Records, data: st.DataObject) -> None:
    whole = lines(records).encode().splitlines(keepends=True)
    victim = data.draw(st.integers(0, len(whole) - 1))
    line = bytearray(whole[victim])
    line[data.draw(st.integers(0, len(line) - 2))] = data.draw(st.integers(0, 255).filter(lambda byte: byte != 10))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence"
        path.write_bytes(b"".join([*whole[:victim], bytes(line), *whole[victim + 1 :]]))
        prepared = prepare(path, workdir=Path(folder) / "work", careful=True)
        rows = rows_of(prepared)
        others = records[:victim] + records[victim + 1 :]
        assert rows[:victim] == others[:victim]
        assert rows[len(rows) - len(others) + victim :] == others[victim:]
        assert prepared.records == len(records)


@settings(max_examples=150, deadline=None)
@given(record=JSON, data=st.data())
def test_what_passes_the_strict_reader_means_the_same_to_both_parsers(record: object, data: st.DataObject) -> None:
    """Python's reader is told to refuse duplicates and constants, and DuckDB must take every line that passes."""
    raw = bytearray(json.dumps({"a": record, "b": {"c": 1}}, ensure_ascii=data.draw(st.booleans())).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b'"a":', b'"', b":", b",", b"\\u0022", b"\\ud800", b"NaN", b"{", b"}", b"\xff", b"1e999"])
        )
    line = bytes(raw).replace(b"\n", b" ")
    try:
        value = parse(line)
    except UnreadableError:
        return
    members: list[int] = []
    json.loads(line, object_pairs_hook=lambda pairs: members.append(len(pairs) - len(dict(pairs))))
    assert not any(members), "a duplicate key passed"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.json"
        path.write_bytes(line + b"\n")
        query = "SELECT json_keys(json) FROM read_ndjson_objects(?)"
        assert database().execute(query, [str(path)]).fetchall() == [(list(value),)]

"""A document read through a small window gives what it gives read at once; nothing is held that does not fit."""

from __future__ import annotations

import gzip
import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.errors import EvidenceError
from m365audit.exports import limits, prepare
from m365audit.exports.pieces import Reading
from m365audit.exports.salvage import Element, cut_document
from m365audit.exports.window import Window

from .noted import notes_of
from .test_formats import rows_of

RECORD = {"CreationTime": "2026-08-01T07:00:00", "Operation": "Send", "Id": 1}
SMALL = {"WINDOW_BYTES": 160, "BATCH_BYTES": 90}
TEXTS = st.text(st.sampled_from('ab"\\{}[],: \né'), max_size=12)
VALUES = st.recursive(
    TEXTS | st.integers(-99, 99) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=4,
)
RECORDS = st.lists(st.dictionaries(TEXTS, VALUES, max_size=2).map(lambda more: {"Id": 1} | more), max_size=12)


@pytest.fixture(params=[SMALL, {}], ids=["small window", "large window"])
def window(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in request.param.items():
        monkeypatch.setattr(limits, name, value)


def cut(body: bytes, sizes: dict[str, int]) -> tuple[list[Element], Reading]:
    reading = Reading()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in sizes.items():
            patch.setattr(limits, name, value)
        return list(cut_document(Window(io.BytesIO(body), 0), reading)), reading


@settings(max_examples=150, deadline=None)
@given(records=RECORDS, indent=st.sampled_from([None, 1]), is_page=st.booleans(), data=st.data())
def test_the_size_of_the_window_changes_nothing(
    records: list[Any], indent: int | None, data: st.DataObject, *, is_page: bool
) -> None:
    whole = {"@odata.context": "x", "value": records, "@odata.nextLink": "y"} if is_page else records
    body = bytearray(json.dumps(whole, indent=indent, ensure_ascii=False).encode())
    for _ in range(data.draw(st.integers(0, 2))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 2))] = data.draw(st.sampled_from([b"", b'"', b"}", b"]", b",", b"x"]))
    elements, reading = cut(bytes(body), {"WINDOW_BYTES": 10_000})
    if max((len(element.raw) for element in elements), default=0) > SMALL["WINDOW_BYTES"]:
        return  # what does not fit is told apart by the window alone
    small, told = cut(bytes(body), SMALL)
    offsets = [(element.offset, element.line, element.fault) for element in elements if element.raw]
    if len(body) <= SMALL["WINDOW_BYTES"] or not is_page:
        assert [(e.offset, e.line, e.fault) for e in small if e.raw] == offsets
        assert told == reading


@settings(max_examples=100, deadline=None)
@given(records=RECORDS, indent=st.sampled_from([None, 1]), is_page=st.booleans())
def test_healthy_documents_come_back_whole_through_any_window(
    records: list[Any], indent: int | None, *, is_page: bool
) -> None:
    whole = {"@odata.context": "x", "value": records, "@odata.nextLink": "y"} if is_page else records
    body = json.dumps(whole, indent=indent, ensure_ascii=False).encode()
    elements, reading = cut(body, SMALL | {"WINDOW_BYTES": 200})
    assert len(elements) == len(records)
    assert all(e.fault or json.loads(e.raw) == record for e, record in zip(elements, records, strict=True))
    assert all(not e.fault or len(json.dumps(r)) > 100 for e, r in zip(elements, records, strict=True))
    assert not reading.has_broken_end
    assert reading.has_next_page == is_page
    for element in elements:
        assert body[element.offset :].startswith(element.raw)
        assert element.line == 1 + body.count(b"\n", 0, element.offset)


@pytest.mark.parametrize("container", ["array", "page", "objects"])
@pytest.mark.parametrize("text", ["x" * 2000, '\\"' * 1000, "\\\\" * 999 + "\\", "{[" * 900], ids=range(4))
def test_a_record_longer_than_the_window_costs_no_other(
    container: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SMALL.items():
        monkeypatch.setattr(limits, name, value)
    records = [RECORD, RECORD | {"Id": 2, "more": text}, RECORD | {"Id": 3}]
    whole: Any = {"value": records} if container == "page" else records
    body = json.dumps(whole) if container != "objects" else "\n".join(json.dumps(r, indent=1) for r in records)
    path = tmp_path / "evidence.json"
    path.write_text(body, encoding="utf-8")
    prepared = prepare(path, workdir=tmp_path / "work", careful=True)
    assert [row["Id"] for row in rows_of(prepared)] == [1, 3]
    (note,) = notes_of(prepared)
    assert "too long to read" in note.reason
    assert note.record == 2
    assert len(note.excerpt) <= 2 * limits.EXCERPT_BYTES
    assert not prepared.has_broken_end


@pytest.mark.usefixtures("window")
@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("[" * 100_000, 1),
        ("[" + "[" * 100_000 + "]" * 100_000 + "]", 1),
        ('{"a":' * 100_000, 1),
        ("[" + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]", 1),
        ('["' + "x" * 300_000, 1),
        ("[" + "1," * 3000 + "1]", 3001),
    ],
    ids=["open", "array", "open objects", "objects", "open text", "numbers"],
)
def test_hostile_documents_end_in_quarantine(body: str, count: int) -> None:
    reading = Reading()
    elements = list(cut_document(Window.of(body.encode()), reading))
    assert len(elements) == count
    assert all(len(element.raw) <= max(limits.EXCERPT_BYTES, len(body)) for element in elements)


def test_a_file_with_too_many_bad_records_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_QUARANTINED", 10)
    path = tmp_path / "evidence.json"
    path.write_text((json.dumps(RECORD) + "\n{oops\n") * 11, encoding="utf-8")
    with pytest.raises(EvidenceError, match="more than 10 records of it cannot be read; the last: not valid JSON"):
        prepare(path, workdir=tmp_path / "work")
    assert not any((tmp_path / "work").iterdir())


def test_large_records_before_the_telling_one_are_not_hoarded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PEEK_BYTES", 1000)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "evidence.json"
        path.write_text('{"x": "' + "y" * 990 + '"}\n' + ('{"x": 1}\n' * 3) + json.dumps(RECORD), encoding="utf-8")
        assert prepare(path, workdir=Path(folder) / "w", kind="audit_records").records == 5


@pytest.mark.parametrize("kind", ["lines", "array", "gzip", "careful"])
def test_progress_is_told_in_bytes_of_the_file(kind: str, tmp_path: Path) -> None:
    records = [RECORD | {"Id": number, "Name": "x" * 200} for number in range(20_000)]
    text = json.dumps(records) if kind == "array" else "".join(json.dumps(record) + "\n" for record in records)
    path = tmp_path / "evidence"
    path.write_bytes(gzip.compress(text.encode(), 1) if kind == "gzip" else text.encode())
    told: list[tuple[str, int, int]] = []
    prepare(path, workdir=tmp_path / "w", careful=kind == "careful", tell=lambda *facts: told.append(facts))
    assert {doing for doing, _, _ in told} == {
        "lines": {"checking"}, "array": {"reading"}, "gzip": {"decompressing", "checking"}, "careful": {"reading"},
    }[kind]  # fmt: skip
    for doing in {doing for doing, _, _ in told}:
        done = [at for what, at, _ in told if what == doing]
        totals = {total for what, _, total in told if what == doing}
        assert totals == {path.stat().st_size if doing != "checking" else len(text)}
        assert done == sorted(done)
        assert 0.8 * max(totals) < done[-1] <= max(totals)

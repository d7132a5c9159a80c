"""A document is whole, and its records come as they were sent: by the one quick look, and by the careful one."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph import documents, tolerant
from m365audit.graph.body import IncompleteError, TooLargeError
from m365audit.graph.documents import MAX_DEPTH, Listed, array_of, page_in, page_of, require_document
from m365audit.graph.failures import CollectionError

PAGE = json.dumps({"value": [{"id": str(number), "text": 'a "quoted" \\ \u2028 [{'} for number in range(20)]}).encode()
PACKED = gzip.compress(PAGE, mtime=0)


def test_a_document_that_is_cut_is_an_error_at_every_byte() -> None:
    for cut in range(len(PAGE)):
        with pytest.raises(IncompleteError):
            require_document(PAGE[:cut])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \r\n",
        b"<!DOCTYPE html><html><body>Sign in to the network</body></html>",
        b"null",
        b"123",
        b'"text"',
        b"true",
        PAGE + b"x",
        PAGE + PAGE,
        PAGE + b"\0",
        PACKED,
        b"\xef\xbb\xbf{}",
        b'{"value": [NaN]}',
        b'{"value": [1,]}',
        b"{'value': []}",
        b"[" * 100_000,
        b"[]]",
        b'{"value": "' + b"[" * 1000,
    ],
)
def test_what_is_not_one_document_is_an_error(body: bytes) -> None:
    with pytest.raises(IncompleteError):
        require_document(body)


@pytest.mark.parametrize(
    "body", [b"{}", b"[]", b' {"a": []}\r\n', b'{"a": "' + b"[{" * 5000 + b'"}', b'["\\"[", "\\\\", "]\\\\\\"["]', PAGE]
)
def test_one_document_is_one(body: bytes) -> None:
    require_document(body)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, MAX_DEPTH * 4, 100_000])
@pytest.mark.parametrize(("begin", "end"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{},{"a":"]","b":', b"}]")])
def test_deep_nesting_is_refused_before_anything_nests(depth: int, begin: bytes, end: bytes) -> None:
    with pytest.raises(TooLargeError, match="deep"):
        require_document(begin * depth + b"1" + end * depth)


def test_ordinary_nesting_passes() -> None:
    require_document(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    require_document(b'{"a\\"[":[{"x":"}"},' * (MAX_DEPTH // 3) + b"1" + b"]}" * (MAX_DEPTH // 3))


LEAVES = st.none() | st.booleans() | st.integers() | st.text('ab"\\[]{}é\n\u2028', max_size=8)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('a"\\[{', max_size=4), inner, max_size=4),
)


@settings(deadline=None)
@given(st.lists(DOCUMENTS, max_size=3), st.data())
def test_every_document_passes_and_no_part_of_it_does(document: list[object], data: st.DataObject) -> None:
    for is_ascii in (True, False):
        body = json.dumps(document, ensure_ascii=is_ascii).encode()
        require_document(body)
        with pytest.raises(IncompleteError):
            require_document(body[: data.draw(st.integers(0, len(body) - 1))])


@pytest.mark.parametrize(("begin", "outside", "end"), [(b'{"value":[', 2, b"]}"), (b"[", 1, b"]")])
@pytest.mark.parametrize("first", [b"", b'{"a":"]]"},', b"[],"])
def test_a_record_is_as_deep_as_its_document_lets_it_be(begin: bytes, outside: int, end: bytes, first: bytes) -> None:
    room = MAX_DEPTH - outside
    record = b"[" * room + b"]" * room
    assert (listed := require_document(begin + first + record + end)) is not None
    assert listed.records[-1] == record
    with pytest.raises(TooLargeError, match="deep"):
        require_document(begin + first + b"[" + record + b"]" + end)


@pytest.mark.parametrize("name", ["before", "zz"])
def test_what_stands_beside_the_records_is_no_deeper_either(name: str) -> None:
    deep = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    beside = f'"{name}":'.encode() + deep
    records = b'"value":[{"id":"1"},{"id":"2"}]'
    for parts in ((beside, records), (records, beside)):
        with pytest.raises(TooLargeError, match="deep"):
            require_document(b"{" + b",".join(parts) + b"}")


def test_many_brackets_beside_each_other_are_not_deep() -> None:
    record = b'{"a":[' + b",".join([b"{}"] * MAX_DEPTH) + b"]}"
    assert require_document(b'{"value":[' + record + b"]}") == Listed([record], None, is_array=False)


def test_an_array_is_no_page_and_a_page_is_no_array() -> None:
    with pytest.raises(CollectionError):
        page(b'[{"value": []}]')
    with pytest.raises(CollectionError):
        array(b'{"value": []}')


# --- records as bytes ---


@dataclass(frozen=True, slots=True)
class Said:
    """An answer."""

    body: bytes
    listed: Listed | None = None


def looked_at(body: bytes) -> Said:
    """Return an answer as the client makes it, even where it would have refused to."""
    try:
        return Said(body, require_document(body))
    except (IncompleteError, TooLargeError):
        return Said(body)


def page(body: bytes) -> tuple[list[bytes], str | None]:
    """Read a page both ways, which must say the same."""
    try:
        careful = page_in(body)
    except CollectionError:
        with pytest.raises(CollectionError):
            page_of(looked_at(body))
        raise
    assert page_of(looked_at(body)) == page_of(Said(body)) == careful
    return careful


def array(body: bytes) -> list[bytes]:
    """Read an array both ways, which must say the same."""
    try:
        careful = array_of(Said(body))
    except CollectionError:
        with pytest.raises(CollectionError):
            array_of(looked_at(body))
        raise
    assert array_of(looked_at(body)) == careful
    return careful


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(records=st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=4), is_pretty=st.booleans())
def test_records_come_as_they_were_sent(records: list[dict[str, Any]], is_pretty: bool) -> None:  # noqa: FBT001
    sent = json.dumps({"value": records}, indent=2 if is_pretty else None, ensure_ascii=False)
    try:
        body_bytes = sent.encode()
    except UnicodeEncodeError:
        return
    found, link = page(body_bytes)
    assert [json.loads(record) for record in found] == records
    assert link is None
    assert not any(b"\n" in record for record in found)
    if not is_pretty:
        assert all(record in body_bytes for record in found)


def test_numbers_and_texts_keep_their_spelling() -> None:
    sent = b'{"value":[{"a":\r\n 1.50e+05, "b": "\\u00e9 \\/ \\n", "c":12345678901234567890123, "d" : 0.10}]}'
    assert page(sent)[0] == [b'{"a":1.50e+05,"b":"\\u00e9 \\/ \\n","c":12345678901234567890123,"d":0.10}']


def test_bytes_that_are_no_utf8_are_left_to_whoever_judges_records() -> None:
    assert page(b'{"value":[{"a":"\xff"}]}')[0] == [b'{"a":"\xff"}']


HALF = '{"id":"b","name":"half a \\ud800 character"}'


@pytest.mark.parametrize("blank", ["", "\n", " \t"])
def test_a_record_with_half_a_character_does_not_hide_the_others(blank: str) -> None:
    parts = ["{", '"@odata.context"', ":", '"x\\ud801"', ",", '"value"', ":", "[", '{"id":"a"}', ",", HALF, "]", ",",
             '"@odata.nextLink"', ":", '"l"', "}"]  # fmt: skip
    sent = blank.join(parts).encode()
    require_document(sent)
    assert page(sent) == ([b'{"id":"a"}', HALF.encode()], "l")
    assert array(blank.join(["[", HALF, ",", "1", "]", ""]).encode()) == [HALF.encode(), b"1"]
    for end in range(len(sent.rstrip()) - 1):
        assert not tolerant.is_document(sent[:end])
        with pytest.raises(CollectionError):
            page(sent[:end])


@pytest.mark.parametrize("sent", [
    "[]", '{"value":7,"a":"%"}', '{"a":"%"}', '{"value":["%"]} x', '{"value":["%",]}', '{"value":["%" 1]}',
    '{"value" ["%"]}', '{"value":["%"],"@odata.nextLink":7}',
])  # fmt: skip
def test_half_a_character_excuses_nothing_else(sent: str) -> None:
    with pytest.raises(CollectionError):
        page(sent.replace("%", "\\ud800").encode())


@pytest.mark.parametrize(
    "sent",
    [b"{}", b"[]", b'{"value":{}}', b'{"value":null}', b'{"value":[1', b"<html>", b"", b'{"error":{"code":"x"}}',
     b'{"value":[],"@odata.nextLink":7}', b'{"value":[],"@odata.nextLink":""}', b'{"value":' + b"[" * 100_000],
)  # fmt: skip
def test_what_is_no_page_is_no_empty_page(sent: bytes) -> None:
    with pytest.raises(CollectionError) as caught:
        page(sent)
    assert caught.value.reason == "error"


def test_an_array_is_read_likewise() -> None:
    assert array(b'[{"Id": 1},\n {"Id":\n 2}]') == [b'{"Id": 1}', b'{"Id":2}']
    with pytest.raises(CollectionError):
        array(b'{"Id": 1}')


def test_a_page_with_too_many_records_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MOST_RECORDS", 3)
    with pytest.raises(CollectionError, match="more than any page has"):
        page(b'{"value":[{},{},{},{}]}')


def test_a_huge_page_of_small_values_is_refused_before_it_is_taken_apart() -> None:
    with pytest.raises(CollectionError, match="more values"):
        page(b'{"value":[' + b"0," * 4_500_000 + b"0]}")

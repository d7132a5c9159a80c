"""A body is whole or it is an error: cut at every byte, damaged in every way that was seen in the field."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph.body import (
    MAX_DEPTH,
    IncompleteError,
    TooLargeError,
    WholeBodies,
    inflated,
    require_document,
)

from .wired import Server, Told, raw

PAGE = json.dumps({"value": [{"id": str(number), "text": 'a "quoted" \\ \u2028 [{'} for number in range(20)]}).encode()
PACKED = gzip.compress(PAGE, mtime=0)
MAX = 100_000


def read(told: Told, *, max_bytes: int = MAX) -> httpx.Response:
    """Return what comes out above a server that says this."""

    async def main() -> httpx.Response:
        bodies = WholeBodies(Server(told).open, max_bytes=max_bytes)
        return await bodies.handle_async_request(httpx.Request("GET", "https://graph.microsoft.com/"))

    return asyncio.run(main())


def test_a_plain_body_comes_through_untouched() -> None:
    assert read(raw(PAGE[:7], PAGE[7:], Content_Length=str(len(PAGE)))).content == PAGE


def test_a_packed_body_is_unpacked_and_no_longer_called_packed() -> None:
    answer = read(raw(PACKED[:9], PACKED[9:], Content_Encoding="GZIP", Content_Length=str(len(PACKED))))
    assert answer.content == PAGE
    assert "content-encoding" not in answer.headers


def test_no_cookie_reaches_the_client() -> None:
    assert "set-cookie" not in read(raw(PAGE, Set_Cookie="a=b")).headers


@pytest.mark.parametrize("declared", [len(PAGE) - 1, len(PAGE) + 1, 0, 10**17])
def test_a_length_that_is_not_true_is_an_error(declared: int) -> None:
    with pytest.raises((IncompleteError, TooLargeError)):
        read(raw(PAGE, Content_Length=str(declared)))


@pytest.mark.parametrize("declared", ["-1", "abc", "٣", "1e3", "", "9" * 30])
def test_a_length_that_is_no_number_is_an_error(declared: str) -> None:
    with pytest.raises(IncompleteError, match="how long"):
        read(httpx.Response(200, headers=[(b"Content-Length", declared.encode())], stream=raw(PAGE).stream))


def test_a_packed_body_that_is_cut_is_an_error_at_every_byte() -> None:
    """The HTTP library itself would take what came so far for the whole."""
    for cut in range(1, len(PACKED)):
        with pytest.raises(IncompleteError):
            inflated(PACKED[:cut], "gzip", MAX)


def flipped(data: bytes, at: int) -> bytes:
    """Return bytes of which one is another."""
    return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (flipped(PACKED, len(PACKED) - 6), "gzip"),  # the checksum
        (flipped(PACKED, len(PACKED) - 2), "gzip"),  # the length
        (flipped(PACKED, len(PACKED) // 2), "gzip"),
        (PACKED + PACKED, "gzip"),
        (PACKED + b"\0", "gzip"),
        (PACKED + gzip.compress(b"", mtime=0), "gzip"),
        (PAGE, "gzip"),
        (zlib.compress(PAGE), "gzip"),
        (gzip.compress(PACKED), "gzip, gzip"),
        (PACKED, "br"),
        (PACKED, "deflate"),
        (PACKED, "zstd"),
        (PACKED, "utf-8"),
    ],
)
def test_a_packed_body_that_is_damaged_is_an_error(body: bytes, encoding: str) -> None:
    with pytest.raises(IncompleteError):
        inflated(body, encoding, MAX)


def test_bombs_are_stopped_at_the_limit() -> None:
    bomb = gzip.compress(b" " * 50_000_000, mtime=0)
    assert len(bomb) < MAX
    with pytest.raises(TooLargeError, match="decompressed"):
        inflated(bomb, "gzip", MAX)
    assert len(inflated(gzip.compress(b" " * MAX), "gzip", MAX)) == MAX


def test_reading_stops_at_the_limit() -> None:
    with pytest.raises(TooLargeError):
        read(raw(*[b"a" * 1000] * 101))
    with pytest.raises(TooLargeError):
        read(raw(b"", Content_Length=str(MAX + 1)))
    assert len(read(raw(*[b"a" * 1000] * 100)).content) == MAX


def test_what_went_wrong_on_the_wire_stays_what_it_was() -> None:
    with pytest.raises(httpx.ReadError):
        read(raw(PAGE[:100], error=httpx.ReadError("the connection was lost")))


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

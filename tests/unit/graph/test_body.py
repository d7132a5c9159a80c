"""A body is whole or it is an error: cut at every byte, damaged in every way that was seen in the field."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib

import httpx
import pytest

from m365audit.graph.body import (
    IncompleteError,
    TooLargeError,
    WholeBodies,
    inflated,
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

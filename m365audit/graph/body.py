"""Owns that an answer is whole: read within limits, as long as it said, decompressed to its end.

A page of which a part is missing must never pass for a page with fewer records. Never interprets a record.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

import httpx

MAX_BYTES: Final = 64 << 20
"""Largest answer taken, as it comes and decompressed. Pages of 1,000 sign-ins have 2 to 4 MB."""

REDIRECT: Final = "m365audit_redirect"
"""Extension of an answer that holds where it redirects to: httpx would read the header, and stumble over some."""

_UNWANTED: Final = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})
_GZIP: Final = 31
_MAX_DIGITS: Final = 18
_CHOSEN: Final = ("", "identity")
_ENCODINGS: Final = ("gzip", "x-gzip")


class IncompleteError(Exception):
    """An answer is not whole; asking again may bring a whole one. The text says what is wrong, in plain words."""


class TooLargeError(Exception):
    """An answer is larger or nested deeper than what is taken; asking again would bring the same."""


class WholeBodies(httpx.AsyncBaseTransport):
    """A transport above another one: reads each answer to its end and hands it on decompressed, or not at all.

    Args:
        opened: makes the transport below; called again for new connections.
        max_bytes: largest body, as it comes and decompressed.
    """

    def __init__(self, opened: Callable[[], httpx.AsyncBaseTransport], *, max_bytes: int = MAX_BYTES) -> None:
        self._opened = opened
        self._max_bytes = max_bytes
        self._pool = _Pool(opened())

    async def renew(self) -> None:
        """Send what comes next over new connections; the old ones end when nobody reads from them any more."""
        old, self._pool = self._pool, _Pool(self._opened())
        await old.retire()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; return its answer read, checked and decompressed.

        Raises:
            IncompleteError: the body is not whole.
            TooLargeError: it is larger than what is taken.
            httpx.TransportError: there is no answer, or it stopped in the middle.
        """
        pool = self._pool
        pool.users += 1
        try:
            below = await pool.transport.handle_async_request(request)
            try:
                raw = await self._read(below)
            finally:
                await below.aclose()
        finally:
            pool.users -= 1
            await pool.close_if_unused()
        content = inflated(raw, below.headers.get("content-encoding", ""), self._max_bytes)
        redirect = below.headers.get("location") if below.is_redirect else None
        unwanted = _UNWANTED | ({"location"} if below.is_redirect else set())
        return httpx.Response(
            below.status_code,
            # bytes as they came: a header with a letter beyond ASCII is legal, and made anew as text it is an error
            headers=[(name, value) for name, value in below.headers.raw if name.decode().lower() not in unwanted],
            content=content,
            request=request,
            extensions={REDIRECT: redirect},
        )

    async def _read(self, answer: httpx.Response) -> bytes:
        stream = answer.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the transport below is not asynchronous")
        declared = _declared(answer.headers.get("content-length"))
        if declared is not None and declared > self._max_bytes:
            raise TooLargeError(f"an answer has more than {self._max_bytes} bytes")
        chunks, size = [], 0
        async for chunk in stream:
            size += len(chunk)
            if size > self._max_bytes:
                raise TooLargeError(f"an answer has more than {self._max_bytes} bytes")
            chunks.append(chunk)
        if declared is not None and declared != size:
            raise IncompleteError("an answer is not as long as it says")
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.transport.aclose()


def _declared(header: str | None) -> int | None:
    if header is None:
        return None
    if not header.isascii() or not header.isdecimal() or len(header) > _MAX_DIGITS:
        raise IncompleteError("an answer does not say how long it is")
    return int(header)


class _Pool:
    """Connections, and how many read from them."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self.transport = transport
        self.users = 0
        self._is_retired = False

    async def retire(self) -> None:
        self._is_retired = True
        await self.close_if_unused()

    async def close_if_unused(self) -> None:
        if self._is_retired and not self.users:
            await self.transport.aclose()


def inflated(raw: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return a body decompressed as its header says.

    Raises:
        IncompleteError: not what the header says, cut, checksum wrong, or something behind its end.
        TooLargeError: larger than ``max_bytes`` when decompressed.
    """
    encoding = encoding.strip().lower()
    if encoding in _CHOSEN:
        return raw
    if encoding not in _ENCODINGS:
        raise IncompleteError("an answer is compressed in a way that was not asked for")
    if not raw:
        return raw
    inflater = zlib.decompressobj(wbits=_GZIP)
    try:
        content = inflater.decompress(raw, max_bytes + 1)
    except zlib.error:
        raise IncompleteError("an answer's compression is damaged") from None
    if len(content) > max_bytes:
        raise TooLargeError(f"an answer has more than {max_bytes} bytes when decompressed")
    if not inflater.eof:
        raise IncompleteError("an answer's compressed body ends before its end")
    if inflater.unused_data:
        raise IncompleteError("something lies behind the end of an answer's compressed body")
    return content

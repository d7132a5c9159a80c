"""Owns faults in the bytes of an answer: cut, lengthened, badly compressed, slow, never. Must never read a record."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from m365audit.simulator.service.faults import Fault

Ending = Literal["close", "abort", "hang"]
_SETTLE: Final = 0.05


@dataclass(slots=True)
class Raw:
    """An answer as bytes, and how its connection ends.

    Attributes:
        pieces: written one after the other.
        pause: seconds between them.
        ending: closed in order, torn down, or left open and silent.
    """

    pieces: Sequence[bytes]
    ending: Ending = "close"
    pause: float = 0.0


@dataclass(frozen=True, slots=True)
class Whole:
    """The answer as it should have been sent."""

    status: int
    headers: dict[str, str]
    body: bytes

    def head(self, **changed: str | None) -> bytes:
        """Return status line and headers; a header that is None is left out."""
        sent: dict[str, str | None] = {**self.headers, "Content-Length": str(len(self.body)), "Connection": "close"}
        sent |= {name.replace("_", "-"): value for name, value in changed.items()}
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in sent.items() if value is not None]
        return "\r\n".join([*lines, "", ""]).encode()


Maker = Callable[[Whole, Fault], Raw]


def _aborted(whole: Whole, fault: Fault) -> Raw:
    """``at``: before, head, body, end, or a byte of the whole answer; ``ending``: ``close`` for an orderly end."""
    head = whole.head()
    at = fault.detail.get("at", "body")
    places = {
        "before": 0,
        "head": len(head) // 2,
        "body": len(head) + len(whole.body) // 2,
        "end": len(head) + len(whole.body),
    }
    end = places[at] if isinstance(at, str) else int(at)
    return Raw([(head + whole.body)[:end]], fault.detail.get("ending", "abort"))


def _wrong_length(whole: Whole, fault: Fault) -> Raw:
    """``by``: bytes that the header says too many (7) or, negative, too few."""
    length = str(max(0, len(whole.body) + int(fault.detail.get("by", 7))))
    return Raw([whole.head(Content_Length=length), whole.body])


def _chunked_without_end(whole: Whole, fault: Fault) -> Raw:
    """``percent``: how much of the body comes (100) before the connection ends without a last chunk."""
    kept = whole.body[: int(len(whole.body) * float(fault.detail.get("percent", 100)) / 100)]
    chunk = f"{len(kept):x}\r\n".encode() + kept + b"\r\n" if kept else b""
    return Raw(
        [whole.head(Content_Length=None, Transfer_Encoding="chunked"), chunk], fault.detail.get("ending", "close")
    )


def _bad_gzip(whole: Whole, fault: Fault) -> Raw:
    """``flaw``: truncated, bad_crc, bad_size, extra_member, trailing_bytes, not_gzip, deflate_as_gzip, no_header."""
    flaw = str(fault.detail.get("flaw", "truncated"))
    packed = gzip.compress(whole.body, 1)
    bodies = {
        "truncated": packed[: len(packed) * 2 // 3],
        "truncated_trailer": packed[:-4],
        "bad_crc": packed[:-8] + bytes(byte ^ 0xFF for byte in packed[-8:-4]) + packed[-4:],
        "bad_size": packed[:-4] + b"\x01\x00\x00\x00",
        "extra_member": packed + gzip.compress(b'{"value":[{"id":"smuggled"}]}'),
        "trailing_bytes": packed + b"more",
        "not_gzip": whole.body,
        "deflate_as_gzip": zlib.compress(whole.body),
        "no_header": packed,
    }
    body = bodies[flaw]
    encoding = None if flaw == "no_header" else "gzip"
    return Raw([whole.head(Content_Length=str(len(body)), Content_Encoding=encoding), body])


def _hangs(whole: Whole, fault: Fault) -> Raw:
    """``after``: nothing, ``head`` or ``body`` (half of it)."""
    head = whole.head()
    parts = {"nothing": b"", "head": head, "body": head + whole.body[: len(whole.body) // 2]}
    return Raw([parts[str(fault.detail.get("after", "nothing"))]], "hang")


def _drips(whole: Whole, fault: Fault) -> Raw:
    """``seconds`` between single bytes (1)."""
    sent = whole.head() + whole.body
    return Raw([sent[n : n + 1] for n in range(len(sent))], pause=float(fault.detail.get("seconds", 1)))


MAKERS: Final[dict[str, Maker]] = {
    "aborted": _aborted,
    "wrong_length": _wrong_length,
    "chunked_without_end": _chunked_without_end,
    "bad_gzip": _bad_gzip,
    "hangs": _hangs,
    "drips": _drips,
}


async def send(transport: asyncio.WriteTransport, raw: Raw) -> None:
    """Write bytes to a connection as they are, and end it as they say."""
    for piece in raw.pieces:
        if transport.is_closing():
            return
        transport.write(piece)
        if raw.pause:
            await asyncio.sleep(raw.pause)
    if raw.ending == "hang":
        while not transport.is_closing():
            await asyncio.sleep(_SETTLE)
    if raw.ending == "abort":
        # What was written has to reach the other side before the connection is torn down.
        await asyncio.sleep(_SETTLE)
        transport.abort()
    transport.close()


def huge_pieces(body: bytes, size: int) -> tuple[int, Any]:
    """Return length and pieces of a page that has one record with ``size`` bytes of text in it."""
    opening, bracket, rest = body.partition(b"[" if body[:1] == b"[" else b'"value":[')
    before = opening + bracket + b'{"id":"huge","text":"'
    after = b'"}' + (b"" if rest[:1] in {b"]", b""} else b",") + rest
    block = b"x" * 65_536

    def pieces() -> Any:
        yield before
        for _ in range(size // len(block)):
            yield block
        yield block[: size % len(block)]
        yield after

    return len(before) + size + len(after), pieces()

"""Messages between a query's process and the command that asked: framed MessagePack on pipes, bounded in size.

Nothing that arrives is trusted: a frame is plain values or it is refused (never a pickle).
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of one frame: what the asking side holds in memory at a time."""
_HEAD: Final = 4
_CHUNK: Final = 1 << 20

_encoder: Final = msgspec.msgpack.Encoder(decimal_format="string", enc_hook=str)


class FrameError(Exception):
    """The other side sent something that is no frame, or is too large for one."""


class Silence(Exception):  # noqa: N818 - the name of a fact, not of a mistake
    """The other side said nothing for as long as it was given."""


def send(descriptor: int, message: Sequence[object]) -> int:
    """Write one message, its kind and what belongs to it; return its bytes.

    Raises:
        FrameError: it is larger than ``LARGEST``.
        OSError: the other side is gone.
    """
    body = _encode(message)
    if len(body) > LARGEST:
        raise FrameError(f"{len(body)} bytes")
    rest = memoryview(len(body).to_bytes(_HEAD, "big") + body)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return len(body)


def receive(descriptor: int, wait: Callable[[int], None] | None = None) -> list[Any] | None:
    """Read one message; None when the other side has ended.

    Args:
        descriptor: the pipe.
        wait: returns when there is something to read; without it reading blocks.

    Raises:
        FrameError: it is not a message.
    """
    head = _exactly(descriptor, _HEAD, wait)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < _HEAD or size > LARGEST:
        raise FrameError("not a message")
    body = _exactly(descriptor, size, wait)
    try:
        message = msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, RecursionError, ValueError, OverflowError) as error:
        raise FrameError(str(error)) from error
    if len(body) < size or not isinstance(message, list) or not message:
        raise FrameError("not a message")
    return message


class Patience:
    """Waits for a descriptor, ``seconds`` in all; what the caller does in between is not counted."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def wait(self, descriptor: int) -> None:
        """Return when there is something to read.

        Raises:
            Silence: the time is up.
        """
        began = time.monotonic()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        is_there = poll.poll(max(0.0, self._left) * 1000)
        self._left -= time.monotonic() - began
        if not is_there:
            raise Silence


def _encode(message: Sequence[object]) -> bytes:
    try:
        return _encoder.encode(message)
    except (OverflowError, TypeError, ValueError):
        return _encoder.encode(_speakable(message))


def _speakable(value: object) -> object:
    """Return a value that MessagePack has: a whole number of more than 64 bits becomes its digits."""
    if isinstance(value, list | tuple):
        return [_speakable(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _speakable(item) for key, item in value.items()}
    is_small = not isinstance(value, int) or -(2**63) <= value < 2**64
    return value if is_small else str(value)


def _exactly(descriptor: int, size: int, wait: Callable[[int], None] | None) -> bytes:
    """Read ``size`` bytes, fewer when the other side ends before."""
    parts: list[bytes] = []
    while size > 0:
        if wait is not None:
            wait(descriptor)
        part = os.read(descriptor, min(size, _CHUNK))
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)

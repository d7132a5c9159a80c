"""Owns an event loop whose clock jumps to the next thing to do, so that hours of waiting take moments.

Only for work without sockets and threads: nothing from outside can wake it. The same work takes the same way each time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

Result = TypeVar("Result")


class DeadlockError(RuntimeError):
    """Everything waits for something that nothing will bring."""


class _Leap(selectors.BaseSelector):
    """A selector that waits for nothing, and moves the clock on by the time that it was to wait."""

    def __init__(self) -> None:
        self.now = 0.0
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, fileobj if isinstance(fileobj, int) else fileobj.fileno(), events, data)
        self._map[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise DeadlockError("everything waits, and nothing is planned")
        self.now += max(0.0, timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._map


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop in virtual time; ``time()`` begins at zero."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)

    def time(self) -> float:
        """Return the seconds that have passed."""
        return self._leap.now


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Run ``work`` in a virtual loop of its own and return its result.

    Raises:
        DeadlockError: it waits for something that never comes.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)

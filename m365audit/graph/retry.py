"""Owns when a request is made again, and how long is waited before: one policy for everything that is asked.

Must never decide what an answer means (``refusals.py``), and never wait longer than the caller has time.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Final

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

LONGEST_WAIT: Final = 900.0
"""Seconds; a longer Retry-After is cut to this, and the question asked again."""

MAX_FAULTS: Final = 8
"""Requests made before a fault (reset, timeout, 5xx, cut body) is taken for lasting: about two minutes of waiting."""

MAX_THROTTLED: Final = 30
"""Requests made before a limit is taken for lasting; the time that is left usually ends it sooner."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,40}(?:\.[0-9]{0,40})?(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_MAX_HEADER: Final = 100
_FIRST_WAIT: Final = 1.0
_LONGEST_BACK_OFF: Final = 60.0


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header.

    Microsoft writes seconds as an integer or, from some services, with a fraction (``2.128``); HTTP allows a date.

    Args:
        value: the header, None when there is none.
        now: Microsoft's clock, for dates.

    Returns:
        Seconds between 0 and :data:`LONGEST_WAIT`; None when the header says nothing that could be understood.
    """
    text = (value or "").strip()[:_MAX_HEADER]
    if _NUMBER.fullmatch(text):
        return float(min(max(Decimal(text), Decimal(0)), Decimal(LONGEST_WAIT)))
    if not text.isascii():
        return None
    moment = http_date(text)
    return None if moment is None else min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


def http_date(value: str | None) -> datetime | None:
    """Return the moment that a ``Date`` or ``Retry-After`` header names, None when it names none."""
    try:
        moment = parsedate_to_datetime((value or "")[:_MAX_HEADER])
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError):
        return None


class TransientError(Exception):
    """A request came to nothing, and may come to something when it is made again.

    Attributes:
        why: in plain words, for people; never an address, a body or a token.
        is_throttling: Microsoft limits us; else something is broken.
        retry_after: seconds that Microsoft asks for, None when it does not say.
        status: HTTP status, 0 when there was no answer.
        code: Microsoft's error code.
    """

    def __init__(
        self,
        why: str,
        *,
        is_throttling: bool = False,
        retry_after: float | None = None,
        status: int = 0,
        code: str = "",
    ) -> None:
        super().__init__(why)
        self.why = why
        self.is_throttling = is_throttling
        self.retry_after = retry_after
        self.status = status
        self.code = code


_back_off = wait_exponential_jitter(initial=_FIRST_WAIT, max=_LONGEST_BACK_OFF, jitter=_FIRST_WAIT)


def _wait(state: RetryCallState) -> float:
    """Return what Microsoft asks for, or more with each failure where it asks for nothing."""
    error = _error(state)
    return error.retry_after if error and error.retry_after else _back_off(state)


def _error(state: RetryCallState) -> TransientError | None:
    found = state.outcome.exception() if state.outcome else None
    return found if isinstance(found, TransientError) else None


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried.

    Attributes:
        remaining: seconds that the tenant still has.
        faults: requests before a fault counts as lasting.
        throttled: requests before a limit counts as lasting.
    """

    remaining: Callable[[], float]
    faults: int = MAX_FAULTS
    throttled: int = MAX_THROTTLED

    def is_over(self, state: RetryCallState) -> bool:
        """Return whether trying again is pointless: too often already, or the wait would outlast the time."""
        error = _error(state)
        most = self.throttled if error and error.is_throttling else self.faults
        return state.attempt_number >= most or state.upcoming_sleep >= self.remaining()


def policy(
    patience: Patience,
    *,
    on_wait: Callable[[float, TransientError], None],
    sleep: Callable[[float], Awaitable[None]],
) -> AsyncRetrying:
    """Return the one policy: wait as told, else longer each time with jitter; give up when patience is over.

    Args:
        patience: when it is over.
        on_wait: told of every wait before it begins.
        sleep: how waiting is done.

    Raises:
        TransientError: from the call that is retried, the last one.
    """

    def before(state: RetryCallState) -> None:
        error = _error(state)
        if error is not None:
            on_wait(state.upcoming_sleep, error)

    return AsyncRetrying(
        retry=retry_if_exception_type(TransientError),
        wait=_wait,
        stop=patience.is_over,
        sleep=sleep,
        before_sleep=before,
        reraise=True,
    )

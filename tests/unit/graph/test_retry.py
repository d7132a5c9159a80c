"""Retry-After in every form that was seen, and when trying again ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph.retry import (
    LONGEST_WAIT,
    MAX_FAULTS,
    MAX_THROTTLED,
    Patience,
    TransientError,
    http_date,
    policy,
    retry_after,
)

NOW = datetime(2026, 9, 1, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("17", 17.0),
        (" 17 ", 17.0),
        ("+17", 17.0),
        ("2.128", 2.128),
        ("2.", 2.0),
        ("-5", 0.0),
        ("-0.5", 0.0),
        ("900", 900.0),
        ("901", LONGEST_WAIT),
        ("100000000000", LONGEST_WAIT),
        ("1e11", LONGEST_WAIT),
        ("1E+999", LONGEST_WAIT),
        ("1e-999", 0.0),
        ("-1e11", 0.0),
        ("9" * 40, LONGEST_WAIT),
        ("Tue, 01 Sep 2026 10:00:30 GMT", 30.0),
        ("Tue, 01 Sep 2026 10:00:30 +0000", 30.0),
        ("Tuesday, 01-Sep-26 10:00:30 GMT", 30.0),
        ("Tue, 01 Sep 2026 12:00:30 +0200", 30.0),
        ("Tue, 01 Sep 2026 09:59:00 GMT", 0.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT),
        (None, None),
        ("", None),
        ("  ", None),
        ("soon", None),
        ("\u0661\u0667", None),  # digits of another script
        ("\uff11\uff17", None),
        ("\u00b2", None),
        ("17 seconds", None),
        ("1_000", None),
        ("0x10", None),
        ("nan", None),
        ("inf", None),
        ("Infinity", None),
        ("1,5", None),
        ("--5", None),
        ("1e", None),
        ("Tue, 99 Sep 2026 10:00:30 GMT", None),
        ("Tue, 01 Sep 99999 10:00:30 GMT", None),
        ("9" * 5000, None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@settings(deadline=None)
@given(st.text(max_size=120) | st.from_regex(r"[+-]?[0-9.eE]{1,60}", fullmatch=True))
def test_retry_after_never_breaks_anything(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or 0 <= seconds <= LONGEST_WAIT


@settings(deadline=None)
@given(st.text(max_size=60))
def test_dates_never_break_anything(value: str) -> None:
    found = http_date(value)
    assert found is None or found.utcoffset() is not None


class Trying:
    """Something that fails as told, in time that only passes by waiting."""

    def __init__(self, *errors: TransientError, seconds: float = float("inf")) -> None:
        self.errors = list(errors)
        self.calls = 0
        self.left = seconds
        self.slept: list[float] = []
        self.told: list[tuple[float, str]] = []

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.left -= seconds

    async def _call(self) -> str:
        self.calls += 1
        if self.calls <= len(self.errors):
            raise self.errors[self.calls - 1]
        return "answer"

    def run(self) -> str:
        """Return the answer, or raise what went wrong last."""
        attempts = policy(
            Patience(lambda: self.left),
            on_wait=lambda seconds, error: self.told.append((seconds, error.why)),
            sleep=self._sleep,
        )

        async def main() -> str:
            return await attempts(self._call)

        return asyncio.run(main())


def limited(seconds: float | None = None) -> TransientError:
    """Return a limit."""
    return TransientError("a limit", is_throttling=True, retry_after=seconds)


def test_what_microsoft_asks_for_is_waited_exactly() -> None:
    trying = Trying(limited(2.128), limited(17.0))
    assert trying.run() == "answer"
    assert trying.slept == [2.128, 17.0]
    assert trying.told == [(2.128, "a limit"), (17.0, "a limit")]


@pytest.mark.parametrize("seconds", [None, 0.0])
def test_without_a_word_the_waits_grow_with_jitter_up_to_a_bound(seconds: float | None) -> None:
    trying = Trying(*[limited(seconds)] * 12)
    assert trying.run() == "answer"
    for number, wait in enumerate(trying.slept):
        assert min(2**number, 60) <= wait <= min(2**number + 1, 60)
    assert len(set(trying.slept[:5])) == 5
    other = Trying(*[limited(seconds)] * 12)
    other.run()
    assert trying.slept[:5] != other.slept[:5]


def test_faults_end_sooner_than_limits() -> None:
    for most, error in ((MAX_FAULTS, TransientError("a fault")), (MAX_THROTTLED, limited(1.0))):
        trying = Trying(*[error] * 500)
        with pytest.raises(TransientError, match=error.why):
            trying.run()
        assert trying.calls == most


def test_nobody_waits_for_longer_than_there_is_time() -> None:
    trying = Trying(*[limited(100.0)] * 20, seconds=250.0)
    with pytest.raises(TransientError):
        trying.run()
    assert trying.slept == [100.0, 100.0]
    trying = Trying(limited(100.0), seconds=100.0)
    with pytest.raises(TransientError):
        trying.run()
    assert trying.slept == []


def test_other_errors_are_not_tried_again() -> None:
    class Broken(Trying):
        async def _call(self) -> str:
            self.calls += 1
            raise ValueError("a mistake")

    trying = Broken()
    with pytest.raises(ValueError, match="a mistake"):
        trying.run()
    assert trying.calls == 1

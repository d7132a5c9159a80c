"""One window by itself: what it remembers, how it slows down and how it recovers."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.graph.limits import Limit
from m365audit.graph.sliding import LEAST_PACE, SlidingWindow

LIMIT = Limit("test", "each", 20, 10, "request", "tests")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0.0, 0.03, 0.039, 0.5, 3.0, 11.0]), st.integers(1, 7)), max_size=120))
def test_no_window_of_its_own_length_holds_more_than_its_capacity(plan: list[tuple[float, int]]) -> None:
    window = SlidingWindow(LIMIT)
    went: list[tuple[float, int]] = []
    now = 0.0
    for pause, cost in plan:
        now = window.ready_at(now + pause, cost)
        window.spend(now, cost)
        went.append((now, cost))
    for begin, _ in went:
        assert sum(cost for at, cost in went if begin <= at < begin + window.length - 1e-6) <= window.capacity


def test_what_is_ready_later_is_not_ready_before() -> None:
    window = SlidingWindow(LIMIT)
    for at in range(20):
        window.spend(at / 4, 1)
    ready = window.ready_at(5.0, 3)
    assert window.ready_at(ready - 0.001, 3) > ready - 0.001
    assert window.ready_at(ready, 3) == ready


def test_it_remembers_little_of_many() -> None:
    window = SlidingWindow(Limit("test", "each", 130_000, 10, "request", "tests"))
    for n in range(130_000):
        window.spend(n / 13_000, 1)
    assert len(window._spent) <= 257
    assert window.ready_at(10.0, 1) > 10.0


def test_complaints_about_the_same_window_slow_it_down_once() -> None:
    window = SlidingWindow(LIMIT)
    for at in (0, 1, 9.9):
        window.complain(at, 0.5)
    assert window.pace == 0.5
    window.complain(10, 0.5)
    assert window.pace == 0.25


def test_calm_raises_the_pace_by_a_little_once_per_window() -> None:
    window = SlidingWindow(LIMIT)
    window.complain(0, 0.5)
    for at in range(1, 100):
        window.calm(at)
    assert window.pace == 0.5 + 9 / 16 - 1 / 16
    for at in range(100, 1_000):
        window.calm(at)
    assert window.pace == 1.0


def test_the_slowest_pace_still_moves() -> None:
    window = SlidingWindow(Limit("test", "each", 5, 10, "request", "tests"))
    for at in range(0, 1_000, 10):
        window.complain(at, 0.1)
    assert window.pace == LEAST_PACE
    window.spend(1_000, 1)
    assert window.ready_at(1_000, 1) == 1_000 + 10.3 * 16 / 5


def test_a_dear_request_goes_when_a_slow_window_is_empty() -> None:
    window = SlidingWindow(Limit("test", "each", 16, 10, "resource unit", "tests"))
    for at in range(0, 1_000, 10):
        window.complain(at, 0.1)
    assert window.ready_at(1_000, 5) == 1_000
    window.spend(1_000, 5)
    assert window.ready_at(1_000, 1) > 1_010


def test_what_is_shared_flows_evenly() -> None:
    window = SlidingWindow(Limit("test", "all", 100, 10, "request", "tests"))
    times = []
    now = 0.0
    for _ in range(500):
        now = window.ready_at(now, 1)
        window.spend(now, 1)
        times.append(now)
    assert sum(at <= 0.5 for at in times) <= 10
    assert max(after - before for before, after in pairwise(times)) <= 0.5
    assert times[-1] <= 51.5

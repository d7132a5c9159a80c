"""The law of collection windows, for any order of pulls: they tile, keep what was read, and do not depend on order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.store.windows import LATE, Held, Interval, Pull, closed, merged, opened

ZERO: Final = datetime(2026, 9, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(hours=24)
RANK: Final = {"open": 0, "gap": 1, "drained": 2, "settled": 3}


def at(hours: float) -> datetime:
    return ZERO + hours * HOUR


def pull(begin: float, end: float, *, began: float = 100, reason: str | None = None, added: int = 0) -> Pull:
    return Pull((at(begin), at(end)), at(began), reason, f"because of {reason}" if reason else "", 10, added, "run-1")


def spans(held: list[Held]) -> list[tuple[float, float, str, str | None]]:
    return [((r.begin - ZERO) / HOUR, (r.end - ZERO) / HOUR, r.state, r.reason) for r in held]


def after(*pulls: Pull, windows: tuple[Interval, ...] = ((at(0), at(4)),)) -> list[Held]:
    held = opened([], windows, "run-1")
    for one in pulls:
        held = closed(held, one, DAY)
    return held


def test_a_window_is_drained_then_settled() -> None:
    assert spans(after()) == [(0, 4, "open", None)]
    assert spans(after(pull(0, 4, began=30))) == [(0, 4, "drained", None)]
    assert spans(after(pull(0, 4, began=30), pull(0, 4, began=54))) == [(0, 4, "settled", None)]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (pull(0, 4, began=53.9), "too soon after the pull before"),
        (pull(0, 4, began=60, added=1), "it added something"),
        (pull(0, 4, began=60, reason="throttled"), "it failed"),
    ],
)
def test_what_does_not_settle(second: Pull, why: str) -> None:
    (row,) = after(pull(0, 4, began=30, added=7), second)
    assert row.state == "drained", why
    assert row.detail == second.detail


def test_the_end_of_the_window_counts_too() -> None:
    held = after(pull(0, 4, began=4), pull(0, 4, began=27.9))
    assert spans(held) == [(0, 4, "drained", None)]
    assert spans(closed(held, pull(0, 4, began=52), DAY)) == [(0, 4, "settled", None)]


def test_a_failed_pull_names_its_reason_and_a_later_one_mends_it() -> None:
    held = after(pull(0, 4, reason="licence"))
    assert [(r.state, r.reason, r.detail) for r in held] == [("gap", "licence", "because of licence")]
    assert [(r.state, r.reason, r.detail) for r in closed(held, pull(0, 4), DAY)] == [("drained", None, "")]


def test_the_part_that_was_not_reached_stays_open() -> None:
    assert spans(after(pull(0, 1), pull(2, 3, reason="expired"))) == [
        (0, 1, "drained", None), (1, 2, "open", None), (2, 3, "gap", "expired"), (3, 4, "open", None),
    ]  # fmt: skip


def test_what_came_after_the_reading_began_was_not_seen() -> None:
    assert spans(after(pull(0, 4, began=3))) == [(0, 3, "drained", None), (3, 4, "open", None)]
    assert spans(after(pull(0, 4, began=-1))) == [(0, 4, "open", None)]
    assert spans(after(pull(0, 6, began=5), windows=())) == [(0, 5, "drained", None), (5, 6, "open", None)]


def test_records_that_come_late_unsettle() -> None:
    held = after(pull(0, 4, began=30), pull(0, 4, began=60), pull(1, 2, began=90, added=1))
    assert [(r.state, r.detail) for r in held] == [("settled", ""), ("drained", LATE), ("settled", "")]
    assert held[1].pulls == 3
    assert spans(closed(held, pull(0, 4, began=120), DAY)) == [(0, 4, "settled", None)]


def test_a_failure_takes_nothing_from_what_is_settled() -> None:
    held = after(pull(0, 4, began=30), pull(0, 4, began=60))
    assert closed(held, pull(0, 4, began=90, reason="error"), DAY) == held


def test_settled_and_expired_neighbours_are_joined_and_others_are_not() -> None:
    windows = tuple((at(n), at(n + 1)) for n in range(6))
    reasons = ("expired", "expired", "throttled", None, None, "licence")
    pulls = [pull(n, n + 1, began=50, reason=reason) for n, reason in enumerate(reasons)]
    again = [pull(n, n + 1, began=90) for n in (3, 4)]
    assert spans(after(*pulls, *again, windows=windows)) == [
        (0, 2, "gap", "expired"), (2, 3, "gap", "throttled"), (3, 5, "settled", None), (5, 6, "gap", "licence"),
    ]  # fmt: skip


def lost(begin: float, end: float, run: str = "run-1") -> Pull:
    """Return what planning says of time that Microsoft no longer keeps."""
    return Pull((at(begin), at(end)), at(end), "expired", "nobody can read it any more", run_id=run)


def test_time_that_is_lost_in_many_runs_is_one_row() -> None:
    held = after(*(pull(n, n + 1, began=50 + n, reason="licence") for n in range(4)), windows=())
    for n in range(4):
        held = closed(held, lost(n, n + 1, f"run-{n}"), DAY)
    assert spans(held) == [(0, 4, "gap", "expired")]
    assert (held[0].tried_at, held[0].run_id) == (at(4), "run-3")


def test_an_attempt_that_came_too_late_stays_apart_from_what_nobody_asked_for() -> None:
    held = after(lost(0, 1), pull(1, 2, began=50, reason="expired"), lost(2, 3), windows=())
    held = closed(held, replace(lost(0, 0.5), detail="because of expired"), DAY)
    assert spans(held) == [(a, b, "gap", "expired") for a, b in ((0, 0.5), (0.5, 1), (1, 2), (2, 3))]


def test_what_is_read_after_all_is_cut_out_of_what_was_lost() -> None:
    held = after(*(lost(n, n + 1) for n in range(4)), pull(1, 2, began=60), windows=())
    assert spans(held) == [(0, 1, "gap", "expired"), (1, 2, "drained", None), (2, 4, "gap", "expired")]
    assert [row.tried_at for row in held] == [at(1), at(60), at(4)]


HOURS = st.integers(min_value=0, max_value=12)
WINDOWS = st.tuples(HOURS, HOURS).filter(lambda w: w[0] < w[1])
REASONS = st.sampled_from([None, None, None, "licence", "permission", "throttled", "expired", "disabled", "error"])
PULLS = st.builds(
    lambda w, began, reason, added: pull(*w, began=began, reason=reason, added=added),
    WINDOWS, st.integers(min_value=-2, max_value=100), REASONS, st.integers(min_value=0, max_value=1),
)  # fmt: skip


def rank_at(held: list[Held], moment: datetime) -> int:
    return next((RANK[r.state] for r in held if r.begin <= moment < r.end), -1)


def tiles(held: list[Held]) -> bool:
    """Say whether no two windows overlap and none is empty."""
    rows = sorted(held, key=lambda row: row.begin)
    return all(row.begin < row.end for row in rows) and all(a.end <= b.begin for a, b in pairwise(rows))


@given(st.lists(WINDOWS, max_size=4), st.lists(PULLS, max_size=8))
def test_windows_tile_and_what_was_read_stays_read(windows: list[tuple[int, int]], pulls: list[Pull]) -> None:
    held = opened([], [(at(b), at(e)) for b, e in windows], "run-1")
    known = [m for b, e in windows for m in range(b, e)]
    for one in pulls:
        before = held
        held = closed(held, one, DAY)
        known += [m for m in range(12) if one.window[0] <= at(m) < one.window[1]]
        assert tiles(held)
        assert {m for m in range(12) if rank_at(held, at(m)) >= 0} == set(known)
        for minute in range(0, 12 * 60, 30):
            moment = ZERO + timedelta(minutes=minute)
            was, now = rank_at(before, moment), rank_at(held, moment)
            is_inside = one.window[0] <= moment < one.window[1]
            assert now >= min(was, RANK["drained"])
            if not is_inside:
                assert now == was
            elif one.reason is None and now < RANK["drained"]:
                assert one.began_at <= moment
        assert closed(held, one, DAY) == held
        assert opened(held, [one.window], "run-2") == held
        assert merged(held) == held


LOSSES = st.builds(lambda w, run: lost(w[0], w[1], f"run-{run}"), WINDOWS, st.integers(min_value=1, max_value=5))


@given(st.lists(st.one_of(PULLS, LOSSES), max_size=10))
def test_joining_changes_no_interval_and_no_reason(pulls: list[Pull]) -> None:
    """The ledger with joining says of each moment what the ledger of single hours, never joined, says of it."""
    held: list[Held] = []
    hours: dict[int, list[Held]] = {hour: [] for hour in range(12)}
    for one in pulls:
        held = closed(held, one, DAY)
        for hour, row in hours.items():
            if one.window[0] <= at(hour) < one.window[1]:
                is_unasked = one.began_at == one.window[1]
                began = at(hour + 1) if is_unasked else one.began_at
                hours[hour] = closed(row, replace(one, window=(at(hour), at(hour + 1)), began_at=began), DAY)
    for minute in range(0, 12 * 60, 30):
        moment = ZERO + timedelta(minutes=minute)
        assert told(held, moment) == told(hours[minute // 60], moment)
    gone = [row for row in held if row.reason == "expired" and row.tried_at == row.end]
    assert all(a.end < b.begin or a.detail != b.detail for a, b in pairwise(gone)), "neighbours that are lost are one"


def told(held: list[Held], moment: datetime) -> tuple[str, str | None, str] | None:
    return next(((r.state, r.reason, r.detail) for r in held if r.begin <= moment < r.end), None)


def test_a_year_of_refusals_is_one_row_of_loss() -> None:
    """Runs by the hour, Microsoft keeps a day, nobody ever may read: what is behind the day is one row."""
    held: list[Held] = []
    kept, sizes = 24, []
    for hour in range(24, 600):
        held = closed(held, pull(max(0, hour - kept), hour, began=hour + 0.1, reason="permission"), DAY)
        if hour > kept:
            held = closed(held, lost(hour - kept - 1, hour - kept, f"run-{hour}"), DAY)
        sizes.append(len(held))
    assert spans(held)[0] == (0, 599 - kept, "gap", "expired")
    assert max(sizes[kept * 2 :]) <= max(sizes[: kept * 2]) <= kept + 2


def about(begin: int, end: int) -> st.SearchStrategy[Pull]:
    return PULLS.map(lambda one: replace(one, window=(at(begin), at(end))))


@given(st.lists(HOURS, min_size=2, max_size=6, unique=True), st.data())
def test_the_order_of_disjoint_closes_does_not_matter(edges: list[int], data: st.DataObject) -> None:
    windows = list(pairwise(sorted(edges)))
    rounds = [[data.draw(st.one_of(about(b, e), st.just(lost(b, e)))) for b, e in windows] for _ in range(2)]
    orders = [(pulls, data.draw(st.permutations(pulls))) for pulls in rounds]
    one = other = opened([], [(at(windows[0][0]), at(windows[-1][1]))], "run-1")
    for straight, shuffled in orders:
        for pulled in straight:
            one = closed(one, pulled, DAY)
        for pulled in shuffled:
            other = closed(other, pulled, DAY)
    assert one == other

"""Which windows are to be read: laws over any ledger, and the cases that people will ask about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.planning import MARGIN, KnownWindow, Plan, plan
from m365audit.graph.values import Window

NOW = datetime(2026, 9, 14, 10, 30, 17, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
AUDITS = COLLECTIONS["directory_audits"]
PREMIUM = frozenset({"AAD_PREMIUM"})
KEPT = timedelta(days=30) - MARGIN
KEPT_FREE = timedelta(days=7) - MARGIN

SOME = replace(AUDITS, name="a", feeds=("one", "two"), continued_by="")
"""A collection that fills two feeds."""


def known(begin: datetime, end: datetime, state: str = "drained", **more: object) -> KnownWindow:
    told = {"reason": None, "last_pulled_at": end} | more
    return KnownWindow("directory_audits", "directory_audits", Window(begin, end), state, **told)  # type: ignore[arg-type]


def windows(found: Plan) -> list[Window]:
    return [window for window in found.windows if window is not None]


def lost(found: Plan) -> list[Window]:
    return [window for window, _, _ in found.lost]


def is_tiling(parts: Sequence[Window], begin: datetime, end: datetime) -> bool:
    ordered = sorted(parts)
    edges = [ordered[0].begin, *(part.end for part in ordered)] if ordered else []
    return bool(edges) and (edges[0], edges[-1]) == (begin, end) and all(a.end == b.begin for a, b in pairwise(ordered))


def test_a_first_run_reads_as_far_back_as_microsoft_keeps_the_log() -> None:
    found = plan(AUDITS, [], NOW, plans=PREMIUM)
    assert is_tiling(windows(found), NOW - KEPT, NOW)
    assert windows(found) == sorted(windows(found))
    assert not found.lost
    assert all(window.end.time().isoformat() == "00:00:00" for window in windows(found)[:-1])


def test_without_premium_seven_days_are_kept() -> None:
    assert windows(plan(AUDITS, [], NOW, plans=()))[0].begin == NOW - KEPT_FREE


def test_where_nobody_knows_the_licence_nothing_is_claimed_of_the_time_between() -> None:
    found = plan(AUDITS, [], NOW, begin=NOW - 40 * DAY, plans=None)
    assert lost(found) == [Window(NOW - 40 * DAY, NOW - KEPT)]
    assert is_tiling(windows(found), NOW - KEPT_FREE, NOW)


def test_what_is_wanted_from_before_microsofts_memory_is_lost_to_the_second() -> None:
    found = plan(AUDITS, [], NOW, begin=NOW - 33 * DAY, plans=PREMIUM)
    assert lost(found) == [Window(NOW - 33 * DAY, NOW - KEPT)]
    assert {reason for _, reason, _ in found.lost} == {"expired"}


@pytest.mark.parametrize("off", [HOUR, 3 * DAY, 10 * DAY, 400 * DAY])
def test_after_an_outage_reading_goes_on_where_it_stopped(off: timedelta) -> None:
    last = NOW - off
    found = plan(AUDITS, [known(last - 20 * DAY, last, "settled")], NOW, plans=())
    kept_from = NOW - KEPT_FREE
    assert is_tiling(windows(found), max(last, kept_from), NOW)
    assert lost(found) == ([Window(last, kept_from)] if last < kept_from else [])


def test_a_window_is_read_again_when_it_has_had_time_to_settle() -> None:
    row = known(NOW - 3 * HOUR, NOW)
    assert windows(plan(AUDITS, [row], NOW + 23 * HOUR, begin=NOW - 3 * HOUR))[0].begin == NOW
    found = plan(AUDITS, [row], NOW + 24 * HOUR, begin=NOW - 3 * HOUR)
    assert windows(found)[0] == row.window


def test_a_window_is_not_read_again_soon_after_the_pull_before() -> None:
    row = known(NOW - 5 * DAY, NOW - 4 * DAY, last_pulled_at=NOW - HOUR)
    assert row.window not in windows(plan(AUDITS, [row], NOW, plans=PREMIUM))


def test_small_windows_of_a_day_are_read_again_together() -> None:
    day = datetime(2026, 9, 12, tzinfo=UTC)
    rows = [known(day + i * HOUR, day + (i + 1) * HOUR) for i in range(24)]
    found = plan(AUDITS, rows, day + 2 * DAY, begin=day, end=day + DAY)
    assert windows(found) == [Window(day, day + DAY)]


def test_a_long_window_is_read_again_in_one_piece() -> None:
    row = KnownWindow("b", "one", Window(NOW - 29 * DAY, NOW - 8 * DAY), "drained", None, NOW - 2 * DAY)
    long = replace(
        SOME, name="b", feeds=("one",), window=3650 * DAY, older_than=7 * DAY, reach=180 * DAY, short_reach=None
    )
    assert windows(plan(long, [row], NOW, begin=row.window.begin, end=row.window.end)) == [row.window]


@pytest.mark.parametrize("reason", ["permission", "licence", "disabled", "throttled", "error"])
def test_a_gap_is_tried_again_by_every_run(reason: str) -> None:
    row = known(NOW - 2 * DAY, NOW - DAY, "gap", reason=reason)
    found = plan(AUDITS, [row], NOW, begin=NOW - 2 * DAY, end=NOW - DAY)
    assert is_tiling(windows(found), *((row.window.begin, row.window.end)))


def test_what_expired_is_never_tried_again() -> None:
    row = known(NOW - 2 * DAY, NOW - DAY, "gap", reason="expired")
    assert plan(AUDITS, [row], NOW, begin=NOW - 2 * DAY, end=NOW - DAY) == Plan(())


def test_the_windows_of_a_killed_run_are_read() -> None:
    row = known(NOW - DAY, NOW, "open")
    assert is_tiling(windows(plan(AUDITS, [row], NOW, begin=NOW - DAY)), NOW - DAY, NOW)


def test_nothing_is_planned_for_the_future() -> None:
    assert windows(plan(AUDITS, [], NOW, begin=NOW - HOUR, end=NOW + DAY))[-1].end == NOW
    assert plan(AUDITS, [], NOW, begin=NOW + HOUR) == Plan(())


def test_a_clock_that_went_back_takes_nothing_back() -> None:
    row = known(NOW - DAY, NOW, "settled")
    assert plan(AUDITS, [row], NOW - HOUR, begin=NOW - DAY) == Plan(())


def test_a_listing_is_read_by_every_run() -> None:
    assert plan(replace(AUDITS, window=None), [], NOW) == Plan((None,))


def test_a_window_that_one_feed_lacks_is_read_for_both() -> None:
    row = KnownWindow("a", "one", Window(NOW - DAY, NOW), "settled")
    found = plan(SOME, [row], NOW, begin=NOW - DAY)
    assert is_tiling(windows(found), NOW - DAY, NOW)


def test_fractions_of_a_second_do_not_reach_the_plan() -> None:
    found = plan(AUDITS, [], NOW + timedelta(microseconds=999_999), begin=NOW - HOUR)
    assert windows(found)[-1].end == NOW


def test_what_another_collection_has_read_is_not_read_from_a_poorer_source() -> None:
    old = replace(SOME, name="b", older_than=7 * DAY, reach=180 * DAY, short_reach=None, first_reach=30 * DAY)
    rows = [KnownWindow("a", feed, Window(NOW - 20 * DAY, NOW), "drained", None, NOW) for feed in ("one", "two")]
    found = plan(old, rows, NOW)
    assert is_tiling(windows(found), NOW - 30 * DAY, NOW - 20 * DAY)
    assert windows(plan(old, [], NOW))[-1].end == datetime(2026, 9, 7, tzinfo=UTC)


def test_what_another_collection_read_once_and_can_read_no_more_is_read_again() -> None:
    """Else a tenant that is audited once a week has days that never count as complete."""
    old = replace(SOME, name="b", older_than=5 * DAY, reach=180 * DAY, short_reach=None, first_reach=30 * DAY)
    day = datetime(2026, 9, 1, tzinfo=UTC)
    rows = [
        KnownWindow("a", feed, Window(day + n * DAY, day + (n + 1) * DAY), "drained", None, day + 9 * DAY)
        for n in range(9)
        for feed in ("one", "two")
    ]
    now = day + 11 * DAY
    assert plan(old, rows, now, begin=day).windows == ()
    after = replace(old, takes_over=7 * DAY)
    assert is_tiling(windows(plan(after, rows, now, begin=day)), day, day + 4 * DAY)


def test_what_another_collection_still_has_is_not_lost() -> None:
    assert plan(replace(SOME, continued_by="b"), [], NOW, begin=NOW - 50 * DAY, plans=PREMIUM).lost == ()


# --- laws over any ledger ---

SECONDS = st.integers(0, 50 * 86_400)


@st.composite
def ledgers(draw: st.DrawFn, collection: Collection = SOME) -> list[KnownWindow]:
    rows = []
    for feed in collection.feeds:
        edges = sorted(draw(st.sets(SECONDS, max_size=8)))
        for begin, end in pairwise(edges):
            if draw(st.booleans()):
                state = draw(st.sampled_from(["open", "drained", "settled", "gap"]))
                reason = draw(st.sampled_from(["expired", "error", "licence"])) if state == "gap" else None
                window = Window(
                    NOW - timedelta(seconds=50 * 86_400 - begin), NOW - timedelta(seconds=50 * 86_400 - end)
                )
                late = timedelta(seconds=draw(SECONDS))
                pulled = min(NOW, window.end + late) if state in {"drained", "settled"} else None
                rows.append(KnownWindow(collection.name, feed, window, state, reason, pulled))
    return rows


def good_in_all(rows: Sequence[KnownWindow], feeds: Sequence[str], moment: datetime) -> bool:
    """Tell naively whether a moment needs no first reading in any feed."""
    return all(
        any(
            row.feed == feed
            and row.window.begin <= moment < row.window.end
            and (row.state in {"drained", "settled"} or row.reason == "expired")
            for row in rows
        )
        for feed in feeds
    )


@given(rows=ledgers(), has_premium=st.booleans(), since=st.none() | SECONDS, until=st.none() | SECONDS)
def test_tasks_and_losses_and_what_is_known_tile_the_time(
    rows: list[KnownWindow],
    has_premium: bool,  # noqa: FBT001
    since: int | None,
    until: int | None,
) -> None:
    begin = None if since is None else NOW - timedelta(seconds=since)
    end = None if until is None else NOW - timedelta(seconds=until)
    found = plan(SOME, rows, NOW, begin=begin, end=end, plans=PREMIUM if has_premium else ())
    kept = NOW - (KEPT if has_premium else KEPT_FREE)
    first = begin if begin is not None else min([kept, *(row.window.begin for row in rows)])
    stop = NOW if end is None else end

    told = sorted([*windows(found), *lost(found)])
    assert all(a.end <= b.begin for a, b in pairwise(told)), "no overlap"
    assert all(first <= window.begin < window.end <= stop for window in told)
    assert all(window.begin >= kept for window in windows(found))
    assert all(window.end <= kept for window in lost(found))
    edges = {first, stop, kept, *(m for w in told for m in (w.begin, w.end))}
    edges |= {m for row in rows for m in (row.window.begin, row.window.end)}
    for moment in sorted(edge for edge in edges if first <= edge < stop):
        is_told = any(window.begin <= moment < window.end for window in told)
        if not good_in_all(rows, SOME.feeds, moment):
            assert is_told, f"{moment} is neither known nor planned nor lost"
        elif is_told:
            assert any(w.begin <= moment < w.end for w in windows(found)), "what was read is never lost"
            assert any(
                row.window.begin <= moment < row.window.end
                and row.state == "drained"
                and row.last_pulled_at is not None
                and NOW - max(row.window.end, row.last_pulled_at) >= DAY
                for row in rows
            ), "what was read is read again only to see whether it settled"


@given(rows=ledgers(), has_premium=st.booleans())
def test_after_everything_was_read_nothing_is_left(rows: list[KnownWindow], has_premium: bool) -> None:  # noqa: FBT001
    plans = PREMIUM if has_premium else ()
    found = plan(SOME, rows, NOW, plans=plans)
    done = [KnownWindow("a", feed, w, "settled", None, NOW) for feed in SOME.feeds for w in windows(found)]
    done += [KnownWindow("a", feed, w, "gap", "expired") for feed in SOME.feeds for w in lost(found)]
    covered = [row.window for row in done]
    kept_rows = [row for row in rows if not any(w.begin < row.window.end and row.window.begin < w.end for w in covered)]
    cut = [replace(row, window=part) for row in rows if row not in kept_rows for part in _without(row.window, covered)]
    again = plan(SOME, [*done, *kept_rows, *cut], NOW, plans=plans)
    assert again == Plan(())


def _without(window: Window, parts: Sequence[Window]) -> list[Window]:
    left = [window]
    for part in parts:
        left = [
            rest
            for each in left
            for rest in (
                [each]
                if part.end <= each.begin or part.begin >= each.end
                else [Window(each.begin, part.begin), Window(part.end, each.end)]
            )
            if rest.begin < rest.end
        ]
    return left


@given(rows=ledgers())
def test_the_same_question_has_the_same_answer(rows: list[KnownWindow]) -> None:
    assert plan(SOME, rows, NOW, plans=PREMIUM) == plan(SOME, list(reversed(rows)), NOW, plans=PREMIUM)

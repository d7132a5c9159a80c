"""The seven laws of design/verdicts.md, one test each (some need two), on the product's queries."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Final

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from verdicts import oracle
from verdicts.database import judge_all, judge_side_by_side, kind_of, load, run_verdicts, segments, verdict_queries
from verdicts.world import Entry, Event, Record, Snapshot, World

from .worlds import DAY, PROCESSES, START, build_process, build_record, worlds

LAW: Final = settings(deadline=None, max_examples=15)
NULLABLE: Final = (
    "occurred_at", "app_id", "access_kind", "workload", "operation", "resource_kind", "resource_id", "resource_name",
    "succeeded",
)  # fmt: skip
FIXED: Final = Random(20260101)  # noqa: S311 - no secret
seeds = st.integers(0, 2**32).map(Random)


@LAW
@given(worlds())
def test_law_1_every_event_has_exactly_one_verdict_whatever_the_inputs_repeat(world: World) -> None:
    repeated = replace(
        world,
        directory=world.directory * 2,
        service_principals=world.service_principals * 2,
        changes=world.changes * 2,
        snapshots=world.snapshots * 2,
        records=tuple(replace(r, app_ids=(*r.app_ids, *map(str.upper, r.app_ids))) for r in world.records),
    )
    before, after = judge_side_by_side(world, repeated)  # counts: events in = verdicts out
    assert after == before


@LAW
@given(worlds())
def test_law_2_within_means_that_the_named_process_is_active_and_matches_in_all_dimensions(world: World) -> None:
    verdicts = judge_all(world)
    for event in world.events:
        verdict = verdicts[event.tenant, event.event_id]
        if verdict.verdict != "within":
            continue
        assert verdict.process is not None
        assert event.occurred_at is not None
        record = next(r for r in world.records if r.record == verdict.record)
        assert oracle.period(record, verdict.process, event.occurred_at)[1] is None
        assert oracle.compare(world, event, record, verdict.process)[2:] == ((), ())


@LAW
@given(worlds(), seeds)
def test_law_3_adding_a_process_never_ends_within(world: World, rnd: Random) -> None:
    record = rnd.choice(world.records)
    position = rnd.choice([i for i, entry in enumerate(record.history) if entry.is_full])
    entry = record.history[position]
    absent = sorted({*PROCESSES, "p-a-new-one"} - {p.id for p in entry.processes})
    more = replace(entry, processes=(*entry.processes, build_process(rnd, rnd.choice(absent))))
    _never(world, _with_history(world, record, position, more), was={"within"}, becomes={"outside", "not_assessable"})


@LAW
@given(worlds(), seeds)
def test_law_3_ending_a_process_never_creates_within(world: World, rnd: Random) -> None:
    record = rnd.choice(world.records)
    named = tuple(rnd.sample(sorted({p.id for p in record.history[0].processes}), rnd.choice((0, 1))))
    event = rnd.choice(("withdrawn", "revoked", "invalidated"))
    ending = Entry(event, effective_from=START + rnd.randint(0, 20) * DAY, named=named)
    position = rnd.randint(1, len(record.history))
    history = (*record.history[:position], ending, *record.history[position:])
    ended = tuple(replace(r, history=history) if r is record else r for r in world.records)
    _never(world, replace(world, records=ended), was={"outside", "not_assessable"}, becomes={"within"})


@LAW
@given(worlds(max_events=15))
def test_law_4_a_null_never_creates_within(world: World) -> None:
    variants = {
        (e, name): replace(e, **{"event_id": f"{e.event_id}-{name}", name: None})  # type: ignore[arg-type]
        for e in world.events
        for name in NULLABLE
    }
    verdicts = judge_all(replace(world, events=(*world.events, *variants.values())))
    for (event, name), variant in variants.items():
        before, after = verdicts[_key(event)], verdicts[_key(variant)]
        if before.verdict in {"outside", "not_assessable"}:
            assert after.verdict != "within", (name, event)


@LAW
@given(worlds(), seeds)
def test_law_5_order_and_split_of_the_evidence_change_nothing(world: World, rnd: Random) -> None:
    events = rnd.sample(world.events, len(world.events))
    shuffled = replace(
        world,
        events=tuple(events),
        records=tuple(rnd.sample(world.records, len(world.records))),
        snapshots=tuple(
            replace(s, members=tuple(rnd.sample(s.members, len(s.members))))
            for s in rnd.sample(world.snapshots, len(world.snapshots))
        ),
        changes=tuple(rnd.sample(world.changes, len(world.changes))),
        directory=tuple(rnd.sample(world.directory, len(world.directory))),
    )
    cut = rnd.randint(0, len(events))
    halves = [replace(world, events=tuple(half)) for half in (events[:cut], events[cut:])]
    whole, reordered, first, second = judge_side_by_side(world, shuffled, *halves)
    assert reordered == whole
    assert first | second == whole


@LAW
@given(worlds())
def test_law_6_judging_again_changes_nothing(world: World) -> None:
    with duckdb.connect(":memory:") as connection:
        load(connection, world)
        answers = []
        for _ in range(2):
            run_verdicts(connection)
            answers.append(sorted(connection.execute("SELECT * FROM verdicts").fetchall(), key=str))
            for query in verdict_queries():
                connection.execute(f"DROP {kind_of(query)} {query.header['table']}")
    assert answers[0] == answers[1]


@LAW
@given(worlds(), st.integers(-4000, 4000))
def test_law_6_moving_register_and_evidence_together_in_time_changes_nothing(world: World, days: int) -> None:
    before, after = judge_side_by_side(world, _moved(world, timedelta(days=days, microseconds=days)))
    assert after == before


def test_law_6_no_query_reads_a_clock_or_chance() -> None:
    forbidden = re.compile(
        r"\b(now|today|current_\w+|get_current_\w+|random|gen_random_uuid|localtime\w*)\b|\buuid(v\d)?\s*\(",
        re.IGNORECASE,
    )
    for query in verdict_queries():
        body = query.sql.split("---*/", 1)[1]
        assert not forbidden.search(body), query.path


@LAW
@given(worlds(), seeds)
def test_law_7_observing_less_never_creates_within(world: World, rnd: Random) -> None:
    lost = rnd.choice(("completeness", "newest snapshots", "a group", "the directory"))
    _never(world, _with_gap(world, lost, rnd), was={"outside", "not_assessable", "out_of_scope"}, becomes={"within"})


@LAW
@given(worlds(), seeds)
def test_law_7_missing_events_change_no_other_verdict(world: World, rnd: Random) -> None:
    kept = tuple(e for e in world.events if rnd.random() < 0.5)
    whole, part = judge_side_by_side(world, replace(world, events=kept))
    assert part == {_key(e): whole[_key(e)] for e in kept}


def test_an_event_that_no_segment_answers_for_stops_the_evaluation() -> None:
    world = World(
        records=(Record("r", "t", ("a",), (Entry("granted", START, START + DAY, (build_process(FIXED, "p"),)),)),),
        events=(Event("t", "e", occurred_at=START, app_id="a"),),
    )
    with duckdb.connect(":memory:") as connection:
        load(connection, world)
        connection.execute("DELETE FROM register_segments WHERE valid_from = ?", [START])
        with pytest.raises(duckdb.Error, match="register_segments has a gap"):
            run_verdicts(connection)


def _never(before: World, after: World, *, was: set[str], becomes: set[str]) -> None:
    old, new = judge_side_by_side(before, after)
    for key, verdict in old.items():
        assert not (verdict.verdict in was and new[key].verdict in becomes), (key, verdict, new[key])


def _key(event: Event) -> tuple[str, str]:
    return event.tenant, event.event_id


def _with_history(world: World, record: Record, position: int, entry: Entry) -> World:
    history = (*record.history[:position], entry, *record.history[position + 1 :])
    return replace(world, records=tuple(replace(r, history=history) if r is record else r for r in world.records))


def _with_gap(world: World, lost: str, rnd: Random) -> World:
    if lost == "the directory":
        return replace(world, directory=())
    if lost == "completeness":
        partial = tuple(replace(s, is_complete=s.is_complete and rnd.random() < 0.5) for s in world.snapshots)
        return replace(world, snapshots=partial)
    if lost == "a group":
        group = rnd.choice(sorted({s.group for s in world.snapshots}) or [""])
        return replace(world, snapshots=tuple(s for s in world.snapshots if s.group != group))
    last = START + rnd.randint(0, 20) * DAY
    return replace(world, snapshots=tuple(s for s in world.snapshots if s.at <= last))


def _moved(world: World, by: timedelta) -> World:
    def entry(e: Entry) -> Entry:
        until = e.effective_until + by if e.effective_until else None
        return replace(e, effective_from=e.effective_from + by, effective_until=until)

    def snapshot(s: Snapshot) -> Snapshot:
        return replace(s, at=s.at + by)

    return replace(
        world,
        records=tuple(replace(r, history=tuple(map(entry, r.history))) for r in world.records),
        events=tuple(replace(e, occurred_at=e.occurred_at + by if e.occurred_at else None) for e in world.events),
        snapshots=tuple(map(snapshot, world.snapshots)),
        changes=tuple(replace(c, at=c.at + by) for c in world.changes),
    )


def test_segments_of_the_oracle_leave_no_gap() -> None:
    for _ in range(50):
        rows = list(segments(build_record(FIXED, "r")))
        for (*_, process, _, end, _, _), (*_, following, start, _, _, _) in pairwise(rows):
            assert end == start if process == following else (end, start) == (None, None)

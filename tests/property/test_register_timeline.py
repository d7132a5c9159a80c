"""The timeline of a process against a second reading of verdicts.md, written apart from the product's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.config import iso
from m365audit.register import ConsentRecord, Segment, timeline
from m365audit.register.document import RecordDocument
from m365audit.register.state import active_periods, ending_of, process_names, versions

_START = datetime(2026, 1, 1, tzinfo=UTC)
_PROCESSES = ("p-a", "p-b", "p-c")
_FULL = ("granted", "amended", "renewed")


def _day(number: int) -> datetime:
    return _START + timedelta(days=number)


def _process(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "purpose": "x",
        "legal_basis": "contract",
        "workload": "mail",
        "permissions": [{"name": "Mail.Read", "kind": "application"}],
        "operations": ["read"],
        "resources": "all",
    }


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid record as plain values: versions begin ever later, endings fall anywhere."""
    begins = sorted(draw(st.sets(st.integers(10, 60), min_size=1, max_size=4)))
    history: list[dict[str, Any]] = []
    for number, begin in enumerate(begins):
        names = draw(st.lists(st.sampled_from(_PROCESSES), min_size=1, max_size=3, unique=True))
        event = "granted" if number == 0 else draw(st.sampled_from(_FULL[1:]))
        end = begin + draw(st.integers(1, 40))
        history.append({"event": event, "from": begin, "until": end, "names": names})
        for _ in range(draw(st.integers(0, 2))):
            known = sorted({name for entry in history if "until" in entry for name in entry["names"]})
            named = draw(st.none() | st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True))
            ending = draw(st.sampled_from(("withdrawn", "revoked", "invalidated")))
            history.append({"event": ending, "from": draw(st.integers(0, 90)), "names": named})
    return {"history": history, "stop": draw(st.sampled_from((0, 1, 7)))}


def _record(drawn: dict[str, Any]) -> ConsentRecord:
    history = []
    for entry in drawn["history"]:
        written = {
            "event": entry["event"],
            "recorded_at": iso(_START),
            "effective_from": iso(_day(entry["from"])),
            "evidence": [{"kind": "document", "ref": "x"}],
        }
        if "until" in entry:
            written["effective_until"] = iso(_day(entry["until"]))
            written["processes"] = [_process(name) for name in entry["names"]]
        elif entry["names"] is not None:
            written["processes"] = entry["names"]
        history.append(written)
    document = RecordDocument.model_validate(
        {
            "schema": "m365audit.consent/1",
            "record": "r",
            "tenant": "11111111-1111-4111-8111-111111111111",
            "integration": {"kind": "crm", "name": "x", "app_ids": ["c0ffee00-0000-4000-8000-000000000001"]},
            "stop_within": f"P{drawn['stop']}D",
            "history": history,
        }
    )
    return ConsentRecord.model_construct(**dict(document), file="r.yaml", entry_hashes=())


# The second reading: on the drawn plain values and day numbers, sentence by sentence.


def _page_in_force(history: list[dict[str, Any]], t: float) -> int | None:
    """Rule 2: the last full-state entry with effective_from <= t."""
    answer = None
    for i, entry in enumerate(history):
        if entry["event"] in _FULL and entry["from"] <= t:
            answer = i
    return answer


def _page_killed(history: list[dict[str, Any]], name: str) -> set[int]:
    """Rule 4: the versions in which a process never was active."""
    killed: set[int] = set()
    for i, entry in enumerate(history):
        if entry["event"] == "invalidated" and (entry["names"] is None or name in entry["names"]):
            written_before = history[:i]
            current = _page_in_force(written_before, entry["from"])
            if current is not None:
                killed.add(current)
            for j, version in enumerate(written_before):
                if version["event"] in _FULL and version["from"] > entry["from"]:
                    killed.add(j)
    return killed


def _page_withdrawn(history: list[dict[str, Any]], name: str, version: int, t: float, stop: int) -> bool:
    """Rule 3: a later withdrawn or revoked entry whose time, and the time to stop, have come."""
    for entry in history[version + 1 :]:
        is_stop = entry["event"] in ("withdrawn", "revoked") and (entry["names"] is None or name in entry["names"])
        if is_stop and entry["from"] + stop <= t:
            return True
    return False


def _page_is_active(history: list[dict[str, Any]], name: str, t: float, stop: int) -> bool:
    """Rule 3, by itself: independent of how candidates are compared."""
    v = _page_in_force(history, t)
    if v is None or name not in history[v]["names"] or t >= history[v]["until"]:
        return False
    return v not in _page_killed(history, name) and not _page_withdrawn(history, name, v, t, stop)


def _page_answer(history: list[dict[str, Any]], name: str, t: float, stop: int) -> tuple[int, str | None]:
    """Return the version compared and the reason of the row *period*."""
    declaring = [i for i, entry in enumerate(history) if entry["event"] in _FULL and name in entry["names"]]
    if _page_is_active(history, name, t, stop):
        v = _page_in_force(history, t)
        assert v is not None
        return v, None
    begun = [i for i in declaring if history[i]["from"] <= t]
    if not begun:
        return declaring[0], "before_start"
    v = begun[-1]
    if v in _page_killed(history, name):
        return v, "invalidated"
    if _page_withdrawn(history, name, v, t, stop):
        return v, "after_withdrawal"
    assert t >= history[v]["until"] or _page_in_force(history, t) != v
    return v, "after_expiry"


def _segment_at(segments: tuple[Segment, ...], moment: datetime) -> Segment:
    (found,) = [
        segment
        for segment in segments
        if (segment.valid_from is None or segment.valid_from <= moment)
        and (segment.valid_to is None or moment < segment.valid_to)
    ]
    return found


@settings(max_examples=200, deadline=None)
@given(drawn=histories(), times=st.lists(st.integers(-5, 120), min_size=1, max_size=12))
def test_segments_answer_as_the_page_does(drawn: dict[str, Any], times: list[int]) -> None:
    record = _record(drawn)
    for name in process_names(record):
        segments = timeline(record, name)
        for number in times:
            for t, moment in (
                (float(number), _day(number)),
                (number - 0.001, _day(number) - timedelta(microseconds=1)),
            ):
                segment = _segment_at(segments, moment)
                expected = _page_answer(drawn["history"], name, t, drawn["stop"])
                assert (segment.version, segment.period_reason) == expected, (name, t)


@settings(max_examples=100, deadline=None)
@given(drawn=histories())
def test_segments_are_gapless_ordered_and_merged(drawn: dict[str, Any]) -> None:
    record = _record(drawn)
    for name in process_names(record):
        segments = timeline(record, name)
        assert segments[0].valid_from is None
        assert segments[-1].valid_to is None
        assert segments[0].period_reason == "before_start"
        assert segments[-1].period_reason is not None
        for one, other in pairwise(segments):
            assert one.valid_to == other.valid_from
            assert one.valid_to is not None
            assert (one.version, one.period_reason) != (other.version, other.period_reason)
        bounds = [segment.valid_from for segment in segments[1:] if segment.valid_from is not None]
        assert bounds == sorted(set(bounds))


@settings(max_examples=100, deadline=None)
@given(drawn=histories())
def test_an_ended_version_is_active_until_then_and_never_later(drawn: dict[str, Any]) -> None:
    record = _record(drawn)
    for name in process_names(record):
        active = [segment for segment in timeline(record, name) if segment.period_reason is None]
        for version, entry in versions(record).items():
            mine = [segment for segment in active if segment.version == version]
            if name not in {process.id for process in entry.processes}:
                assert not mine
                continue
            ending = ending_of(record, name, version)
            last = entry.effective_until if ending is None else ending.ended_at
            if last > entry.effective_from:
                assert [(segment.valid_from, segment.valid_to) for segment in mine] == [(entry.effective_from, last)]
            else:
                assert not mine


@settings(max_examples=100, deadline=None)
@given(drawn=histories(), day=st.integers(0, 90), event=st.sampled_from(("withdrawn", "revoked", "invalidated")))
def test_an_ending_never_makes_anything_active(drawn: dict[str, Any], day: int, event: str) -> None:
    """Law 3 of verdicts.md, for the period."""
    ended = {**drawn, "history": [*drawn["history"], {"event": event, "from": day, "names": None}]}
    before, after = active_periods(_record(drawn)), active_periods(_record(ended))
    assert all(any(begin <= start and end <= stop for begin, stop in before) for start, end in after)

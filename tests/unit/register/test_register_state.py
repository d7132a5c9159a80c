"""The state of a record at chosen times, written out by hand from verdicts.md."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from m365audit.config import parse_time
from m365audit.register import ConsentRecord, Register, period_reason_at, timeline
from m365audit.register.state import compared_version, ending_of, in_force_at

Loader = Callable[..., Register]

_PROCESS = (
    "{{id: {0}, purpose: p, legal_basis: contract, workload: mail, operations: [read], resources: all,"
    " permissions: [{{name: Mail.Read, kind: application}}]}}"
)
_HEAD = """schema: m365audit.consent/1
record: r
tenant: 11111111-1111-4111-8111-111111111111
integration: {kind: crm, name: CRM, app_ids: [c0ffee00-0000-4000-8000-000000000001]}
"""


def _full(event: str, begin: str, end: str, *names: str) -> str:
    processes = ", ".join(_PROCESS.format(name) for name in names)
    return (
        f"  - event: {event}\n    recorded_at: 2026-01-01T00:00:00Z\n    effective_from: {begin}T00:00:00Z\n"
        f"    effective_until: {end}T00:00:00Z\n    evidence: [{{kind: document, ref: x}}]\n"
        f"    processes: [{processes}]\n"
    )


def _ending(event: str, begin: str, *names: str) -> str:
    named = f"    processes: [{', '.join(names)}]\n" if names else ""
    return (
        f"  - event: {event}\n    recorded_at: 2026-01-01T00:00:00Z\n    effective_from: {begin}T00:00:00Z\n"
        f"    evidence: [{{kind: document, ref: x}}]\n{named}"
    )


def _record(load: Loader, *entries: str, head: str = "") -> ConsentRecord:
    register = load({"r.yaml": _HEAD + head + "history:\n" + "".join(entries)})
    assert register.problems == ()
    return register.records[0]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _reasons(record: ConsentRecord, process: str, *days: str) -> list[str | None]:
    return [period_reason_at(record, process, _at(day)) for day in days]


def test_period_is_half_open(load: Loader) -> None:
    record = _record(load, _full("granted", "2026-02-01", "2026-03-01", "a"))
    assert period_reason_at(record, "a", parse_time("2026-01-31T23:59:59.999999Z")) == "before_start"
    assert period_reason_at(record, "a", parse_time("2026-02-01T00:00:00Z")) is None
    assert period_reason_at(record, "a", parse_time("2026-02-28T23:59:59.999999Z")) is None
    assert period_reason_at(record, "a", parse_time("2026-03-01T00:00:00Z")) == "after_expiry"


def test_stop_within_delays_withdrawal_but_not_invalidation(load: Loader) -> None:
    grant = _full("granted", "2026-02-01", "2027-01-01", "a", "b")
    record = _record(
        load, grant, _ending("withdrawn", "2026-03-01", "a"), _ending("invalidated", "2026-03-01", "b"),
        head="stop_within: P2D\n",
    )  # fmt: skip
    assert _reasons(record, "a", "2026-03-01", "2026-03-02T23:59:59", "2026-03-03") == [None, None, "after_withdrawal"]
    assert _reasons(record, "b", "2026-01-01", "2026-02-01", "2026-03-03") == [
        "before_start", "invalidated", "invalidated",
    ]  # fmt: skip


def test_invalidation_takes_the_version_in_force_and_later_ones_but_not_replaced_ones(load: Loader) -> None:
    record = _record(
        load,
        _full("granted", "2026-02-01", "2027-01-01", "a"),
        _full("amended", "2026-03-01", "2027-01-01", "a"),
        _full("amended", "2026-05-01", "2027-01-01", "a"),
        _ending("invalidated", "2026-04-01"),
        _full("renewed", "2026-07-01", "2027-01-01", "a"),
    )
    days = ("2026-02-15", "2026-03-01", "2026-04-15", "2026-05-15", "2026-07-01")
    assert _reasons(record, "a", *days) == [None, "invalidated", "invalidated", "invalidated", None]


def test_renewal_after_withdrawal_is_active_again(load: Loader) -> None:
    record = _record(
        load,
        _full("granted", "2026-02-01", "2027-01-01", "a"),
        _ending("revoked", "2026-03-01"),
        _full("renewed", "2026-04-01", "2027-01-01", "a"),
    )
    assert _reasons(record, "a", "2026-02-15", "2026-03-15", "2026-04-01") == [None, "after_withdrawal", None]
    assert compared_version(record, "a", _at("2026-03-15")) == 0
    assert compared_version(record, "a", _at("2026-04-01")) == 2


def test_withdrawal_written_before_a_version_does_not_touch_it(load: Loader) -> None:
    record = _record(
        load,
        _full("granted", "2026-02-01", "2027-01-01", "a"),
        _ending("withdrawn", "2026-06-01"),
        _full("renewed", "2026-04-01", "2027-01-01", "a"),
    )
    assert _reasons(record, "a", "2026-03-01", "2026-06-01") == [None, None]


def test_dropped_process_is_compared_in_its_last_version(load: Loader) -> None:
    record = _record(
        load,
        _full("granted", "2026-02-01", "2027-01-01", "a", "b"),
        _full("amended", "2026-03-01", "2027-01-01", "a", "c"),
    )
    assert _reasons(record, "b", "2026-02-15", "2026-03-01") == [None, "after_expiry"]
    assert compared_version(record, "b", _at("2026-06-01")) == 0
    assert _reasons(record, "c", "2026-02-15", "2026-03-01") == ["before_start", None]
    assert compared_version(record, "c", _at("2026-01-01")) == 1
    with pytest.raises(ValueError, match="never declares"):
        compared_version(record, "zzz", _at("2026-06-01"))


def test_first_reason_that_holds_is_the_answer(load: Loader) -> None:
    """Expired first, withdrawn later: at a time after both, the withdrawal stands first in the order of reasons."""
    record = _record(
        load, _full("granted", "2026-02-01", "2026-03-01", "a"), _ending("withdrawn", "2026-06-01", "a")
    )  # fmt: skip
    assert _reasons(record, "a", "2026-04-01", "2026-06-01") == ["after_expiry", "after_withdrawal"]


def test_withdrawal_before_the_begin_leaves_nothing_active(load: Loader) -> None:
    record = _record(load, _full("granted", "2026-02-01", "2027-01-01", "a"), _ending("withdrawn", "2026-01-01"))
    assert [segment.period_reason for segment in timeline(record, "a")] == ["before_start", "after_withdrawal"]
    ending = ending_of(record, "a", 0)
    assert ending is not None
    assert (ending.ended_at, ending.ended_by) == (_at("2026-02-01"), "withdrawn")


def test_nothing_is_in_force_before_the_first_version(load: Loader) -> None:
    record = _record(load, _full("granted", "2026-02-01", "2027-01-01", "a"))
    assert in_force_at(record, _at("2026-01-31")) is None


def test_stop_beyond_the_calendar_never_comes(load: Loader) -> None:
    grant = _full("granted", "2026-02-01", "9999-12-31", "a")
    record = _record(load, grant, _ending("withdrawn", "9999-12-30", "a"), head="stop_within: P30D\n")
    assert [segment.period_reason for segment in timeline(record, "a")] == ["before_start", None, "after_expiry"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((), None),
        ((_ending("withdrawn", "2026-03-01"),), ("2026-03-01", "withdrawn")),
        ((_ending("revoked", "2026-03-01"), _ending("withdrawn", "2026-02-20")), ("2026-02-20", "withdrawn")),
        ((_ending("invalidated", "2026-03-01"),), ("2026-02-01", "invalidated")),
        ((_full("amended", "2026-04-01", "2027-01-01", "a"),), ("2026-04-01", "amended")),
        ((_full("amended", "2027-04-01", "2027-05-01", "a"),), None),
        ((_ending("withdrawn", "2027-01-01"),), None),
    ],
    ids=[
        "ran out",
        "withdrawn",
        "earliest",
        "invalidated",
        "replaced",
        "replaced after its end",
        "withdrawn at its end",
    ],
)
def test_when_and_why_a_version_ended(entries: tuple[str, ...], expected: tuple[str, str] | None, load: Loader) -> None:
    record = _record(load, _full("granted", "2026-02-01", "2027-01-01", "a"), *entries)
    ending = ending_of(record, "a", 0)
    found = None if ending is None else (ending.ended_at, ending.ended_by)
    assert found == (None if expected is None else (_at(expected[0]), expected[1]))

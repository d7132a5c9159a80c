"""One id, several contents: equal ones are duplicates, others versions; no order of imports changes the newest."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path
from typing import Any

import duckdb
import pytest
from landed import TENANT, Desk, Json, audit, call

from m365audit.pipeline import Import


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return value


@pytest.mark.parametrize("record", [call("1"), audit("1", Nested={"a": 1, "b": [{"c": 1, "d": 2}]})])
def test_another_order_of_keys_is_no_other_content(desk: Desk, record: Json) -> None:
    desk.bring("a.json", [record])
    landed = desk.bring("b.json", [reordered(record)])
    assert (landed.stored, landed.duplicate) == (0, 1)


def test_a_content_that_another_release_of_the_database_told_otherwise_is_no_other_content(desk: Desk) -> None:
    """DuckDB promises its hash for no longer than a release."""
    desk.bring("a.json", [audit("1"), audit("2")])
    with duckdb.connect(str(desk.settings.state / "m365audit.duckdb")) as connection:
        connection.execute("UPDATE landed_records SET content = content + 1")
    landed = desk.bring("b.json", [audit("1"), audit("2", Operation="Send")])
    assert (landed.stored, landed.duplicate) == (1, 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (call("1"), call("1", responseStatusCode=403)),
        (call("1"), call("1", ipAddress="198.51.100.7")),
        (audit("1"), audit("1", Operation="Send")),
        (audit("1", n=1), audit("1", n="1")),
        (audit("1", n=1.0), audit("1", n=1)),
        (audit("1", n=12345678901234567890123), audit("1", n=12345678901234567890124)),
        (audit("1", l=[1, 2]), audit("1", l=[2, 1])),
        (audit("1"), audit("1", extra=None)),
    ],
)
def test_another_content_is_a_new_version_and_the_old_one_stays(desk: Desk, first: Json, second: Json) -> None:
    desk.bring("a.json", [first], at="2026-05-04T12:00:00Z")
    assert desk.bring("b.json", [second], at="2026-05-04T13:00:00Z").stored == 1
    table = "landed_calls" if "properties" in first else "landed_records"
    rows = desk.ask(f"SELECT version, is_newest, source_id FROM {table} ORDER BY 1")  # noqa: S608
    assert rows == [(1, False, 1), (2, True, 2)]


def test_what_is_not_kept_of_a_call_makes_no_version(desk: Desk) -> None:
    desk.bring("a.json", [call("1")])
    landed = desk.bring("b.json", [call("1", userAgent="x", durationMs=7)])
    assert (landed.stored, landed.duplicate) == (0, 1)


def newest_by_order(tmp_path: Path, files: list[tuple[Json, str | None]], table: str, what: str) -> set[Any]:
    """Import one-record files in every order, or every second one, and in one run; return the newest rows seen."""
    seen = set()
    orders = list(permutations(range(len(files))))
    for number, order in enumerate(orders if len(orders) < 6 else orders[::-2]):
        for at_once in (False, True) if number == 0 else (False,):
            desk = Desk(tmp_path / f"{number}-{at_once}")
            paths = [desk.write(f"{i}.json", [files[i][0]], at=files[i][1]) for i in order]
            if at_once:
                desk.run(*paths)
            else:
                for path in paths:
                    desk.run(path)
            told = "landed_calls INNER JOIN landed_forms USING (form_no)" if table == "landed_calls" else table
            rows = desk.ask(f"SELECT {what} FROM {told} WHERE is_newest")  # noqa: S608
            assert len(rows) == 1
            versions = desk.ask(f"SELECT list_sort(list(version)) FROM {table}")[0][0]  # noqa: S608
            assert versions == list(range(1, len(versions) + 1))
            seen.add(rows[0])
    return seen


LATE, LATER = "2026-05-04T12:00:00Z", "2026-05-04T13:00:00Z"


def test_the_envelope_tells_the_newest_first_of_all(tmp_path: Path) -> None:
    files: list[tuple[Json, str | None]] = [
        (call("1", responseStatusCode=500, envelope="2026-05-04T10:15:03Z"), LATE),
        (call("1", responseStatusCode=200, envelope="2026-05-04T10:15:02Z"), LATER),
    ]
    assert newest_by_order(tmp_path, files, "landed_calls", "status_code") == {(500,)}


def test_a_content_that_came_back_is_the_newest(tmp_path: Path) -> None:
    files: list[tuple[Json, str | None]] = [
        (call("1", responseStatusCode=status, envelope=f"2026-05-04T10:15:0{second}Z"), LATE)
        for second, status in enumerate((200, 403, 200))
    ]
    assert newest_by_order(tmp_path, files, "landed_calls", "status_code") == {(200,)}


def test_then_the_time_of_the_file(tmp_path: Path) -> None:
    files: list[tuple[Json, str | None]] = [
        (audit("1", Operation="A"), LATE),
        (audit("1", Operation="B"), LATER),
        (reordered(audit("1", Operation="A")), "2026-05-04T14:00:00Z"),
    ]
    assert newest_by_order(tmp_path, files, "landed_records", "record->>'$.Operation'") == {("A",)}


def test_calls_that_only_their_envelope_times_tell_apart(tmp_path: Path) -> None:
    files: list[tuple[Json, str | None]] = [
        (call("1", None, envelope=f"2026-05-04T10:15:0{second}Z"), LATE) for second in (1, 2)
    ]
    assert newest_by_order(tmp_path, files, "landed_calls", "strftime(occurred_at, '%S')") == {("02",)}


def test_delivered_again_under_a_later_envelope_is_a_duplicate(desk: Desk) -> None:
    desk.bring("a.json", [call("1", envelope="2026-05-04T10:15:01Z")])
    landed = desk.bring("b.json", [call("1", envelope="2026-05-04T10:15:42Z")])
    assert (landed.stored, landed.duplicate) == (0, 1)


def test_a_third_spelling_of_two_known_contents_adds_nothing(desk: Desk) -> None:
    one, two = audit("1", n=1), audit("1", n=2)
    for number, record in enumerate((one, two)):
        desk.bring(f"{number}.json", [record], at=LATE)
    for number, record in enumerate((reordered(one), reordered(two), one, two)):
        assert desk.bring(f"again{number}.json", [record, audit(f"new{number}")], at=LATE).stored == 1
    assert desk.ask("SELECT count(*) FROM landed_records WHERE record_id = '1'") == [(2,)]


def test_tenants_do_not_see_each_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    other = "22222222-2222-4222-8222-222222222222"
    first, second = desk.write("a.json", [call("1")]), desk.write("b.json", [call("1", responseStatusCode=403)])
    desk.run(first, Import(second, other), Import(first, other))
    counts = "SELECT tenant_id, count(*), count(*) FILTER (WHERE is_newest) FROM landed_calls GROUP BY ALL ORDER BY 1"
    assert desk.ask(counts) == [(TENANT, 1, 1), (other, 2, 1)]


def test_tenants_that_are_landed_together_do_not_see_each_other_either(tmp_path: Path) -> None:
    """Ids of records are unique in a tenant and no further."""
    desk = Desk(tmp_path)
    other = "22222222-2222-4222-8222-222222222222"
    first, second = desk.write("a.json", [audit("1"), audit("2")]), desk.write("b.json", [audit("1", Operation="Send")])
    told_again = desk.write("c.json", [reordered(audit("1")), audit("2", Operation="Send")])
    desk.run(first, Import(second, other), told_again)
    desk.run(Import(first, other), Import(told_again, other))
    counts = (
        "SELECT tenant_id, record_id, count(*), count(*) FILTER (WHERE is_newest) FROM landed_records "
        "GROUP BY ALL ORDER BY ALL"
    )
    assert desk.ask(counts) == [(TENANT, "1", 1, 1), (TENANT, "2", 2, 1), (other, "1", 2, 1), (other, "2", 2, 1)]


def test_what_two_tenants_both_tell_is_kept_of_each_when_it_is_landed_at_once(tmp_path: Path) -> None:
    """No second landing puts anything right here: what the first one took for a duplicate would be lost for ever."""
    desk = Desk(tmp_path)
    other = "22222222-2222-4222-8222-222222222222"
    first = desk.write("a.json", [audit("1"), audit("2")])
    second = desk.write("b.json", [audit("1"), audit("2", Operation="Send")])
    desk.run(first, Import(second, other))
    kept = desk.ask("SELECT tenant_id, record_id, version, is_newest FROM landed_records ORDER BY ALL")
    assert kept == [(tenant, record, 1, True) for tenant in (TENANT, other) for record in ("1", "2")]

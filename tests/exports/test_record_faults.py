"""Faults of records, B1 to B18: each comes in through the real import, and what is said of it at the end is true."""

from __future__ import annotations

import csv
import gzip
import io
import json
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from landed import Desk, Json, audit, call, sign_in

HOUR: Final = "2026-05-04T10:15:00Z"
MARK: Final = "<script>alert(1)</script>\x1b[31m\u202e"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def lines(*records: Json | str) -> str:
    return "".join((record if isinstance(record, str) else json.dumps(record)) + "\n" for record in records)


def balance(desk: Desk) -> tuple[int, int, int, int]:
    """Return what the ledger of files says, having checked that nothing is lost."""
    (row,) = desk.ask("SELECT sum(records), sum(stored), sum(duplicate), sum(quarantined) FROM sources")
    records, stored, duplicate, quarantined = row
    assert records == stored + duplicate + quarantined
    assert desk.ask("SELECT count(*) FROM quarantine") == [(quarantined,)]
    return records, stored, duplicate, quarantined


def test_b01_late_records(desk: Desk) -> None:
    """A record that comes after its day was judged is judged too; when it was first seen stays apart from its time.

    Reading trailing windows again is for a collector; an import reads what it is given, however late.
    """
    desk.judge(desk.write("first.json", lines(call("r1"), call("r2", "2026-05-06T10:15:00Z"))))
    first = desk.published("SELECT event_id, first_seen_at FROM access_events ORDER BY 1")
    assert [event for event, _ in first] == ["r1", "r2"]
    desk.judge(desk.write("late.json", lines(call("late", "2026-05-05T10:15:00Z"))))
    rows = desk.published(
        "SELECT event_id, occurred_at::VARCHAR, first_seen_at, verdict IS NOT NULL "
        "FROM access_events LEFT JOIN verdicts USING (tenant_id, feed, event_id) ORDER BY occurred_at"
    )
    assert [(row[0], row[3]) for row in rows] == [("r1", True), ("late", True), ("r2", True)]
    assert rows[1][1] == "2026-05-05 10:15:00+00"
    assert [row[2] for row in rows if row[0] != "late"] == [moment for _, moment in first], "first seen stays"
    assert rows[1][2] > max(moment for _, moment in first)


def test_b02_out_of_order(desk: Desk, tmp_path: Path) -> None:
    """Newest first, oldest first, in one file or many: the same evidence."""
    records = [call(f"r{number}", f"2026-05-{number:02}T10:15:00Z") for number in range(1, 10)]
    desk.run(desk.write("newest-first.json", lines(*reversed(records))))
    other = Desk(tmp_path / "other")
    other.run(*(other.write(f"{9 - number}.json", lines(record)) for number, record in enumerate(records)))
    query = "SELECT event_id, occurred_at FROM landed_calls ORDER BY 1"
    assert desk.ask(query) == other.ask(query)
    assert len(desk.ask(query)) == 9


def test_b03_duplicates_across_overlap(desk: Desk) -> None:
    """The same record in overlapping files, pages and formats is stored once; how often it came is counted."""
    records = [audit(f"a{number}") for number in range(6)]
    text = io.StringIO()
    csv.writer(text).writerows([["RecordId", "AuditData"], *([r["Id"], json.dumps(r)] for r in records[3:])])
    desk.run(
        desk.write("one.json", lines(*records[:4])),
        desk.write("two.json", json.dumps({"value": records[2:]})),
        desk.write("three.csv", text.getvalue()),
    )
    assert balance(desk) == (11, 6, 5, 0)


def test_b04_changed_content(desk: Desk) -> None:
    """Another order of fields is the same record; another content is a new version, and the old one stays.

    The order of fields tells two texts of a whole record apart (they are kept as they came); both say the same, so
    the verdicts are equal, and the newest is the one that is read.
    """
    record = sign_in("s1", riskState="none")
    desk.run(desk.write("one.json", lines(record)))
    desk.run(desk.write("two.json", lines(record | {"riskState": "confirmedCompromised"})))
    versions = desk.ask("SELECT version, is_newest, record->>'$.riskState' FROM landed_records ORDER BY version")
    assert versions == [(1, False, "none"), (2, True, "confirmedCompromised")]
    first, second = call("r1"), call("r1")
    second["properties"] = dict(reversed(second["properties"].items()))
    desk.run(desk.write("three.json", lines(first)), desk.write("four.json", lines(second)))
    assert desk.ask("SELECT version FROM landed_calls") == [(1,)]


def test_b05_ids(desk: Desk) -> None:
    """Ids are compared byte for byte; a record without one is set aside.

    On purpose not keyed by a hash of its content: Microsoft delivers the same record with its fields in another order
    and with more of them later, so a hash would count one access twice. It is kept, counted and named in quarantine.
    """
    forms = [unicodedata.normalize(form, "é") for form in ("NFC", "NFD")]
    ids = ["a", "A", *forms, None, "", "  "]
    desk.run(desk.write("ids.json", lines(*(call(name) for name in ids))))
    assert balance(desk) == (7, 4, 0, 3)
    assert {row[0] for row in desk.ask("SELECT event_id FROM landed_calls")} == {"a", "A", *forms}
    assert {row[0] for row in desk.ask("SELECT reason FROM quarantine")} == {
        "has no 'requestId', so it cannot be told from others"
    }


def test_b06_drift(desk: Desk) -> None:
    """Unknown words, new, missing and null fields, another type: the record is kept whole, and lands."""
    odd: list[dict[str, Any]] = [
        {"status": "unknownFutureValue"}, {"status": None}, {"status": ["x"]}, {"status": {"errorCode": {"a": 1}}},
        {"appId": 7}, {"userId": {"id": "x"}}, {"isInteractive": "perhaps"}, {"brandNew": {"field": [1, 2]}},
        {"createdDateTime": {"x": 1}}, {"location": "NO"}, {"appId": None},
    ]  # fmt: skip
    records = [sign_in(f"s{number}") | change for number, change in enumerate(odd)]
    desk.run(desk.write("odd.json", lines(*records)))
    assert balance(desk) == (len(odd), len(odd), 0, 0)
    kept = desk.ask("SELECT record FROM landed_records ORDER BY record->>'$.id'")
    assert sorted((json.loads(row[0]) for row in kept), key=lambda r: str(r["id"])) == sorted(
        records, key=lambda r: str(r["id"])
    )


@pytest.mark.parametrize("careful", [False, True], ids=["lines", "array"])
def test_b07_duplicate_keys(desk: Desk, *, careful: bool) -> None:
    """A key that stands twice means two things to two readers: such a record is set aside, the others are not."""
    twice = json.dumps(audit("twice")).replace('"Id"', '"Id": "other", "Id"', 1)
    good = json.dumps(audit("good"))
    desk.run(desk.write("x.json", f"[{good},{twice}]" if careful else lines(good, twice)))
    assert balance(desk) == (2, 1, 0, 1)
    assert "stands twice" in desk.ask("SELECT reason FROM quarantine")[0][0]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe6\x9d"])
def test_b08_invalid_utf8(desk: Desk, bad: bytes) -> None:
    """Bytes that are no UTF-8 (overlong, CESU, cut) cost their own record; what is shown of it is readable."""
    good = json.dumps(audit("good")).encode()
    desk.run(desk.write("x.json", good + b"\n" + good.replace(b"good", b"x" + bad) + b"\n"))
    assert balance(desk) == (2, 1, 0, 1)
    ((reason, excerpt),) = desk.ask("SELECT reason, excerpt FROM quarantine")
    assert "invalid UTF-8" in reason
    assert "\ufffd" in excerpt


def test_b09_lone_surrogates(desk: Desk) -> None:
    """Half a character cannot be written as UTF-8: set aside. A whole pair, written as two escapes, is a character."""
    text = json.dumps(audit("half")).replace("ann@", "\\ud800@")
    pair = json.dumps(audit("pair", Name="😀"))
    assert "\\ud83d\\ude00" in pair
    desk.run(desk.write("x.json", lines(text, pair)))
    assert balance(desk) == (2, 1, 0, 1)
    assert "lone surrogate" in desk.ask("SELECT reason FROM quarantine")[0][0]
    assert desk.ask("SELECT record->>'$.Name' FROM landed_records") == [("😀",)]


def test_b10_nul_bytes(desk: Desk) -> None:
    """An escaped NUL is a character like others and kept; a raw one is no JSON and costs its own record."""
    escaped = json.dumps(audit("escaped", Name="a\0b"))
    desk.run(desk.write("x.json", lines(escaped, json.dumps(audit("raw")).replace("ann@", "\0@"))))
    assert balance(desk) == (2, 1, 0, 1)
    assert json.loads(desk.ask("SELECT record FROM landed_records")[0][0])["Name"] == "a\0b"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_b11_bom_and_utf16(desk: Desk, encoding: str) -> None:
    """What Windows programs write is read as what it means, compressed or not."""
    text = lines(audit("a1", Name="Jörg 李"), audit("a2")).encode(encoding)
    assert desk.bring("plain.json", text).stored == 2
    assert desk.bring("packed.json.gz", gzip.compress(text)).duplicate == 2
    assert desk.ask("SELECT record->>'$.Name' FROM landed_records WHERE record_id = 'a1'") == [("Jörg 李",)]


def test_b12_numbers(desk: Desk) -> None:
    """Numbers keep their digits, however many; NaN and Infinity are no JSON and cost their own record."""
    numbers = [str(2**64), str(10**30), "9" * 5000, "1e400", "-0.0", "0.1000000000000000055511151231257827"]
    records = [json.dumps(audit(f"n{i}", Value="%")).replace('"%"', digits) for i, digits in enumerate(numbers)]
    bad = [json.dumps(audit("bad", Value="%")).replace('"%"', word) for word in ("NaN", "Infinity", "-Infinity")]
    desk.run(desk.write("x.json", lines(*records, *bad)))
    assert balance(desk) == (9, 6, 0, 3)
    kept = [row[0] for row in desk.ask("SELECT record FROM landed_records ORDER BY record_id")]
    assert all(digits in record for digits, record in zip(numbers, kept, strict=True))


@pytest.mark.parametrize(
    ("when", "read"),
    [
        ("0001-01-01T00:00:00Z", None), ("9999-12-31T23:59:59.9999999Z", "9999-12-31 23:59:59.999999+00"),
        ("+10000-01-01T00:00:00Z", None), ("2026-05-04T24:00:00Z", "2026-05-05 00:00:00+00"),
        ("2026-05-04T10:15:60Z", None), ("2026-05-04T10:15:00", "2026-05-04 10:15:00+00"),
        ("2026-02-30T10:15:00Z", None), ("infinity", None), ("epoch", None), ("yesterday", None),
    ],
)  # fmt: skip
def test_b13_dates(desk: Desk, when: str, read: str | None) -> None:
    """A time that cannot be read is NULL and counted; the record stays whole, and no time is made up.

    24:00 of ISO 8601 is the midnight after, where DuckDB reads it; the first day of year 1 is .NET's "no time".
    """
    landed = desk.bring("x.json", lines(call("r1", when, envelope="-"), call("r2")))
    assert (landed.stored, landed.quarantined) == (2, 0)
    ((at, bad),) = desk.ask("SELECT occurred_at::VARCHAR, has_bad_time FROM landed_calls WHERE event_id = 'r1'")
    assert (at, bad) in ((read, read is None), (None, True)), (at, bad)
    assert landed.bad_times == int(at is None)
    assert at == read or when == "2026-05-04T24:00:00Z"


def test_b14_seven_digits(desk: Desk) -> None:
    """Times are cut to microseconds, never rounded, and never tell two records apart: ids do."""
    times = ["2026-05-04T10:15:00.1234567Z", "2026-05-04T10:15:00.1234568Z", "2026-05-04T10:15:00.9999999Z"]
    desk.run(desk.write("x.json", lines(*(call(f"r{i}", when) for i, when in enumerate(times)))))
    assert desk.ask("SELECT occurred_at::VARCHAR FROM landed_calls ORDER BY event_id") == [
        ("2026-05-04 10:15:00.123456+00",), ("2026-05-04 10:15:00.123456+00",), ("2026-05-04 10:15:00.999999+00",),
    ]  # fmt: skip


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_b15_zones(desk: Desk) -> None:
    """Where the auditor's clock stands changes nothing: no zone means UTC, an offset is applied, no hour is lost."""
    times = ["2026-03-29T02:30:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00", "2026-10-25T00:30:00Z"]
    desk.run(desk.write("x.json", lines(*(call(f"r{i}", when) for i, when in enumerate(times)))))
    assert [row[0] for row in desk.ask("SELECT occurred_at::VARCHAR FROM landed_calls ORDER BY event_id")] == [
        "2026-03-29 02:30:00+00", "2026-10-25 00:30:00+00", "2026-10-25 01:30:00+00", "2026-10-25 00:30:00+00",
    ]  # fmt: skip


def row(cells: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def test_b16_csv(desk: Desk) -> None:
    """Every row of a table is accounted for: ragged ones and stray quotes are set aside, the rest is read as it is."""
    good = json.dumps(audit("00123", Name="a\nb"))
    table = [
        row(["RecordId", "AuditData"]),
        row(["00123", good]),
        row(["wrapped", json.dumps(audit("wrapped"), indent=1)]),
        row(["long", json.dumps(audit("long", Name="x" * 200_000))]),
        row(["few"]),
        row(["many", json.dumps(audit("many")), "more"]),
        'stray,"{"broken\n',
        row(["after", json.dumps(audit("after"))]),
    ]
    landed = desk.bring("x.csv", "".join(table))
    assert (landed.records, landed.stored, landed.quarantined) == (7, 4, 3)
    assert [row[0] for row in desk.ask("SELECT record_id FROM landed_records ORDER BY 1")] == [
        "00123", "after", "long", "wrapped",
    ]  # fmt: skip
    assert desk.ask("SELECT length(record->>'$.Name') FROM landed_records WHERE record_id = 'long'") == [(200_000,)]
    assert [row[0] for row in desk.ask("SELECT line FROM quarantine ORDER BY 1")] == [16, 17, 18]


def test_b17_same_file_again(desk: Desk) -> None:
    """The same bytes are known under any name; an edited or longer file adds only what is new in it."""
    records = [call(f"r{number}") for number in range(5)]
    desk.bring("one.json", lines(*records[:3]))
    assert desk.bring("renamed.json", lines(*records[:3])).outcome == "known"
    grown = desk.bring("one.json", lines(*records))
    assert (grown.stored, grown.duplicate) == (2, 3)
    edited = desk.bring("edited.json", lines(call("r0", appId="c0ffee00-0000-4000-8000-000000000002"), *records[1:3]))
    assert (edited.stored, edited.duplicate) == (1, 2)
    versions = "SELECT version, is_newest FROM landed_calls WHERE event_id = 'r0' ORDER BY version"
    assert desk.ask(versions) == [(1, False), (2, True)]


def test_b18_hostile_fields(desk: Desk) -> None:
    """Long and hostile texts are stored whole; what a person is shown of them is cut, marked and harmless."""
    agent = MARK + "U" * 50_000
    desk.run(
        desk.write("s.json", lines(sign_in("s1", userAgent=agent, appDisplayName=agent), '{"id": "' + MARK[:25])),
        desk.write("c.json", lines(call("r1", userAgent=agent, appDisplayName=agent, appId=agent))),
        evaluate=True,
    )
    assert desk.ask("SELECT length(record->>'$.userAgent'), record->>'$.appDisplayName' FROM landed_records") == [
        (len(agent), agent)
    ]
    report = (desk.settings.publish / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in report
    assert "U" * 2000 not in report
    assert "\x1b" not in report
    ((excerpt,),) = desk.ask("SELECT excerpt FROM quarantine")
    assert len(excerpt) < 500
    assert excerpt.isprintable()

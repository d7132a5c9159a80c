"""The ledger of collection in the working database: windows, listings, cursors, and what is told with a landing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pytest
from landed import TENANT, sign_in

from m365audit.model import PreparedFile
from m365audit.store import arrivals, collection, database, landing, self_watch, spool
from m365audit.store.arrivals import Arrival, Landed
from m365audit.store.collection import Closing
from m365audit.store.database import open_store
from m365audit.store.windows import Pull

ZERO: Final = datetime(2026, 9, 1, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
FEEDS: Final = ("audit_teams", "audit_other")
NAME: Final = "audit_general"
WINDOW: Final = (ZERO, ZERO + 4 * HOUR)


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with open_store(tmp_path) as opened:
        yield opened


def end(began: float = 50, *, reason: str | None = None, added: int = 0, hours: tuple[int, int] = (0, 4)) -> Closing:
    window = (ZERO + hours[0] * HOUR, ZERO + hours[1] * HOUR)
    return Closing(TENANT, FEEDS, NAME, Pull(window, ZERO + began * HOUR, reason, "", 3, added, "run-2"))


def known(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int, int, str, str | None]]:
    return [
        (row.feed, (row.begin - ZERO) // HOUR, (row.end - ZERO) // HOUR, row.state, row.reason)
        for row in collection.known_windows(connection, TENANT)
    ]


def open_it(connection: duckdb.DuckDBPyConnection) -> None:
    collection.open_windows(connection, TENANT, feeds=FEEDS, collection=NAME, windows=[WINDOW], run_id="run-1")


def test_every_feed_of_a_collection_has_its_row(connection: duckdb.DuckDBPyConnection) -> None:
    open_it(connection)
    open_it(connection)
    assert known(connection) == [("audit_other", 0, 4, "open", None), ("audit_teams", 0, 4, "open", None)]
    collection.close_windows(connection, [end(hours=(1, 2)), end(hours=(2, 3), reason="throttled")], DAY)
    assert known(connection)[:4] == [
        ("audit_other", 0, 1, "open", None), ("audit_other", 1, 2, "drained", None),
        ("audit_other", 2, 3, "gap", "throttled"), ("audit_other", 3, 4, "open", None),
    ]  # fmt: skip


def test_settled_windows_become_one_row(connection: duckdb.DuckDBPyConnection) -> None:
    hours = [(n, n + 1) for n in range(4)]
    for began in (10, 40):
        collection.close_windows(connection, [end(began, hours=window) for window in hours], DAY)
    assert known(connection) == [("audit_other", 0, 4, "settled", None), ("audit_teams", 0, 4, "settled", None)]


def test_the_ledger_is_per_tenant_feed_and_collection(connection: duckdb.DuckDBPyConnection) -> None:
    open_it(connection)
    for tenant, name in ((TENANT, "audit_queries"), ("2" * 36, NAME)):
        collection.close_windows(connection, [Closing(tenant, FEEDS, name, end().pull)], DAY)
    assert [row[3] for row in known(connection)] == ["open", "open", "drained", "drained"]
    assert len(collection.known_windows(connection)) == 6


def test_a_closing_that_fails_leaves_nothing_of_itself(connection: duckdb.DuckDBPyConnection) -> None:
    open_it(connection)
    before = known(connection)
    bad = Closing(TENANT, FEEDS, NAME, Pull(WINDOW, ZERO + 60 * HOUR, None, "", 2**70, 0, "run-2"))
    with pytest.raises(duckdb.Error):
        collection.close_windows(connection, [end(), bad], DAY)
    assert known(connection) == before
    collection.close_windows(connection, [end()], DAY)


def test_a_listing_has_its_newest_pull(connection: duckdb.DuckDBPyConnection) -> None:
    for closing in (end(5, reason="permission"), end(7), end(6, reason="error")):
        collection.close_listing(connection, closing)
    rows = connection.execute("SELECT feed, is_whole, reason, whole_at FROM collection_listings ORDER BY 1").fetchall()
    assert rows == [(feed, True, None, ZERO + 7 * HOUR) for feed in sorted(FEEDS)]
    collection.close_listing(connection, end(9, reason="throttled"))
    rows = connection.execute("SELECT is_whole, reason, whole_at FROM collection_listings").fetchall()
    assert rows == [(False, "throttled", ZERO + 7 * HOUR)] * 2


def test_cursors_move_on_only(connection: duckdb.DuckDBPyConnection) -> None:
    for size in (10, 30, 20):
        collection.move_cursor(connection, TENANT, "y=2026/PT1H.json", bytes_read=size, hour=ZERO, seen_at=ZERO + DAY)
    assert collection.cursors(connection, TENANT) == {"y=2026/PT1H.json": 30}
    assert collection.cursors(connection, "2" * 36) == {}


def test_an_incident_is_kept_once(connection: duckdb.DuckDBPyConnection) -> None:
    incident = self_watch.Incident(TENANT, "link_refused", ZERO, "was sent away", "users", "https://evil.example")
    for _ in range(2):
        self_watch.note_event(connection, incident)
    rows = connection.execute("SELECT kind, target, occurred_at FROM collection_events").fetchall()
    assert rows == [("link_refused", "https://evil.example", ZERO)]


def test_a_failed_sign_in_forgets_nothing_that_was_known(connection: duckdb.DuckDBPyConnection) -> None:
    self_watch.note_signed_in(
        connection, TENANT, client_id="ABC", roles=["b", "a", "a"], scopes=[], credential_expires_at=ZERO, at=ZERO
    )
    self_watch.note_sign_in_failed(
        connection, TENANT, is_refused=True, code="AADSTS7000222", message="expired", hint="renew", at=ZERO + DAY,
        run_id="run-2",
    )  # fmt: skip
    row = connection.execute("SELECT is_signed_in, client_id, roles, code, signed_in_at FROM sign_in_states").fetchone()
    assert row == (False, "abc", ["a", "b"], "AADSTS7000222", ZERO)
    assert connection.execute("SELECT kind, target FROM collection_events").fetchall() == [
        ("sign_in_failed", "AADSTS7000222")
    ]


def _ready(folder: Path, connection: duckdb.DuckDBPyConnection, records: Sequence[object]) -> landing.Ready:
    with spool.Segment(TENANT, folder, "signIns.ndjson") as segment:
        segment.append([json.dumps(record).encode() for record in records])
        kept = segment.close()
    (number,) = arrivals.next_source_ids(connection, 1)
    arrival = Arrival(
        number, "GET /auditLogs/signIns", TENANT, kept.sha256, kept.size, str(kept.path), imported_at=ZERO + DAY,
        observed_at=ZERO + DAY, has_said_time=True, settle_after=DAY, is_collected=True, run_id="run-1",
        longest_line=segment.longest,
    )  # fmt: skip
    prepared = PreparedFile(
        arrival.path, "sign_ins", enveloped=False, ndjson=str(kept.path), is_temporary=False, records=None
    )
    return landing.Ready(arrival, prepared)


def test_a_window_is_closed_with_its_last_records_or_not_at_all(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    open_it(connection)
    told: list[int] = []

    def close(landed: Sequence[Landed]) -> None:
        told.append(sum(one.stored for one in landed))
        collection.close_window(connection, end(added=told[-1]), DAY)
        if len(told) == 1:
            raise KeyboardInterrupt

    ready = _ready(tmp_path, connection, [sign_in("a"), sign_in("b")])
    with pytest.raises(KeyboardInterrupt):
        landing.land(connection, [ready], is_careful=False, also=close)
    assert connection.execute("SELECT count(*) FROM landed_records").fetchone() == (0,)
    assert {row[3] for row in known(connection)} == {"open"}

    landing.land(connection, [ready], is_careful=False, also=close)
    assert told == [2, 2]
    assert connection.execute("SELECT count(*) FROM landed_records").fetchone() == (2,)
    assert {row[3] for row in known(connection)} == {"drained"}
    assert connection.execute("SELECT origin, run_id FROM sources").fetchall() == [("graph", "run-1")]
    assert connection.execute("SELECT count(*) FROM coverage_windows").fetchone() == (0,)


def test_a_kill_leaves_the_windows_that_were_not_closed_open(tmp_path: Path) -> None:
    with open_store(tmp_path) as connection:
        open_it(connection)
        connection.execute("BEGIN")
        collection.close_window(connection, end(), DAY)
    with open_store(tmp_path) as connection:
        assert {row[3] for row in known(connection)} == {"open"}


def test_a_segment_is_kept_as_lines_under_its_hash(tmp_path: Path) -> None:
    with spool.Segment(TENANT, tmp_path, "../sign ins.ndjson") as segment:
        segment.append([b'{"id":1}', b'{"id":22}'])
        segment.append([])
        segment.append([b"{}"])
        kept = segment.close()
        assert (segment.records, segment.size, segment.longest) == (3, kept.size, 9)
    data = b'{"id":1}\n{"id":22}\n{}\n'
    assert kept.path.read_bytes() == data
    assert (kept.sha256, kept.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert kept.path.parent.parent.parent == tmp_path / "spool" / TENANT
    assert kept.path.stat().st_mode & 0o077 == 0


def test_a_segment_that_is_left_or_killed_leaves_nothing(tmp_path: Path) -> None:
    def half() -> None:
        with spool.Segment(TENANT, tmp_path, "a") as segment:
            segment.append([b"{}"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    (tmp_path / "spool" / TENANT / "arriving-1-killed").write_bytes(b"{}")
    spool.clear_leftovers(tmp_path)
    assert not [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]


def test_an_empty_listing_and_a_cut_one_are_told_apart(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ready = _ready(tmp_path, connection, [])
    empty = replace(ready, prepared=replace(ready.prepared, kind="app_role_assignments"))
    landing.land(connection, [empty], is_careful=False)
    cut = _ready(tmp_path, connection, [{"id": "u"}])
    cut = replace(cut, prepared=replace(cut.prepared, kind="users", has_next_page=True))
    landing.land(connection, [cut], is_careful=False)
    rows = connection.execute("SELECT kind, records, has_next_page FROM sources ORDER BY source_id").fetchall()
    assert rows == [("app_role_assignments", 0, False), ("users", 1, True)]


def test_landing_needs_little_memory(connection: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    wide = {f"field {number}": "x" * 60 for number in range(32)}
    records = [sign_in(f"{number:08d}", deviceDetail=wide) for number in range(6_000)]
    ready = _ready(tmp_path, connection, records)
    with database.frugal(connection):
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)
        (landed,) = landing.land(connection, [ready], is_careful=False)
    assert landed.stored == len(records)
    assert connection.execute("SELECT current_setting('memory_limit')").fetchone() != ("143.0 MiB",)

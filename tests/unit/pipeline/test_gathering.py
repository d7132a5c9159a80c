"""Events of a collection → the store: what is landed, what the ledger says, and what the run's account says of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from endtoend.audited import Quiet

from m365audit.config import LoadedPolicy, Policy, Settings, TenantSettings
from m365audit.graph import COLLECTIONS, Ended, Event, LinkRefused, Page, Planned, SignedIn, SignInFailed, Task, Window
from m365audit.pipeline import spooling
from m365audit.pipeline.gathering import Gatherer
from m365audit.pipeline.spooling import Spooler
from m365audit.pipeline.values import Collected, Work
from m365audit.store import landing
from m365audit.store.database import frugal, open_store
from m365audit.store.landing import UnreadableRecordsError

TENANT = "11111111-1111-4111-8111-111111111111"
DAY = Window(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC))
NOW = datetime(2026, 9, 2, 6, tzinfo=UTC)
AUDITS = "directory_audits"


@dataclass
class Desk:
    """A store and a gatherer before it."""

    connection: duckdb.DuckDBPyConnection
    work: Work
    gatherer: Gatherer

    def take(self, *events: Event) -> Collected:
        """Let the events happen, and nothing after them."""
        with closing(Spooler(self.work.settings.state)) as spooler:
            for event in events:
                for kept in spooler.keep(event):
                    self.gatherer.take(kept)
            self.gatherer.finish()
        return self.gatherer.tenants[TENANT]

    def stored(self) -> list[str]:
        """Return the ids that the store holds, newest versions only."""
        rows = self.connection.execute("SELECT record_id FROM landed_records WHERE is_newest ORDER BY ALL").fetchall()
        return [row[0] for row in rows]

    def ledger(self) -> list[tuple[Any, ...]]:
        """Return what the ledger of windows holds."""
        return self.connection.execute(
            "SELECT feed, hour(covered_from), state, reason, records, added_last FROM collection_windows ORDER BY ALL"
        ).fetchall()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with _desk(tmp_path) as made:
        yield made


@contextmanager
def _desk(folder: Path) -> Iterator[Desk]:
    tenant = TenantSettings(id=TENANT, name="Contoso")
    settings = Settings(state=folder / "state", publish=folder / "publish", tenants=(tenant,))
    with open_store(settings.state) as connection:
        work = Work(connection, settings, LoadedPolicy(Policy(), ()), Quiet())
        yield Desk(connection, work, Gatherer(work, "run-000001", [tenant], COLLECTIONS))


def _audit(number: int, **more: object) -> bytes:
    record = {"id": f"a{number:03}", "activityDateTime": f"2026-09-01T{number % 24:02}:00:00Z", **more}
    return json.dumps(record).encode()


def _begin(*tasks: Task, collection: str = AUDITS, feeds: Sequence[str] = (AUDITS,)) -> list[Event]:
    signed_in = SignedIn(TENANT, "c", ("graph/AuditLog.Read.All",), (), None, NOW)
    return [signed_in, Planned(TENANT, collection, tuple(feeds), tasks)]


def _task(number: int = 1, window: Window | None = DAY, collection: str = AUDITS) -> Task:
    return Task(number, TENANT, collection, window)


def _ended(task: Task, reason: Any = None, window: Window | None = DAY, at: datetime = NOW) -> Ended:
    return Ended(task, window if task.window else None, reason, "because" if reason else "", at)


def test_a_window_is_drained_with_its_last_record(desk: Desk) -> None:
    task = _task()
    seen = desk.take(*_begin(task), Page(task, [_audit(1), _audit(2)]), Page(task, [_audit(3)]), _ended(task))
    assert desk.stored() == ["a001", "a002", "a003"]
    assert desk.ledger() == [(AUDITS, 0, "drained", None, 3, 3)]
    account = seen.collections[AUDITS]
    assert (account.records, account.stored, account.duplicate, account.quarantined) == (3, 3, 0, 0)
    assert not seen.is_partial


def test_an_open_window_stays_open_until_something_ends_it(desk: Desk) -> None:
    task = _task()
    desk.take(*_begin(task), Page(task, [_audit(1)]))
    assert desk.stored() == []  # what never ended is read again: nothing of it counts
    assert [row[2] for row in desk.ledger()] == ["open"]


def test_an_empty_window_is_known_to_be_empty(desk: Desk) -> None:
    task = _task()
    desk.take(*_begin(task), _ended(task))
    assert desk.ledger() == [(AUDITS, 0, "drained", None, 0, 0)]


def test_what_was_read_before_a_failure_is_kept_and_the_window_is_a_gap(desk: Desk) -> None:
    task = _task()
    seen = desk.take(*_begin(task), Page(task, [_audit(1)]), _ended(task, "throttled"))
    assert desk.stored() == ["a001"]
    assert [(row[2], row[3]) for row in desk.ledger()] == [("gap", "throttled")]
    (unseen,) = seen.collections[AUDITS].unseen
    assert (unseen.begin, unseen.end, unseen.reason, unseen.detail) == (DAY.begin, DAY.end, "throttled", "because")
    assert seen.is_partial


def test_halves_are_closed_each_by_itself(desk: Desk) -> None:
    task, noon = _task(), DAY.begin + timedelta(hours=12)
    first, second = Window(DAY.begin, noon), Window(noon, DAY.end)
    desk.take(
        *_begin(task),
        Page(task, [_audit(1)]), _ended(task, window=first),
        Page(task, [_audit(13)]), _ended(task, "error", window=second),
    )  # fmt: skip
    assert [row[1:4] for row in desk.ledger()] == [(0, "drained", None), (12, "gap", "error")]
    assert desk.ledger()[0][4] == 1


def test_a_second_pull_that_adds_nothing_settles_and_one_that_adds_does_not(desk: Desk, tmp_path: Path) -> None:
    task = _task()
    desk.take(*_begin(task), Page(task, [_audit(1)]), _ended(task))
    late = NOW + timedelta(hours=25)
    desk.take(*_begin(task), Page(task, [_audit(1), _audit(2)]), _ended(task, at=late))
    assert [(row[2], row[5]) for row in desk.ledger()] == [("drained", 1)]
    desk.take(*_begin(task), Page(task, [_audit(1), _audit(2)]), _ended(task, at=late + timedelta(hours=25)))
    assert [(row[2], row[5]) for row in desk.ledger()] == [("settled", 0)]
    assert tmp_path.exists()


def test_records_that_came_before_several_ends_count_for_all_of_these(desk: Desk) -> None:
    """Content comes first, and then what its window fell into: whose it was nobody can tell, so nothing is at rest."""
    task, noon = _task(), DAY.begin + timedelta(hours=12)
    first, second = Window(DAY.begin, noon), Window(noon, DAY.end)
    late = NOW + timedelta(hours=25)
    for page, at in (([_audit(13)], NOW), ([_audit(13), _audit(14)], late)):
        desk.take(
            *_begin(task), Page(task, page), _ended(task, "expired", window=first, at=at),
            _ended(task, window=second, at=at),
        )  # fmt: skip
    assert [row[1:4] for row in desk.ledger()] == [(0, "gap", "expired"), (12, "drained", None)]


def test_what_could_not_be_landed_before_several_ends_is_missing_from_all_of_these(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise UnreadableRecordsError("nobody can read it")

    monkeypatch.setattr(landing, "land", refuse)
    task, noon = _task(), DAY.begin + timedelta(hours=12)
    first, second = Window(DAY.begin, noon), Window(noon, DAY.end)
    desk.take(*_begin(task), Page(task, [_audit(1)]), _ended(task, window=first), _ended(task, window=second))
    assert {row[2:4] for row in desk.ledger()} == {("gap", "error")}


def test_a_full_segment_counts_for_the_window_that_it_is_of(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last segment of a pull may bring nothing new while an earlier one did: that pull added something."""
    task = _task()
    desk.take(*_begin(task), Page(task, [_audit(2)]), _ended(task))
    monkeypatch.setattr(spooling, "_SEGMENT", 1)
    late = NOW + timedelta(hours=25)
    desk.take(*_begin(task), Page(task, [_audit(1)]), Page(task, [_audit(2)]), _ended(task, at=late))
    assert [(row[2], row[4], row[5]) for row in desk.ledger()] == [("drained", 2, 1)]


def test_a_record_that_cannot_be_stored_is_set_aside_and_counted(desk: Desk) -> None:
    task = _task()
    twice = b'{"id": "a009", "id": "a010", "activityDateTime": "2026-09-01T01:00:00Z"}'
    seen = desk.take(*_begin(task), Page(task, [_audit(1), twice, b'{"activityDateTime": "x"}']), _ended(task))
    account = seen.collections[AUDITS]
    assert (account.records, account.stored, account.quarantined) == (3, 1, 2)
    assert seen.is_partial
    assert desk.stored() == ["a001"]


def test_a_listing_that_was_cut_is_no_whole_listing(desk: Desk) -> None:
    task = _task(window=None, collection="users")
    begin = _begin(task, collection="users", feeds=("users",))
    desk.take(*begin, Page(task, [b'{"id": "u1", "userPrincipalName": "a@b.c"}']), _ended(task, "error"))
    assert desk.connection.execute("SELECT has_next_page FROM sources").fetchall() == [(True,)]
    assert desk.connection.execute("SELECT is_whole, reason FROM collection_listings").fetchall() == [(False, "error")]


def test_an_empty_listing_says_that_nothing_is_there(desk: Desk) -> None:
    task = _task(window=None, collection="delegated_permission_grants")
    desk.take(*_begin(task, collection=task.collection, feeds=(task.collection,)), _ended(task))
    assert desk.connection.execute("SELECT kind, records, outcome FROM sources").fetchall() == [
        ("delegated_permission_grants", 0, "imported")
    ]
    assert desk.connection.execute("SELECT is_whole FROM collection_listings").fetchall() == [(True,)]


def test_what_is_lost_for_ever_is_a_gap_at_once(desk: Desk) -> None:
    desk.take(Planned(TENANT, AUDITS, (AUDITS,), (), ((DAY, "expired", "gone"),)))
    assert [(row[2], row[3]) for row in desk.ledger()] == [("gap", "expired")]
    assert desk.gatherer.tenants[TENANT].collections[AUDITS].unseen[0].reason == "expired"


def test_refusals_are_told_and_kept(desk: Desk) -> None:
    seen = desk.take(
        LinkRefused(TENANT, AUDITS, "next_link", "https://evil.example", NOW),
        SignInFailed(TENANT, True, "AADSTS7000222", "the secret has expired", "make a new one", NOW),  # noqa: FBT003
    )
    assert (seen.refusal, seen.refused_links) == ("the secret has expired; make a new one", 1)
    kinds = desk.connection.execute("SELECT kind, target FROM collection_events ORDER BY ALL").fetchall()
    assert ("link_refused", "https://evil.example") in kinds


def test_growing_files_are_read_on_from_where_they_were_landed(desk: Desk) -> None:
    task = _task(collection="graph_activity")
    line = json.dumps({"time": "2026-09-01T01:00:00Z", "category": "MicrosoftGraphActivityLogs", "properties": {
        "requestId": "r1", "requestUri": "https://graph.microsoft.com/v1.0/users", "requestMethod": "GET",
        "appId": "aaaaaaaa-0000-4000-8000-000000000001", "responseStatusCode": 200}}).encode()  # fmt: skip
    hour = DAY.begin + timedelta(hours=1)
    page = Page(task, [line], enveloped=True, source="b1", covered_hour=hour, next_cursor=("b1", 100))
    desk.take(*_begin(task, collection="graph_activity", feeds=("graph_activity",)), page, _ended(task))
    assert desk.connection.execute("SELECT blob, bytes_read FROM blob_cursors").fetchall() == [("b1", 100)]
    assert desk.connection.execute("SELECT count(*) FROM landed_calls").fetchall() == [(1,)]
    assert desk.connection.execute("SELECT count(*) FROM coverage_windows").fetchall() == [(0,)]


def test_records_that_are_too_long_for_little_memory_are_landed_with_more(desk: Desk) -> None:
    """One tenant's huge records end nobody's run."""
    task = _task()
    huge = [_audit(number, note="x" * (12 << 20)) for number in range(4)]
    with frugal(desk.connection):
        little = desk.connection.execute("SELECT current_setting('memory_limit')").fetchone()
        seen = desk.take(*_begin(task), Page(task, huge[:2]), Page(task, huge[2:]), _ended(task))
        limit = desk.connection.execute("SELECT current_setting('memory_limit')").fetchone()
    assert limit == little
    assert len(desk.stored()) == 4
    assert not seen.is_partial

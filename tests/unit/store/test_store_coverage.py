"""What a file proves of coverage: its hour, the extent of its events, the window that a user vouches for."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from landed import TENANT, Desk, audit, call, group_page

from m365audit.pipeline import Import

HOUR = "insights/y=2026/m=05/d=04/h=10/m=00/PT1H.json"
GROWING, SETTLED = "2026-05-04T10:59:00Z", "2026-06-04T10:00:00Z"
WINDOWS = "SELECT feed, covered_from::VARCHAR, covered_to::VARCHAR, state, reason FROM coverage_windows ORDER BY ALL"
ITS_HOUR = ("graph_activity", "2026-05-04 10:00:00+00", "2026-05-04 11:00:00+00")
WINDOW = (datetime.fromisoformat("2026-05-01T00:00:00Z"), datetime.fromisoformat("2026-06-01T00:00:00Z"))


@pytest.mark.parametrize(
    ("at", "said"), [(SETTLED, ("complete", "settled_hour")), (GROWING, ("provisional", "hour_may_still_grow"))]
)
def test_a_storage_file_covers_its_hour(desk: Desk, at: str, said: tuple[str, str]) -> None:
    desk.bring(HOUR, [call("1")], at=at)
    assert desk.ask(WINDOWS) == [(*ITS_HOUR, *said)]


def test_any_other_file_covers_the_extent_of_its_events(desk: Desk) -> None:
    desk.bring("a.json", [call("1", "2026-05-04T10:15:00Z"), call("2", "2026-05-04T10:45:00Z"), call("3", "never")])
    assert desk.ask(WINDOWS) == [
        ("graph_activity", "2026-05-04 10:15:00+00", "2026-05-04 10:45:00.000001+00", "provisional", "extent_of_file")
    ]


def test_known_records_cover_as_well_as_new_ones(desk: Desk) -> None:
    desk.bring("a.json", [call("1")])
    desk.bring(HOUR, [call("1", envelope="2026-05-04T10:20:00Z")], at=SETTLED)
    assert (*ITS_HOUR, "complete", "settled_hour") in desk.ask(WINDOWS)


def test_a_file_that_ends_early_proves_no_hour(desk: Desk) -> None:
    text = '{"value": [' + ",".join(map(json.dumps, [call("1"), call("2")]))
    landed = desk.bring(HOUR, text, at=SETTLED)
    assert landed.outcome == "partial"
    assert [row[3:] for row in desk.ask(WINDOWS)] == [("provisional", "file_ends_early")]


def test_the_same_bytes_seen_after_the_hour_has_settled_complete_it(desk: Desk) -> None:
    desk.bring(HOUR, [call("1")], at=GROWING)
    later = desk.bring(HOUR, [call("1")], at=SETTLED)
    assert (later.stored, later.duplicate, later.outcome) == (0, 1, "imported")
    assert (*ITS_HOUR, "complete", "settled_hour") in desk.ask(WINDOWS)
    rows = desk.ask(WINDOWS)
    assert desk.bring(HOUR, [call("1")], at=SETTLED).outcome == "known"
    assert desk.bring(HOUR, [call("1")], at=GROWING).outcome == "known"
    assert desk.ask(WINDOWS) == rows


def test_the_path_that_names_the_hour_counts_whichever_comes_first(tmp_path: Path) -> None:
    seen = []
    for number, names in enumerate((("a.json", HOUR), (HOUR, "a.json"))):
        desk = Desk(tmp_path / str(number))
        for name in names:
            desk.bring(name, [call("1")], at=SETTLED)
        seen.append((*ITS_HOUR, "complete", "settled_hour") in desk.ask(WINDOWS))
    assert seen == [True, True]


@pytest.mark.parametrize("is_known", [False, True])
def test_a_window_that_the_user_vouches_for_is_complete(desk: Desk, *, is_known: bool) -> None:
    path = desk.write("a.json", [call("1")])
    if is_known:
        desk.run(path)
    desk.run(Import(path, TENANT, window=WINDOW))
    declared = ("graph_activity", "2026-05-01 00:00:00+00", "2026-06-01 00:00:00+00", "complete", "declared_window")
    assert declared in desk.ask(WINDOWS)
    (again,) = desk.run(Import(path, TENANT, window=WINDOW)).landed
    assert again.outcome == "known"


def test_an_empty_file_of_a_named_kind_covers_the_window(desk: Desk) -> None:
    empty = desk.write("a.json", "[]")
    desk.run(Import(empty, TENANT, kind="graph_activity", window=WINDOW))
    assert [(row[0], row[4]) for row in desk.ask(WINDOWS)] == [("graph_activity", "declared_window")]


def test_a_mixed_audit_file_covers_each_feed_of_its_own(desk: Desk) -> None:
    desk.bring("a.json", [audit("1"), audit("2", Workload="MicrosoftTeams", RecordType=25)])
    assert [row[0] for row in desk.ask(WINDOWS)] == ["audit_exchange", "audit_teams"]


def test_listings_are_covered_by_being_seen(desk: Desk) -> None:
    desk.judge(desk.write("groups.json", group_page([])), desk.write("a.json", [call("1")]))
    assert [row[0] for row in desk.ask(WINDOWS)] == ["graph_activity"]
    assert desk.published("SELECT state, reason FROM coverage WHERE feed = 'groups'") == [("complete", "snapshot")]


def test_an_empty_listing_is_an_observation(desk: Desk) -> None:
    page = '{"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals", "value": []}'
    desk.judge(desk.write("sp.json", page))
    assert desk.published("SELECT state, records FROM coverage WHERE feed = 'service_principals'") == [("complete", 0)]

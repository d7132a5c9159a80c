"""In = stored + duplicate + quarantined, for every file; what cannot be stored is named with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from landed import APP, TENANT, USER, Desk, Json, audit, call, envelope, group_page, sign_in

from m365audit.pipeline import Import

# Every ``desk.bring`` checks that the file's account adds up.

ORDERS = [(0, 1, 2), (2, 1, 0), (1, 2, 0)]

DIRECTORY_AUDIT: Json = {
    "id": "d1", "activityDisplayName": "Consent to application", "activityDateTime": "2026-05-04T10:00:00Z",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "records", "table"),
    [
        ("calls", [call("1"), call("2"), call("1"), call(None)], "landed_calls"),
        ("plain calls", [call(i)["properties"] for i in ("1", "2", "1", None)], "landed_calls"),
        ("audit", [audit("1"), audit("2"), audit("1"), audit(None)], "landed_records"),
        ("sign-ins", [sign_in("1"), sign_in("2"), sign_in("1"), sign_in(None)], "landed_records"),
        (
            "directory",
            [DIRECTORY_AUDIT, {**DIRECTORY_AUDIT, "id": "d2"}, DIRECTORY_AUDIT, {**DIRECTORY_AUDIT, "id": ""}],
            "landed_records",
        ),
    ],
)
def test_every_record_of_a_file_is_accounted_for(desk: Desk, name: str, records: list[Json], table: str) -> None:
    landed = desk.bring(f"{name}.json", records)
    assert (landed.records, landed.stored, landed.duplicate, landed.quarantined) == (4, 2, 1, 1)
    assert landed.outcome == "partial"
    assert desk.ask(f"SELECT count(*) FROM {table}") == [(2,)]  # noqa: S608
    assert desk.ask("SELECT count(*) FROM landed_calls WHERE version < 1") == [(0,)]


MIXED = {
    "call": call("c1"),
    "sign-in": envelope("SignInLogs", sign_in("s1")),
    "non-interactive": envelope("NonInteractiveUserSignInLogs", sign_in("s2")),
    "service principal": envelope("servicePrincipalSignInLogs", sign_in("s3")),
    "managed identity": envelope("MANAGEDIDENTITYSIGNINLOGS", sign_in("s4")),
    "directory audit": envelope("AuditLogs", DIRECTORY_AUDIT),
    "the audit's own category": envelope("ApplicationManagement", {**DIRECTORY_AUDIT, "id": "d2"}),
    "no category": envelope(None, {**DIRECTORY_AUDIT, "id": "d3"}),
    "call of another category": envelope("Odd", call("c2")["properties"]),
    "audit that looks like a call": envelope("AuditLogs", {**DIRECTORY_AUDIT, "id": "d4", "requestUri": "https://x/y",
                                                           "requestId": "c9"}),
    "other log": envelope("RiskyUsers", {"id": "r1"}),
    "other log, null address": envelope("RiskyUsers", {"id": "r2", "requestUri": None}),
    "call without id": call(" \t "),
    "audit without id": envelope("AuditLogs", {**DIRECTORY_AUDIT, "id": None}),
    "category that is no text": envelope({"a": 1}, {"id": "x"}),
}  # fmt: skip


@pytest.mark.parametrize("first", ["call", "sign-in", "directory audit"])
def test_a_file_of_mixed_categories_loses_and_doubles_nothing(desk: Desk, first: str) -> None:
    records = [MIXED[first], *(record for name, record in MIXED.items() if name != first)]
    landed = desk.bring("mixed.json", records)
    assert (landed.records, landed.stored, landed.duplicate, landed.quarantined) == (15, 10, 0, 5)
    assert desk.ask("SELECT event_id FROM landed_calls ORDER BY 1") == [("c1",), ("c2",)]
    assert desk.ask("SELECT feed, list_sort(list(record_id)) FROM landed_records GROUP BY ALL ORDER BY 1") == [
        ("directory_audits", ["d1", "d2", "d3", "d4"]),
        ("sign_ins_interactive", ["s1"]),
        ("sign_ins_managed_identity", ["s4"]),
        ("sign_ins_non_interactive", ["s2"]),
        ("sign_ins_service_principal", ["s3"]),
    ]
    again = desk.bring("mixed-again.json", [*records, call("c3")])
    assert (again.stored, again.duplicate, again.quarantined) == (1, 10, 5)


def test_what_has_no_id_is_named_with_record_line_and_offset(desk: Desk) -> None:
    lines = [json.dumps(call(i)) for i in ("1", "", "3", None)]
    desk.bring("a.json", "\n".join([lines[0], "", *lines[1:]]) + "\n")
    offset = len(lines[0]) + 2
    rows = desk.ask("SELECT record, line, byte_offset, reason, excerpt FROM quarantine ORDER BY record")
    assert [row[:3] for row in rows] == [(2, 3, offset), (4, 5, offset + len(lines[1]) + 1 + len(lines[2]) + 1)]
    assert all("has no 'requestId'" in row[3] and len(row[4]) <= 200 for row in rows)


def test_a_key_that_stands_twice_costs_its_record_and_no_other(desk: Desk) -> None:
    for number, good in enumerate((call("1"), audit("1"), sign_in("1"))):
        name = "appId" if number != 1 else "Operation"
        bad = json.dumps(good).replace(f'"{name}"', f'"{name}": "zz", "{name}"', 1)
        landed = desk.bring(f"{number}.json", f"{json.dumps(good)}\n{bad}\n")
        assert (landed.stored, landed.quarantined) == (1, 1), name
    assert {row[0] for row in desk.ask("SELECT line FROM quarantine")} == {2}


def test_ids_that_differ_in_case_or_type_are_different(desk: Desk) -> None:
    assert desk.bring("a.json", [call("aB"), call("ab"), call(5)]).stored == 3
    assert desk.ask("SELECT event_id FROM landed_calls ORDER BY 1") == [("5",), ("aB",), ("ab",)]
    listing = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#oauth2PermissionGrants"}
    grants = [{"id": i, "clientId": "c", "consentType": "AllPrincipals", "scope": "x"} for i in ("Aa", "aA")]
    assert desk.bring("g.json", json.dumps({**listing, "value": grants})).stored == 2


TIMES: dict[str, str | None] = {
    "2026-05-04T10:15:00.1234567Z": "2026-05-04 10:15:00.123456",
    "2026-05-04T10:15:00.9999999Z": "2026-05-04 10:15:00.999999",
    "2026-05-04T10:15:00": "2026-05-04 10:15:00",
    "2026-05-04 10:15:00": "2026-05-04 10:15:00",
    "2026-05-04T10:15:00+2:00": "2026-05-04 08:15:00",
    "2026-05-04T10:15:00-05:30": "2026-05-04 15:45:00",
    "5/18/2021 9:13:33 PM": "2021-05-18 21:13:33",
    "5/18/2021 21:13:33": "2021-05-18 21:13:33",
    "/Date(1621372413000)/": "2021-05-18 21:13:33",
    "2026-05-04T24:00:00Z": "2026-05-05 00:00:00",
    "9999-12-31T23:59:59.9999999Z": "9999-12-31 23:59:59.999999",
    " 2026-05-04T10:15:00Z ": "2026-05-04 10:15:00",
    "0001-01-01T00:00:00Z": None,
    "10000-01-01T00:00:00Z": None,
    "0000-12-31T00:00:00Z": None,
    "9999-12-31T23:59:59-02:00": None,
    "/Date(9223372036854775807)/": None,
    "/Date(-9223372036854775808)/": None,
    "/Date(999999999999999)/": None,
    "/Date(x)/": None,
    "infinity": None,
    "-infinity": None,
    "epoch": None,
    "now": None,
    "today": None,
    "2026-02-30T10:00:00Z": None,
    "2026-05-04T10:15:61Z": None,
    "1": None,
    "yesterday; DROP TABLE sources": None,
}


@pytest.mark.parametrize("kind", ["calls", "audit"])
def test_times_are_read_truncated_or_counted_as_bad_and_cost_no_file(desk: Desk, kind: str) -> None:
    make = call if kind == "calls" else audit
    landed = desk.bring("a.json", [make(str(n), when) for n, when in enumerate(TIMES)])
    table, name = ("landed_calls", "event_id") if kind == "calls" else ("landed_records", "record_id")
    rows = desk.ask(f"SELECT {name}::INTEGER, occurred_at::VARCHAR, has_bad_time FROM {table} ORDER BY 1")  # noqa: S608
    read = {list(TIMES)[number]: (time, is_bad) for number, time, is_bad in rows}
    assert read == {text: (f"{want}+00" if want else None, want is None) for text, want in TIMES.items()}
    assert landed.bad_times == sum(want is None for want in TIMES.values())


def test_no_time_at_all_is_unknown_and_not_bad(desk: Desk) -> None:
    assert (
        desk.bring("a.json", [audit("1", ""), {k: v for k, v in audit("2").items() if k != "CreationTime"}]).bad_times
        == 0
    )
    assert desk.ask("SELECT count(occurred_at) FROM landed_records") == [(0,)]


def test_the_envelope_stands_in_for_a_call_without_a_time(desk: Desk) -> None:
    desk.bring("a.json", [call("1", None, envelope="2026-05-04T11:00:00.1234567Z")])
    assert desk.ask("SELECT occurred_at::VARCHAR FROM landed_calls") == [("2026-05-04 11:00:00.123456+00",)]


def test_values_of_a_query_are_never_stored(desk: Desk) -> None:
    private = "topsecretpatient"
    uris = [
        f"https://graph.microsoft.com/v1.0/users/{USER}/messages?$search=%22{private}%22",
        f"https://graph.microsoft.com/v1.0/me/messages?$filter=subject eq '{private}'&$top=1",
        f"https://graph.microsoft.com/v1.0/users/{USER}/messages/microsoft.graph.delta(token='{private}')",
        f"/v1.0/me/drive/root/search(q='{private}')",
        f"https://graph.microsoft.com/v1.0/me/messages#{private}",
    ]
    landed = desk.bring("a.json", [call(str(n), requestUri=uri) for n, uri in enumerate(uris)])
    assert landed.stored == len(uris)
    (text,) = desk.ask("SELECT string_agg(landed_forms::VARCHAR, ' ') FROM landed_forms")[0]
    assert private not in text


@pytest.mark.parametrize(
    "odd",
    [
        {"requestUri": {"a": 1}}, {"requestMethod": 5}, {"responseStatusCode": "teapot"}, {"appId": ["x"]},
        {"roles": ["Mail.Read"]}, {"ipAddress": "\x1b[31m"}, {"userAgent": "x" * 50_000}, {"requestUri": "%%%?%"},
        {"requestUri": "/" * 5000}, {"timeGenerated": {"a": 1}}, {"appId": "\ud800"},
    ],
)  # fmt: skip
def test_an_odd_value_costs_at_most_its_own_record(desk: Desk, odd: dict[str, Any]) -> None:
    landed = desk.bring("a.json", [call("1"), call("2", **odd), call("3")])
    assert landed.stored + landed.quarantined == 3
    assert landed.stored >= 2


def test_numbers_longer_than_python_takes_cost_nothing(desk: Desk) -> None:
    desk.bring("a.json", [audit("1", n=1)])
    long = json.dumps(audit("1", n=2))[:-1] + ', "m": ' + "9" * 5000 + "}"
    landed = desk.bring("b.json", f"{long}\n{json.dumps(audit(None))}\n{long.replace('9' * 5000, '9' * 4999 + '8')}\n")
    assert (landed.stored, landed.quarantined) == (2, 1)  # two versions: their last digits differ


def test_the_same_bytes_twice_in_one_run_are_read_once(desk: Desk) -> None:
    lines = [call("1"), call("2")]
    first, second = desk.run(*(desk.write(f"{folder}/PT1H.json", lines) for folder in "xy")).landed
    assert (first.records, first.stored) == (2, 2)
    assert (second.records, second.duplicate, second.outcome) == (2, 2, "known")


def test_an_unreadable_path_among_good_ones_is_refused_alone(desk: Desk) -> None:
    good = desk.write("a.json", [call("1")])
    landed = desk.run(desk.folder / "gone.json", good, desk.write("b.json", b"PK\x03\x04 junk")).landed
    assert sorted(file.outcome for file in landed) == ["imported", "refused", "refused"]
    assert desk.ask("SELECT count(*) FROM sources WHERE outcome = 'refused'") == [(2,)]
    assert all(file.message for file in landed if file.outcome == "refused")


def test_the_ledger_of_files_says_what_the_command_said(desk: Desk) -> None:
    landed = desk.bring("a.json", [call("1"), call("1"), call(None), call("2", "never")])
    rows = desk.ask("SELECT tenant_id, records, stored, duplicate, quarantined, bad_times, outcome FROM sources")
    assert rows == [(TENANT, 4, 2, 1, 1, 1, "partial")]
    assert (landed.stored, landed.bad_times) == (2, 1)
    assert desk.ask("SELECT DISTINCT app_id FROM landed_forms") == [(APP,)]


@pytest.mark.parametrize("order", ORDERS)
def test_equal_listings_are_one_observation_at_their_oldest_time(desk: Desk, order: tuple[int, ...]) -> None:
    times = [f"2026-05-0{day}T12:00:00Z" for day in (4, 5, 6)]
    for number in order:
        desk.run(desk.write(f"groups-{number}.json", group_page([USER]), at=times[number]))
    assert desk.ask("SELECT observed_at::VARCHAR FROM sources") == [("2026-05-04 12:00:00+00",)]


@pytest.mark.parametrize("order", ORDERS)
def test_a_time_that_the_user_says_replaces_the_files_own(desk: Desk, order: tuple[int, ...]) -> None:
    page = desk.write("groups.json", group_page([USER]), at="2026-05-01T12:00:00Z")
    said = [None, datetime(2026, 5, 4, tzinfo=UTC), datetime(2026, 5, 5, tzinfo=UTC)]
    for _ in range(2):
        desk.run(*(Import(page, TENANT, observed_at=said[number]) for number in order))
    rows = desk.ask("SELECT observed_at::VARCHAR FROM sources ORDER BY 1")
    assert rows == [("2026-05-04 00:00:00+00",), ("2026-05-05 00:00:00+00",)]


def test_many_quarantined_records_are_loaded_as_one_set_whichever_room_noted_them(desk: Desk) -> None:
    lines = [json.dumps(call(f"r{number}" if number % 3 else None)) for number in range(20_001)]
    landed = desk.bring("many.json", "\n{oops\n".join(lines) + "\n")
    assert (landed.records, landed.stored, landed.quarantined) == (40_001, 13_334, 26_667)
    assert desk.ask("SELECT count(*), count(DISTINCT record), min(record), max(record) FROM quarantine") == [
        (26_667, 26_667, 1, 40_000)
    ]
    odd = "SELECT count(*) FROM quarantine WHERE (record % 2 = 0) <> (reason LIKE 'not valid JSON%')"
    assert desk.ask(odd) == [(0,)]
    assert landed.message.startswith("record 2, line 2, byte ")

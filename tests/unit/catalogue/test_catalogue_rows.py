"""The catalogue's rows keep the house's vocabularies, and its answers on permissions are the documented ones."""

from __future__ import annotations

import duckdb
import pytest

from m365audit import catalogue
from m365audit.model import LOG_FEEDS, OPERATIONS, WORKLOADS

GRAPH = "00000003-0000-0000-c000-000000000000"
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
RESOURCE_KINDS = {None, "user", "group", "team", "chat"}


def allowed(method: str, shape: str, kind: str) -> set[str]:
    (row,) = catalogue.match_shapes([(method, shape)])
    return set(row[f"permissions_{kind}"] or ())


def test_endpoints_speak_the_vocabulary() -> None:
    rows = list(catalogue.endpoint_rows())
    assert {row["workload"] for row in rows} <= {*WORKLOADS, "other", None}
    assert {row["operation"] for row in rows} <= set(OPERATIONS)
    assert {row["resource_kind"] for row in rows} <= RESOURCE_KINDS
    assert all(row["resource_kind"] for row in rows if row["resource_segment"] is not None)
    assert len({(row["template"], row["method"]) for row in rows}) == len(rows)


def test_every_listed_permission_exists_in_its_kind() -> None:
    names = catalogue.permission_names()
    rows = [*catalogue.endpoint_rows(), *catalogue.audit_operation_rows()]
    for kind in ("application", "delegated"):
        listed = {name for row in rows for name in row[f"permissions_{kind}"] or ()}
        assert listed
        assert [n for n in sorted(listed) if not any(names.exists(api, n, kind) for api in names.apis())] == []


def test_an_application_has_no_me() -> None:
    rows = [row for row in catalogue.endpoint_rows() if row["template"].startswith("/me/")]
    assert rows
    assert not [row["template"] for row in rows if row["permissions_application"]]


@pytest.mark.parametrize(
    ("method", "shape", "kind", "expected"),
    [
        ("GET", "/users/~/messages/~", "application",
         {"Mail.ReadBasic", "Mail.ReadBasic.All", "Mail.Read", "Mail.ReadWrite", "Application Mail.Read"}),
        ("GET", "/users/~/messages", "delegated",
         {"Mail.ReadBasic", "Mail.Read", "Mail.ReadWrite", "Mail.Read.Shared"}),
        ("GET", "/users/~/calendarview", "application",
         {"Calendars.ReadBasic.All", "Calendars.Read", "Calendars.ReadWrite"}),
        ("GET", "/chats/~/messages", "application", {"Chat.Read.All", "Chat.ReadWrite.All", "ChatMessage.Read.Chat"}),
        ("POST", "/me/sendmail", "delegated", {"Mail.Send", "Mail.Send.Shared"}),
        ("GET", "/communications/callrecords", "application", {"CallRecords.Read.All"}),
        ("GET", "/users/~/events/~/attachments/~", "application", {"Calendars.Read", "Calendars.ReadWrite"}),
    ],
)  # fmt: skip
def test_alternatives_include_what_includes_them(method: str, shape: str, kind: str, expected: set[str]) -> None:
    assert expected <= allowed(method, shape, kind)


@pytest.mark.parametrize(
    ("method", "shape", "kind", "never"),
    [
        ("GET", "/users/~/messages/~/attachments", "application", "Mail.ReadBasic.All"),
        ("GET", "/users/~/messages/~/$value", "delegated", "Mail.ReadBasic"),
        ("PATCH", "/users/~/messages/~", "application", "Mail.Read"),
        ("POST", "/users/~/sendmail", "application", "Mail.ReadWrite"),
        ("GET", "/users/~/messages", "application", "Mail.Read.Shared"),
        ("GET", "/users/~/messages", "delegated", "Mail.ReadBasic.All"),
        ("GET", "/chats/~/messages", "application", "Chat.ReadBasic.All"),
    ],
)
def test_alternatives_hold_nothing_that_is_too_small(method: str, shape: str, kind: str, never: str) -> None:
    assert never not in allowed(method, shape, kind)
    assert allowed(method, shape, kind)


def test_permission_names() -> None:
    names = catalogue.permission_names()
    assert names.exists("microsoft_graph", "Calendars.ReadBasic.All", "application")
    assert not names.exists("microsoft_graph", "Calendars.ReadBasic", "application")
    assert not names.exists("microsoft_graph", "mail.read", "application")
    assert names.nearest("microsoft_graph", "Mail.Reed", "application") == "Mail.Read"
    assert names.nearest("microsoft_graph", "qqqqqqqqqqqqqqqq", "application") is None
    assert names.nearest("nonsense", "Mail.Read", "application") is None
    assert names.workloads("microsoft_graph", "Mail.ReadWrite", "application") == {"mail"}
    assert "calendar" in names.workloads("exchange_online", "full_access_as_app", "application")
    assert names.workloads("microsoft_graph", "Group.Read.All", "application") >= {"mail", "calendar", "teams_channel"}
    assert names.workloads("microsoft_graph", "No.Such", "application") == frozenset()


def test_ids_mean_something_only_with_resource_and_kind() -> None:
    shared = "ef54d2bf-783f-4e0f-bca1-3210c0444d99"
    assert catalogue.role_name(GRAPH, "application", shared) == "Calendars.ReadWrite"
    assert catalogue.role_name(EXCHANGE.upper(), "application", shared.upper()) == "Calendars.ReadWrite.All"
    assert catalogue.role_name(GRAPH, "delegated", shared) is None
    assert catalogue.role_name(EXCHANGE, "application", "dc890d15-9560-4a4c-9b7f-a736ec74ec40") == "full_access_as_app"


def test_reach_is_one_row_per_permission_and_workload() -> None:
    rows = list(catalogue.permission_reach_rows())
    keys = [(row["resource_app_id"], row["permission"], row["kind"], row["workload"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert all(row["operations"] and row["workload"] in WORKLOADS for row in rows)
    assert {"resource_app_id": GRAPH, "permission": "Mail.Send", "kind": "application", "workload": "mail",
            "operations": ["send"]} in rows  # fmt: skip


def test_audit_operations_speak_the_vocabulary() -> None:
    rows = list(catalogue.audit_operation_rows())
    assert {row["workload"] for row in rows} <= {*WORKLOADS, "other", None}
    assert {row["operation"] for row in rows} <= {*OPERATIONS, None}
    assert {row["resource_kind"] for row in rows} <= RESOURCE_KINDS
    by_name = {row["audit_operation"]: row for row in rows if row["protocol"] is None}
    assert by_name["mailitemsaccessed"]["workload"] == "mail"
    assert "full_access_as_app" in by_name["mailitemsaccessed"]["permissions_application"]
    assert by_name["softdelete"]["workload"] is None
    assert by_name["messageslisted"]["decided_by"] == "thread"


def test_a_protocol_is_opened_by_its_own_permissions_only() -> None:
    rows = [row for row in catalogue.audit_operation_rows() if row["audit_operation"] == "mailitemsaccessed"]
    opens = {row["protocol"]: (row["permissions_application"], row["permissions_delegated"]) for row in rows}
    assert opens["imap"] == (["IMAP.AccessAsApp"], ["IMAP.AccessAsUser.All"])
    assert opens["pop"] == (["POP.AccessAsApp"], ["POP.AccessAsUser.All"])
    assert opens["ews"] == (["Application EWS.AccessAsApp", "full_access_as_app"], ["EWS.AccessAsUser.All"])
    assert "rest" not in opens
    assert {name for held in opens.values() for name in held[0] or ()} == set(opens[None][0])
    sent = {row["protocol"]: row for row in catalogue.audit_operation_rows() if row["audit_operation"] == "send"}
    assert sent["smtp"]["permissions_delegated"] == ["SMTP.Send"]
    assert "imap" not in sent  # IMAP sends nothing


def test_an_operation_may_take_what_allows_a_call() -> None:
    by_name = {row["audit_operation"]: row for row in catalogue.audit_operation_rows() if row["protocol"] is None}
    exported = by_name["transcriptsexported"]
    assert "OnlineMeetingTranscript.Read.All" in exported["permissions_application"]
    assert "OnlineMeetingRecording.Read.All" not in exported["permissions_application"]
    assert "Chat.Create" in by_name["chatcreated"]["permissions_application"]


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("Consent to application.", "consent to application"),
        ("Update application \N{EN DASH} Certificates and secrets management ",
         "update application - certificates and secrets management"),
        ("  MailItemsAccessed\t", "mailitemsaccessed"),
        ("New\N{NON-BREAKING HYPHEN}InboxRule", "new-inboxrule"),
        ("Add\N{NO-BREAK SPACE}  user. ", "add user"),
    ],
)  # fmt: skip
def test_names_of_operations_are_folded(written: str, folded: str) -> None:
    sql = f"SELECT {catalogue.folded_operation_sql('?')}"
    assert duckdb.connect().execute(sql, [written]).fetchone() == (folded,)


def test_every_audit_operation_is_spelled_folded() -> None:
    connection = duckdb.connect()
    sql = f"SELECT {catalogue.folded_operation_sql('?')}"
    for row in catalogue.audit_operation_rows():
        assert connection.execute(sql, [row["audit_operation"]]).fetchone() == (row["audit_operation"],)


def test_first_party_apps_belong_to_microsoft() -> None:
    tenants = {row["tenant_id"] for row in catalogue.microsoft_tenant_rows()}
    apps = list(catalogue.first_party_rows())
    assert {row["owner_tenant_id"] for row in apps} <= tenants
    assert GRAPH in {row["app_id"] for row in apps}
    assert all(row["app_id"] == row["app_id"].lower() for row in apps)


def test_record_types_name_a_feed() -> None:
    feeds = {row["name"]: row["feed"] for row in catalogue.record_type_rows()}
    assert set(feeds.values()) <= set(LOG_FEEDS)
    assert feeds["ExchangeItemAggregated"] == "audit_exchange"
    assert feeds["MicrosoftTeams"] == "audit_teams"
    assert feeds["AzureActiveDirectory"] == "audit_entra"


def test_every_workload_has_a_log_that_shows_it() -> None:
    rows = list(catalogue.workload_feed_rows())
    assert {row["workload"] for row in rows} == set(WORKLOADS)
    assert {row["feed"] for row in rows} <= set(LOG_FEEDS)
    assert len({tuple(row.values()) for row in rows}) == len(rows)


def test_permissions_that_reach_mailboxes_whole_exist_and_say_why() -> None:
    known = {(r["resource_app_id"], r["permission"], r["kind"]) for r in catalogue.permission_reach_rows()}
    listed = list(catalogue.full_mailbox_permission_rows())
    assert {(r["resource_app_id"], r["permission"], r["kind"]) for r in listed} <= known
    assert all(r["reason"] and r["listed_on"] >= "2026-11-22" for r in listed)
    assert ("00000002-0000-0ff1-ce00-000000000000", "full_access_as_app", "application") in {
        (r["resource_app_id"], r["permission"], r["kind"]) for r in listed
    }
    assert not any(r["kind"] == "delegated" and r["permission"].startswith("Mail") for r in listed)

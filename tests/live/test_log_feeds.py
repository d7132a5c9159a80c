"""Every log feed against the simulator, over TLS: what it holds is what is read, and what was not read is told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from m365audit.config import TenantSettings
from m365audit.graph.failures import CollectionError, LinkRefusedError, SignInError
from m365audit.graph.feeds import audit_queries
from m365audit.graph.feeds.collection import Client
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.values import Ended, Page, Task, Window
from m365audit.simulator.served import ServedAudit, ServedClient, ServedTenant, ServedWorld
from m365audit.simulator.service import Fault, Simulator, running, writes

from .listed import settings
from .pulled import Pulled, days, pulled

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
TENANT = "11111111-1111-4111-8111-111111111111"
AUDITOR = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
SECRET = "a secret for the tests"  # noqa: S105
KINDS = {
    "sign_ins_interactive": "interactiveUser",
    "sign_ins_non_interactive": "nonInteractiveUser",
    "sign_ins_service_principal": "servicePrincipal",
    "sign_ins_managed_identity": "managedIdentity",
}
CONTENT = {
    "audit_exchange": ("Audit.Exchange", "Exchange"),
    "audit_sharepoint": ("Audit.SharePoint", "SharePoint"),
    "audit_entra": ("Audit.AzureActiveDirectory", "AzureActiveDirectory"),
    "audit_general": ("Audit.General", "MicrosoftTeams"),
}
YESTERDAY = Window(NOW - timedelta(days=1, hours=8), NOW - timedelta(hours=8))
Pulling = Callable[..., Pulled]


def wire(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def audit(number: int, at: datetime, content_type: str, workload: str) -> ServedAudit:
    record = {
        "Id": f"{workload}-{number}", "CreationTime": f"{at:%Y-%m-%dT%H:%M:%S}", "RecordType": 50,
        "Operation": "MailItemsAccessed", "Workload": workload, "UserId": "a@b.example", "Size": 1.50,
    }  # fmt: skip
    return ServedAudit(content_type, at + timedelta(minutes=40), record)


def tenant_of_forty_days() -> ServedTenant:
    """A tenant with something every two hours for forty days, a few things at the very edges of a day."""
    served = ServedTenant(TENANT, "Small", plans=["AAD_PREMIUM"])
    served.clients[AUDITOR] = ServedClient(
        secret=SECRET,
        roles=("AuditLog.Read.All", "AuditLogsQuery.Read.All", "CallRecords.Read.All"),
        manage_roles=("ActivityFeed.Read",),
    )
    times = [NOW - timedelta(hours=2 * n + 1) for n in range(480)]
    times += [YESTERDAY.begin, YESTERDAY.end, YESTERDAY.end - timedelta(microseconds=100)]
    times.sort()
    served.collections["signIns"] = [
        {"id": f"{kind}-{n}", "createdDateTime": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", "signInEventTypes": [kind], "n": 1.50}
        for n, at in enumerate(times)
        for kind in KINDS.values()
    ]
    served.collections["directoryAudits"] = [
        {"id": f"audit-{n}", "activityDateTime": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z", "activityDisplayName": "Add member"}
        for n, at in enumerate(times)
    ]
    for name in ("callRecords", "pstnCalls", "directRoutingCalls"):
        served.collections[name] = [{"id": f"{name}-{n}", "startDateTime": wire(at)} for n, at in enumerate(times)]
    served.audit = [audit(n, at, *kind) for n, at in enumerate(times) for kind in CONTENT.values()]
    served.subscriptions = {content: NOW - days(60) for content, _ in CONTENT.values()}
    return served


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(ServedWorld.of(tenant_of_forty_days(), now=NOW), separate_ports=True) as one:
        yield one


@pytest.fixture
def served(simulator: Simulator) -> Iterator[ServedTenant]:
    tenant = simulator.world.tenants[TENANT]
    kept = {name: list(records) for name, records in tenant.collections.items()}
    roles, subscriptions, plans = tenant.clients[AUDITOR].roles, dict(tenant.subscriptions), tenant.plans
    log = list(tenant.audit)
    yield tenant
    tenant.collections, tenant.subscriptions, tenant.plans, tenant.audit = kept, subscriptions, plans, log
    tenant.clients[AUDITOR].roles, tenant.is_audit_enabled, tenant.audit_query_cap = roles, True, 1_000_000
    simulator.simulation.disabled_subscriptions.clear()
    simulator.simulation.jobs.made.clear()


@pytest.fixture
def tenant(served: ServedTenant, tmp_path: Path) -> TenantSettings:
    return settings(tmp_path, served.id, AUDITOR, SECRET)


@pytest.fixture
def pulling(simulator: Simulator, tenant: TenantSettings, tmp_path: Path) -> Pulling:
    return partial(pulled, simulator, tenant, state=tmp_path)


@contextmanager
def faulty(simulator: Simulator, *faults: Fault) -> Iterator[None]:
    simulator.faults.add(*faults)
    try:
        yield
    finally:
        simulator.faults.clear()


def ids_between(records: list[dict[str, Any]], name: str, window: Window) -> list[str]:
    return sorted(
        str(record["id"])
        for record in records
        if window.begin <= datetime.fromisoformat(record[name]).astimezone(UTC) < window.end
    )


def is_tiled(found: Pulled, window: Window) -> bool:
    parts = sorted(found.parts)
    return (parts[0][0], parts[-1][1]) == (window.begin, window.end) and all(a[1] == b[0] for a, b in pairwise(parts))


# --- sign-ins and directory audits ---


@pytest.mark.parametrize(("collection", "kind"), KINDS.items())
def test_a_stream_holds_the_sign_ins_of_its_kind(
    pulling: Pulling, served: ServedTenant, collection: str, kind: str
) -> None:
    found = pulling(collection, YESTERDAY)
    truth = [record for record in served.collections["signIns"] if record["signInEventTypes"] == [kind]]
    assert sorted(record["id"] for record in found.records) == ids_between(truth, "createdDateTime", YESTERDAY)
    assert found.parts == [(YESTERDAY.begin, YESTERDAY.end, None)]
    assert all(b'"n":1.5' in record for record in found.raw)


def test_directory_audits_of_a_window_are_read(pulling: Pulling, served: ServedTenant) -> None:
    found = pulling("directory_audits", YESTERDAY)
    truth = ids_between(served.collections["directoryAudits"], "activityDateTime", YESTERDAY)
    assert sorted(record["id"] for record in found.records) == truth


def test_many_pages_are_one_window(pulling: Pulling, served: ServedTenant, simulator: Simulator) -> None:
    served.collections["directoryAudits"] = [
        {"id": f"x{n}", "activityDateTime": wire(YESTERDAY.begin + timedelta(seconds=n))} for n in range(3_500)
    ]
    before = len(list(simulator.log))
    assert len({record["id"] for record in pulling("directory_audits", YESTERDAY).records}) == 3_500
    asked = [each for each in list(simulator.log)[before:] if each.path.endswith("directoryAudits")]
    assert len(asked) == 4


def test_without_premium_sign_ins_are_a_gap_of_licence(pulling: Pulling, served: ServedTenant) -> None:
    served.plans = type(served.plans)()
    with pytest.raises(CollectionError) as caught:
        pulling("sign_ins_service_principal", YESTERDAY)
    assert caught.value.reason == "licence"


def test_without_permission_the_gap_says_so(pulling: Pulling, served: ServedTenant) -> None:
    served.clients[AUDITOR].roles = ()
    with pytest.raises(CollectionError) as caught:
        pulling("directory_audits", YESTERDAY)
    assert caught.value.reason == "permission"


@pytest.mark.parametrize("deaths", [1, 2, 3, 7])
def test_dying_skip_tokens_cost_requests_and_nothing_else(
    pulling: Pulling, served: ServedTenant, simulator: Simulator, deaths: int
) -> None:
    served.collections["directoryAudits"] = [
        {"id": f"x{n}", "activityDateTime": wire(YESTERDAY.begin + timedelta(seconds=20 * n))} for n in range(2_500)
    ]
    with faulty(simulator, Fault("skip_token_expired", where="*directoryAudits", count=deaths)):
        found = pulling("directory_audits", YESTERDAY)
    assert len({record["id"] for record in found.records}) == 2_500
    assert {reason for _, _, reason in found.parts} == {None}
    assert is_tiled(found, YESTERDAY)
    assert (len(found.ends) > 1) == (deaths > 2)


@pytest.mark.parametrize("kind", ["empty_pages", "repeated_records", "truncated_json", "html", "aborted", "throttled"])
def test_what_can_be_repaired_is_repaired(
    pulling: Pulling, served: ServedTenant, simulator: Simulator, kind: str
) -> None:
    with faulty(simulator, Fault(kind, where="*signIns")):
        found = pulling("sign_ins_interactive", YESTERDAY)
    truth = [r for r in served.collections["signIns"] if r["signInEventTypes"] == ["interactiveUser"]]
    assert sorted({record["id"] for record in found.records}) == ids_between(truth, "createdDateTime", YESTERDAY)


def test_a_circle_of_links_is_a_gap(pulling: Pulling, simulator: Simulator) -> None:
    with faulty(simulator, Fault("link_loop", where="*signIns")), pytest.raises(CollectionError) as caught:
        pulling("sign_ins_interactive", YESTERDAY)
    assert caught.value.reason == "error"


def test_a_link_to_another_place_is_refused(pulling: Pulling, simulator: Simulator) -> None:
    with faulty(simulator, Fault("hostile_link", where="*signIns")), pytest.raises(LinkRefusedError) as caught:
        pulling("sign_ins_interactive", YESTERDAY)
    assert caught.value.what == "next_link"


# --- the Management Activity API ---


def arrived_for(served: ServedTenant, content_type: str, window: Window, now: datetime = NOW) -> set[str]:
    return {
        each.record["Id"]
        for each in served.audit
        if each.content_type == content_type
        and window.begin <= datetime.fromisoformat(each.record["CreationTime"]).replace(tzinfo=UTC) < window.end
        and each.arrived_at <= now
    }


@pytest.mark.parametrize(("collection", "content"), CONTENT.items())
def test_the_events_of_a_window_are_among_what_arrived_since(
    pulling: Pulling, served: ServedTenant, collection: str, content: tuple[str, str]
) -> None:
    found = pulling(collection, YESTERDAY)
    assert {record["Id"] for record in found.records} >= arrived_for(served, content[0], YESTERDAY)
    assert found.parts == [(YESTERDAY.begin, YESTERDAY.end, None)]
    ((name, since),) = found.cursors
    assert name == f"subscription/{content[0]}"
    assert timedelta(0) <= datetime.fromtimestamp(since, UTC) - (NOW - days(7)) <= timedelta(minutes=10), "it is steady"


def test_a_record_is_the_very_bytes_of_its_content(pulling: Pulling, served: ServedTenant) -> None:
    truth = {json.dumps(each.record, separators=(",", ":")).encode() for each in served.audit}
    assert set(pulling("audit_exchange", YESTERDAY).raw) <= truth


def test_a_subscription_that_is_off_is_started_once(
    pulling: Pulling, served: ServedTenant, simulator: Simulator
) -> None:
    served.subscriptions.clear()
    before = len(list(simulator.log))
    found = pulling("audit_exchange", YESTERDAY)
    again = pulling("audit_exchange", YESTERDAY, cursors=found.cursors)
    posts = [each for each in list(simulator.log)[before:] if each.method == "POST" and "start" in each.path]
    assert len(posts) == 1
    assert found.cursors
    assert not again.cursors


def test_a_new_subscription_claims_nothing_of_the_time_before_it(pulling: Pulling, served: ServedTenant) -> None:
    served.subscriptions.clear()
    old = Window(NOW - days(5), NOW - days(4))
    found = pulling("audit_exchange", old)
    assert [(begin, end, reason) for begin, end, reason in found.parts] == [(old.begin, old.end, "disabled")]
    assert "known to have been on only since" in found.ends[0].detail


def test_a_subscription_that_has_brought_nothing_warms_up(pulling: Pulling, served: ServedTenant) -> None:
    served.audit = []
    found = pulling("audit_exchange", YESTERDAY)
    assert {reason for _, _, reason in found.parts} == {"disabled"}
    assert is_tiled(found, YESTERDAY)
    today = pulling(
        "audit_exchange", Window(YESTERDAY.end, NOW), cursors=(("subscription/Audit.Exchange", midnight()),)
    )
    assert "within 12 hours" in today.ends[0].detail


def midnight() -> int:
    return int(YESTERDAY.end.timestamp())


def test_silence_after_the_first_twelve_hours_is_silence(pulling: Pulling, served: ServedTenant) -> None:
    served.audit = []
    seen_at = int((YESTERDAY.begin - days(1)).timestamp())
    found = pulling("audit_exchange", YESTERDAY, cursors=(("subscription/Audit.Exchange", seen_at),))
    assert [reason for _, _, reason in found.parts] == [None]


def test_a_subscription_is_not_started_twice_within_a_quarter_of_an_hour(
    pulling: Pulling, served: ServedTenant, simulator: Simulator
) -> None:
    served.subscriptions.clear()
    recently = int((simulator.now() - timedelta(minutes=5)).timestamp())
    with pytest.raises(CollectionError) as caught:
        pulling("audit_exchange", YESTERDAY, cursors=(("subscription/Audit.Exchange", recently),))
    assert caught.value.reason == "disabled"
    assert not served.subscriptions


def test_a_subscription_that_was_off_for_a_while_is_not_trusted_for_that_while(
    pulling: Pulling, simulator: Simulator
) -> None:
    """Old content is still there, and earlier runs knew the subscription as on: neither says anything of the gap."""
    simulator.simulation.disabled_subscriptions.add((TENANT, "Audit.Exchange"))
    long_ago = (("subscription/Audit.Exchange", int((NOW - days(40)).timestamp())),)
    first = pulling("audit_exchange", Window(NOW - days(5), NOW - days(4)), cursors=long_ago)
    assert [reason for _, _, reason in first.parts] == ["disabled"]
    assert first.cursors != long_ago
    later = pulling("audit_exchange", YESTERDAY, cursors=first.cursors)
    assert [reason for _, _, reason in later.parts] == ["disabled"]
    assert later.records, "what is there is read all the same"


def test_every_task_of_the_run_that_starts_a_subscription_knows_since_when_it_is_on(
    pulling: Pulling, simulator: Simulator
) -> None:
    simulator.simulation.disabled_subscriptions.add((TENANT, "Audit.Exchange"))
    long_ago = (("subscription/Audit.Exchange", int((NOW - days(40)).timestamp())),)

    async def both(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
        for number in (1, 2):
            async for event in COLLECTIONS["audit_exchange"].pull(client, replace(task, number=number)):
                yield event

    found = pulling("audit_exchange", YESTERDAY, cursors=long_ago, pull=both)
    assert {end.reason for end in found.ends} == {"disabled"}
    assert {end.task.number for end in found.ends} == {1, 2}
    assert len(found.cursors) == 2, "each of them may be the one that is kept"


def test_auditing_that_is_off_is_a_gap(pulling: Pulling, served: ServedTenant) -> None:
    served.is_audit_enabled = False
    with pytest.raises(CollectionError) as caught:
        pulling("audit_exchange", YESTERDAY)
    assert caught.value.reason == "disabled"


def test_what_is_older_than_seven_days_is_lost_to_the_minute(pulling: Pulling) -> None:
    window = Window(NOW - days(8), NOW - days(6))
    found = pulling("audit_exchange", window)
    (first, cut, reason), (_, _, rest) = found.parts
    assert (first, reason, rest) == (window.begin, "expired", None)
    assert timedelta(0) <= cut - (NOW - days(7)) <= timedelta(minutes=10)
    assert is_tiled(found, window)


def test_content_that_is_gone_leaves_a_gap_of_what_it_may_have_held(
    pulling: Pulling, served: ServedTenant, simulator: Simulator
) -> None:
    window = Window(NOW - days(4), NOW - days(3))
    with faulty(simulator, Fault("content_expired", count=2)):
        found = pulling("audit_exchange", window)
    (_, cut, reason), (_, _, rest) = found.parts
    assert (reason, rest) == ("expired", None)
    after = Window(cut, window.end)
    assert {record["Id"] for record in found.records} >= arrived_for(served, "Audit.Exchange", after)
    assert is_tiled(found, window)


def test_many_pages_of_content_are_followed(pulling: Pulling, served: ServedTenant, simulator: Simulator) -> None:
    simulator.simulation.blobs_on_a_page, kept = 3, simulator.simulation.blobs_on_a_page
    try:
        found = pulling("audit_exchange", YESTERDAY)
    finally:
        simulator.simulation.blobs_on_a_page = kept
    assert {record["Id"] for record in found.records} >= arrived_for(served, "Audit.Exchange", YESTERDAY)


@pytest.mark.parametrize("what", ["content_uri", "next_page_uri"])
def test_content_at_another_place_is_refused(pulling: Pulling, simulator: Simulator, what: str) -> None:
    fault = Fault("hostile_link", where="*/content", service="manage", detail={"what": what})
    with faulty(simulator, fault), pytest.raises(LinkRefusedError):
        pulling("audit_exchange", YESTERDAY)


# --- audit queries ---

OLD = Window(NOW - days(20), NOW - days(15))


def hurried(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    return audit_queries.pull(client, task)


def truth_of(served: ServedTenant, window: Window) -> set[str]:
    return {
        each.record["Id"]
        for each in served.audit
        if window.begin <= datetime.fromisoformat(each.record["CreationTime"]).replace(tzinfo=UTC) < window.end
    }


def queries_made(simulator: Simulator) -> int:
    return len(simulator.simulation.jobs.made)


def test_a_query_holds_every_service_as_the_management_api_tells_it(pulling: Pulling, served: ServedTenant) -> None:
    found = pulling("audit_queries", OLD, pull=hurried)
    assert {record["Id"] for record in found.records} == truth_of(served, OLD)
    assert len(found.records) == len(truth_of(served, OLD)), "the second reading adds nothing"
    truth = {json.dumps(each.record, separators=(",", ":")).encode() for each in served.audit}
    assert set(found.raw) <= truth
    assert found.parts == [(OLD.begin, OLD.end, None)]


def test_too_many_records_split_the_window(pulling: Pulling, served: ServedTenant) -> None:
    served.audit_query_cap = 100
    found = pulling("audit_queries", OLD, pull=hurried)
    assert {record["Id"] for record in found.records} == truth_of(served, OLD)
    assert len(found.ends) > 1
    assert {reason for _, _, reason in found.parts} == {None}
    assert is_tiled(found, OLD)


def test_a_query_of_a_killed_run_is_taken_up(pulling: Pulling, simulator: Simulator) -> None:
    pulling("audit_queries", OLD, pull=hurried)
    assert queries_made(simulator) == 1
    pulling("audit_queries", OLD, pull=hurried)
    assert queries_made(simulator) == 1


def test_a_second_look_is_another_query(pulling: Pulling, simulator: Simulator) -> None:
    found = pulling("audit_queries", OLD, pull=hurried)
    pulling("audit_queries", OLD, pull=hurried, cursors=found.cursors)
    assert queries_made(simulator) == 2


def test_a_query_is_never_made_twice_because_an_answer_was_lost(
    pulling: Pulling, served: ServedTenant, simulator: Simulator
) -> None:
    with faulty(simulator, Fault("aborted", where="*/auditLog/queries", method="POST", detail={"after": "done"})):
        found = pulling("audit_queries", OLD, pull=hurried)
    assert {record["Id"] for record in found.records} == truth_of(served, OLD)
    assert queries_made(simulator) == 1


def test_a_query_that_fails_is_made_once_again(pulling: Pulling, served: ServedTenant, simulator: Simulator) -> None:
    with faulty(simulator, Fault("query_fails")):
        found = pulling("audit_queries", OLD, pull=hurried)
    assert {record["Id"] for record in found.records} == truth_of(served, OLD)


def test_a_query_that_always_fails_is_a_gap(pulling: Pulling, simulator: Simulator) -> None:
    with faulty(simulator, Fault("query_fails", count=100)), pytest.raises(CollectionError) as caught:
        pulling("audit_queries", OLD, pull=hurried)
    assert caught.value.reason == "error"


def test_queries_are_a_gap_where_auditing_is_off(pulling: Pulling, served: ServedTenant) -> None:
    served.is_audit_enabled = False
    with pytest.raises(CollectionError) as caught:
        pulling("audit_queries", OLD, pull=hurried)
    assert caught.value.reason == "disabled"


# --- call records ---


def test_calls_come_in_three_parts(pulling: Pulling, served: ServedTenant) -> None:
    found = pulling("call_records", YESTERDAY)
    ids = {record["id"] for record in found.records}
    for name in ("callRecords", "pstnCalls", "directRoutingCalls"):
        assert ids >= set(ids_between(served.collections[name], "startDateTime", YESTERDAY))
    assert {page.source.rpartition("/")[2] for page in found.pages} == {
        "callRecords", "getPstnCalls", "getDirectRoutingCalls",
    }  # fmt: skip


def test_a_part_that_is_refused_is_named(pulling: Pulling, served: ServedTenant, simulator: Simulator) -> None:
    with faulty(simulator, Fault("permission_removed", where="*getPstnCalls*")):
        found = pulling("call_records", YESTERDAY)
    assert found.parts == [(YESTERDAY.begin, YESTERDAY.end, "permission")]
    assert "calls over the telephone network" in found.ends[0].detail
    truth = ids_between(served.collections["callRecords"], "startDateTime", YESTERDAY)
    assert {record["id"] for record in found.records} >= set(truth)


def test_where_every_part_is_refused_nothing_more_is_asked(pulling: Pulling, served: ServedTenant) -> None:
    served.clients[AUDITOR].roles = ()
    with pytest.raises(CollectionError) as caught:
        pulling("call_records", YESTERDAY)
    assert caught.value.reason == "permission"


# --- all of them ---

ENDINGS = {
    "directory_audits": (
        "throttled", "throttled_without_header", "unavailable", "wrong_length", "bad_gzip", "empty_body", "link_loop",
        "skip_token_expired", "token_expired", "claims_challenge", "permission_removed", "deep_nesting", "redirected",
    ),
    "audit_exchange": (
        "throttled_as_forbidden", "aborted", "html", "audit_disabled", "content_expired", "subscription_disabled",
        "warming_up", "not_found", "permission_removed",
    ),
    "audit_queries": ("unavailable", "query_fails", "query_is_capped", "repeated_records", "skip_token_expired"),
    "call_records": ("not_found", "truncated_json", "licence_missing", "empty_pages"),
}  # fmt: skip
"""What goes wrong, by collection."""


@pytest.mark.parametrize(("collection", "kind"), [(name, kind) for name, kinds in ENDINGS.items() for kind in kinds])
def test_whatever_goes_wrong_nothing_is_claimed_that_was_not_read(
    pulling: Pulling, served: ServedTenant, simulator: Simulator, collection: str, kind: str
) -> None:
    window = OLD if collection == "audit_queries" else YESTERDAY
    served.collections["directoryAudits"] += [
        {"id": f"x{n}", "activityDateTime": wire(YESTERDAY.begin + timedelta(seconds=40 * n))} for n in range(2_100)
    ]
    found = Pulled()
    where = {
        "directory_audits": "*directoryAudits", "call_records": "*callRecords*", "audit_queries": "*auditLog*",
        "audit_exchange": "*activity/feed*",
    }[collection]  # fmt: skip
    # An empty list of content in the midst of full ones cannot be told from silence; from the beginning it can.
    fault = Fault(kind, where=where) if kind == "warming_up" else Fault(kind, where=where, first=2, count=2)
    with faulty(simulator, fault), suppress(CollectionError):
        found = pulling(collection, window, pull=hurried if collection == "audit_queries" else None)
    ids = {record.get("Id") or record["id"] for record in found.records}
    for begin, end, reason in found.parts:
        if reason is None:
            assert ids >= held(served, collection, Window(begin, end))


def held(served: ServedTenant, collection: str, window: Window) -> set[str]:
    """Return the ids of what a collection would read of a window, were nothing wrong."""
    if collection == "audit_queries":
        return truth_of(served, window)
    if collection == "audit_exchange":
        return arrived_for(served, "Audit.Exchange", window)
    names = {"directory_audits": ("directoryAudits",)}.get(
        collection, ("callRecords", "pstnCalls", "directRoutingCalls")
    )
    time = "activityDateTime" if collection == "directory_audits" else "startDateTime"
    return {each for name in names for each in ids_between(served.collections[name], time, window)}


def test_nothing_is_written_but_what_may_be(simulator: Simulator, pulling: Pulling, served: ServedTenant) -> None:
    served.subscriptions.clear()
    for collection in (*KINDS, "directory_audits", *CONTENT, "call_records"):
        pulling(collection, YESTERDAY)
    pulling("audit_queries", OLD, pull=hurried)
    allowed = ("/oauth2/v2.0/token", "/subscriptions/start", "/security/auditlog/queries")
    assert all(each.path.lower().endswith(allowed) for each in writes(simulator.log))


def test_a_tenant_that_lets_nobody_in_raises_what_is_the_tenants(pulling: Pulling, served: ServedTenant) -> None:
    served.clients[AUDITOR].secret, kept = "another", served.clients[AUDITOR].secret
    try:
        with pytest.raises(SignInError):
            pulling("call_records", YESTERDAY)
    finally:
        served.clients[AUDITOR].secret = kept

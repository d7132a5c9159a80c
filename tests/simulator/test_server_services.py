"""The services behind the addresses: audit blobs, audit queries, calls, batches, limits; and what counts as a write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from m365audit.simulator.served import P1, ServedAudit
from m365audit.simulator.service import Fault, RequestLog, SimulatedClock, Simulator, random_plan, running, writes
from m365audit.simulator.service.running import BrokenError

from .asking import all_records, ask_token, bearer, client, pages
from .small_world import NOW, ONE, ROLES, TWO, small_world, tenant, wire

Started = tuple[Simulator, httpx.Client]


@pytest.fixture
def started() -> Iterator[Started]:
    with running(small_world(), clock=SimulatedClock(NOW, pace=0)) as simulator, client(simulator) as http:
        yield simulator, http


def feed(simulator: Simulator, tenant_id: str = ONE) -> str:
    return f"{simulator.manage}/api/v1.0/{tenant_id}/activity/feed"


def started_exchange(simulator: Simulator, http: httpx.Client) -> dict[str, str]:
    headers = bearer(http, simulator, resource=simulator.manage)
    answer = http.post(f"{feed(simulator)}/subscriptions/start?contentType=Audit.Exchange", headers=headers)
    assert answer.json()["status"] == "enabled"
    return headers


def test_content_by_arrival_with_its_blobs(started: Started) -> None:
    simulator, http = started
    headers = started_exchange(simulator, http)
    simulator.simulation.blobs_on_a_page = 15
    link: str | None = f"{feed(simulator)}/subscriptions/content?contentType=Audit.Exchange"
    listed: list[dict[str, Any]] = []
    while link:
        answer = http.get(link, headers=headers)
        listed += answer.json()
        link = answer.headers.get("NextPageUri")
    assert len(listed) == 40
    assert listed == sorted(listed, key=lambda entry: entry["contentCreated"])
    assert listed[-1]["contentCreated"] == "2026-09-15T07:59:30.000Z"
    assert http.get(listed[-1]["contentUri"], headers=headers).json()[0]["Id"] == "record-0"


def test_what_has_not_arrived_is_not_there(started: Started) -> None:
    simulator, http = started
    late = ServedAudit(
        "Audit.Exchange", NOW + timedelta(hours=2), {"Id": "late", "CreationTime": "2026-09-15T07:00:00"}
    )
    simulator.world.tenants[ONE].audit.append(late)
    headers = started_exchange(simulator, http)
    url = f"{feed(simulator)}/subscriptions/content?contentType=Audit.Exchange"
    assert len(http.get(url, headers=headers).json()) == 40
    simulator.advance(timedelta(hours=3))
    newest = http.get(url, headers=headers).json()[-1]
    assert newest["contentCreated"] == "2026-09-15T10:00:00.000Z"
    simulator.advance(timedelta(days=8))
    assert http.get(newest["contentUri"], headers=headers).json()["error"]["code"] == "AF20051"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("contentType=Audit.Exchange&startTime=2026-09-14T08:00", "AF20030"),
        ("contentType=Audit.Exchange&startTime=2026-09-13T07:59&endTime=2026-09-14T08:00", "AF20030"),
        ("contentType=Audit.Exchange&startTime=2026-09-07T07:59&endTime=2026-09-07T08:59", "AF20055"),
        ("contentType=Audit.General", "AF20022"),
        ("contentType=Audit.Nothing", "AF20020"),
    ],
)
def test_content_listings_that_are_refused(started: Started, query: str, code: str) -> None:
    simulator, http = started
    headers = started_exchange(simulator, http)
    answer = http.get(f"{feed(simulator)}/subscriptions/content?{query}", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_window_of_content_is_half_open(started: Started) -> None:
    simulator, http = started
    headers = started_exchange(simulator, http)
    window = "startTime=2026-09-15T07:50:30&endTime=2026-09-15T07:59:30"
    url = f"{feed(simulator)}/subscriptions/content?contentType=Audit.Exchange&{window}"
    assert len(http.get(url, headers=headers).json()) == 9


def test_subscriptions_and_their_refusals(started: Started) -> None:
    simulator, http = started
    headers = started_exchange(simulator, http)
    again = http.post(f"{feed(simulator)}/subscriptions/start?contentType=Audit.Exchange", headers=headers)
    assert (again.status_code, again.json()["error"]["code"]) == (400, "AF20024")
    other = http.get(f"{feed(simulator, TWO)}/subscriptions/list", headers=headers)
    assert other.json()["error"]["code"] == "AF20010"
    simulator.world.tenants[ONE].is_audit_enabled = False
    off = http.get(f"{feed(simulator)}/subscriptions/list", headers=headers)
    assert (off.status_code, "does not exist" in off.text) == (400, True)
    lacking = bearer(http, simulator)
    assert http.get(f"{simulator.graph}/v1.0/users", headers=lacking).status_code == 200


def asked(**more: Any) -> dict[str, Any]:
    return {"filterStartDateTime": "2026-09-15T07:30:00Z", "filterEndDateTime": "2026-09-15T07:50:00Z", **more}


def test_an_audit_query_is_made_polled_and_paged(started: Started) -> None:
    simulator, http = started
    headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/security/auditLog/queries"
    made = http.post(url, json=asked(serviceFilters=["exchange"]), headers=headers)
    assert (made.status_code, made.json()["status"]) == (201, "notStarted")
    one = f"{url}/{made.json()['id']}"
    assert http.get(f"{one}/records", headers=headers).status_code == 400
    states = [http.get(one, headers=headers).json() for _ in range(2)]
    assert [state["status"] for state in states] == ["running", "succeeded"]
    assert states[1]["isRecordCountLimitExceeded"] is False
    found = all_records(http, f"{one}/records?$top=7", headers)
    assert {record["id"] for record in found} == {f"record-{n}" for n in range(10, 30)}
    assert found[0]["auditData"]["Id"] == found[0]["id"]
    none = http.post(url, json=asked(recordTypeFilters=["sharePoint"]), headers=headers).json()["id"]
    for _ in range(2):
        http.get(f"{url}/{none}", headers=headers)
    assert all_records(http, f"{url}/{none}/records", headers) == []


def test_a_capped_query_says_so_though_it_succeeded(started: Started) -> None:
    simulator, http = started
    simulator.world.tenants[ONE].audit_query_cap = 5
    headers, url = bearer(http, simulator), f"{simulator.graph}/beta/security/auditLog/queries"
    one = f"{url}/{http.post(url, json=asked(), headers=headers).json()['id']}"
    state = [http.get(one, headers=headers).json() for _ in range(2)][-1]
    assert (state["status"], state["isRecordCountLimitExceeded"]) == ("succeeded", True)
    assert len(all_records(http, f"{one}/records", headers)) == 5
    simulator.faults.add(Fault("query_fails"))
    two = f"{url}/{http.post(url, json=asked(), headers=headers).json()['id']}"
    assert [http.get(two, headers=headers).json()["status"] for _ in range(2)] == ["running", "failed"]


def test_calls_by_listing_and_by_function(started: Started) -> None:
    simulator, http = started
    collections = simulator.world.tenants[ONE].collections
    times = [NOW - timedelta(days=n) for n in range(1, 41)]
    collections["callRecords"] = [{"id": f"call-{n}", "startDateTime": wire(at)} for n, at in enumerate(times)]
    collections["pstnCalls"] = [{"id": f"pstn-{n}", "startDateTime": wire(at)} for n, at in enumerate(times)]
    headers, base = bearer(http, simulator), f"{simulator.graph}/v1.0/communications/callRecords"
    assert len(all_records(http, base, headers)) == 30, "older ones are gone"
    window = "$filter=startDateTime ge 2026-09-10T00:00:00Z and startDateTime lt 2026-09-12T00:00:00Z"
    assert len(all_records(http, f"{base}?{window}", headers)) == 2
    named = "getPstnCalls(fromDateTime=2026-09-10T00:00:00Z,toDateTime=2026-09-12T08:00:00Z)"
    assert len(all_records(http, f"{base}/microsoft.graph.callRecords.{named}", headers)) == 3
    assert len(all_records(http, f"{base}/{named.replace(':', '%3A')}", headers)) == 3
    too_long = named.replace("2026-09-10", "2025-09-10")
    assert http.get(f"{base}/{too_long}", headers=headers).status_code == 400
    assert http.get(f"{base}/call-3", headers=headers).json()["id"] == "call-3"


def test_a_batch_answers_each_by_itself_and_out_of_order(started: Started) -> None:
    simulator, http = started
    headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/$batch"
    requests = [{"id": str(n), "method": "GET", "url": f"/users/user-{n}?$select=id"} for n in range(4)]
    simulator.faults.add(Fault("throttled", where="*/users/user-2"))
    replies = http.post(url, json={"requests": requests}, headers=headers).json()["responses"]
    assert {reply["id"]: reply["status"] for reply in replies} == {"0": 200, "1": 200, "2": 429, "3": 200}
    assert [reply["id"] for reply in replies] != ["0", "1", "2", "3"]
    assert next(r for r in replies if r["id"] == "2")["headers"]["Retry-After"] == "1"
    too_many = [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)]
    assert http.post(url, json={"requests": too_many}, headers=headers).status_code == 400
    assert writes(simulator.log) == []
    http.post(url, json={"requests": [{"id": "1", "method": "DELETE", "url": "/users/user-1"}]}, headers=headers)
    assert [request.path for request in writes(simulator.log) if not request.is_inner] == ["/v1.0/$batch"]


def test_what_counts_as_a_write(started: Started) -> None:
    simulator, http = started
    headers = bearer(http, simulator)
    started_exchange(simulator, http)
    http.post(f"{simulator.graph}/v1.0/security/auditLog/queries", json=asked(), headers=headers)
    assert writes(simulator.log) == []
    for method in ("POST", "PATCH", "PUT", "DELETE"):
        assert http.request(method, f"{simulator.graph}/v1.0/users/user-1", headers=headers).status_code == 405
    http.post(f"{feed(simulator)}/subscriptions/stop?contentType=Audit.Exchange", headers=headers)
    assert [request.method for request in writes(simulator.log)] == ["POST", "PATCH", "PUT", "DELETE", "POST"]
    assert writes(RequestLog()) == []


def test_listings_below_objects_and_beta_alone(started: Started) -> None:
    simulator, http = started
    served = simulator.world.tenants[ONE]
    served.collections["servicePrincipals"] = [{"id": "graph-sp"}, {"id": "client-sp"}]
    served.collections["appRoleAssignments"] = [
        {"id": "1", "resourceId": "graph-sp", "principalId": "client-sp"},
        {"id": "2", "resourceId": "other", "principalId": "client-sp"},
    ]
    served.collections["groups"] = [{"id": "g", "members": [{"id": f"m{n}"} for n in range(30)]}]
    served.grants_below["team"] = [{"id": "rsc"}]
    served.collections["exchangeRoleAssignments"] = [{"id": "rbac"}]
    headers = bearer(http, simulator)
    at = f"{simulator.graph}/v1.0"

    def ids(path: str) -> list[str]:
        return [record["id"] for record in all_records(http, f"{at}{path}", headers)]

    assert ids("/servicePrincipals/graph-sp/appRoleAssignedTo") == ["1"]
    assert ids("/servicePrincipals/client-sp/appRoleAssignments") == ["1", "2"]
    assert len(ids("/groups/g/members?$top=12")) == 30
    expanded = all_records(http, f"{at}/groups?$expand=members", headers)
    assert len(expanded[0]["members"]) == 20, "an expanded list holds twenty at most"
    assert ids("/teams/team/permissionGrants") == ["rsc"]
    assert http.get(f"{at}/servicePrincipals/gone/appRoleAssignedTo", headers=headers).status_code == 404
    assert http.get(f"{at}/roleManagement/exchange/roleAssignments", headers=headers).status_code == 400
    beta = all_records(http, f"{simulator.graph}/beta/roleManagement/exchange/roleAssignments", headers)
    assert beta == [{"id": "rbac"}]


def test_a_page_size_above_the_limit_is_refused(started: Started) -> None:
    simulator, http = started
    headers = bearer(http, simulator)
    answer = http.get(f"{simulator.graph}/v1.0/servicePrincipals?$top=1000", headers=headers)
    assert answer.status_code == 400
    assert "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive" in answer.text
    assert http.get(f"{simulator.graph}/v1.0/auditLogs/signIns?$top=1000", headers=headers).status_code == 200


def test_permission_and_licence(started: Started) -> None:
    simulator, http = started
    simulator.world.tenants[TWO] = tenant(
        TWO, roles=tuple(set(ROLES) - {"AuditLog.Read.All", "User.Read.All", "Directory.Read.All"})
    )
    headers = bearer(http, simulator, tenant=TWO)
    answer = http.get(f"{simulator.graph}/v1.0/users", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authorization_RequestDenied")
    answer = http.get(f"{simulator.graph}/v1.0/auditLogs/signIns", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "Authentication_MSGraphPermissionMissing")
    simulator.world.tenants[ONE].plans.remove(P1)
    headers = bearer(http, simulator)
    answer = http.get(f"{simulator.graph}/beta/auditLogs/signIns", headers=headers)
    assert answer.json()["error"]["code"] == "Authentication_RequestFromNonPremiumTenantOrB2CTenant"
    assert http.get(f"{simulator.graph}/v1.0/auditLogs/directoryAudits", headers=headers).status_code == 200


def test_late_records_and_retention(started: Started) -> None:
    simulator, http = started
    served = simulator.world.tenants[ONE]
    served.arrivals["audit-0"] = NOW + timedelta(hours=1)
    headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/auditLogs/directoryAudits"
    assert len(all_records(http, url, headers)) == 39
    simulator.advance(timedelta(hours=2))
    assert len(all_records(http, url, headers)) == 40
    simulator.advance(timedelta(days=31))
    assert all_records(http, url, headers) == []


def test_microsofts_limits_in_simulated_time() -> None:
    clock = SimulatedClock(NOW, pace=0)
    with running(small_world(), clock=clock, with_limits=True) as simulator, client(simulator) as http:
        headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/auditLogs/directoryAudits"
        answers = [http.get(url, headers=headers) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert answers[-1].headers["Retry-After"] == "10"
        other = http.get(url, headers=bearer(http, simulator, tenant=TWO))
        assert other.status_code == 200
        simulator.advance(timedelta(seconds=10))
        assert http.get(url, headers=headers).status_code == 200
        assert simulator.simulation.limits.refused == 1


def test_the_directory_counts_in_units_and_tells_how_near_its_limit_is() -> None:
    clock = SimulatedClock(NOW, pace=0)
    with running(small_world(), clock=clock, with_limits=True) as simulator, client(simulator) as http:
        headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/users"
        costs = [
            http.get(f"{url}{query}", headers=headers).headers["x-ms-resource-unit"]
            for query in ("", "?$select=id", "?$top=19", "?$select=id&$top=5", "?$expand=manager")
        ]
        assert costs == ["2", "1", "1", "1", "3"]
        simulator.simulation.limits.passed["directory", ONE].append((clock.seconds(), 2_900))
        assert http.get(url, headers=headers).headers["x-ms-throttle-limit-percentage"] == "0.8"
        simulator.simulation.limits.passed["directory", ONE].append((clock.seconds(), 590))
        refused = http.get(url, headers=headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        assert refused.headers["x-ms-throttle-scope"].startswith("Tenant_Application/")


def test_answers_are_compressed_when_they_should_be() -> None:
    with running(small_world(), is_compressing=True) as simulator, client(simulator) as http:
        answer = http.get(f"{simulator.graph}/v1.0/users", headers=bearer(http, simulator))
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(answer.json()["value"]) == 40
        assert int(answer.headers["Content-Length"]) < len(answer.content)
        assert simulator.counts()["GET", "/v1.0/users", 200] == 1


def test_filters_of_directory_listings(started: Started) -> None:
    simulator, http = started
    headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/users"
    assert all_records(http, f"{url}?$filter=userPrincipalName eq 'U3@small.example'&$select=id", headers) == [
        {"id": "user-3"}
    ]
    either = "$filter=(id eq 'user-1' or id eq 'user-2') and not (id eq 'user-2')&$select=id"
    assert all_records(http, f"{url}?{either}", headers) == [{"id": "user-1"}]
    assert len(all_records(http, f"{url}?$filter=startswith(id,'user-3')", headers)) == 11
    for wrong in ("id eq", "id like 'x'", "(id eq 'x'", "id eq 'x')", "createdDateTime ge yesterday"):
        assert http.get(f"{url}?$filter={wrong}", headers=headers).status_code == 400


def test_one_address_serves_all_or_each_its_own() -> None:
    with running(small_world(records=1)) as simulator:
        assert simulator.login == simulator.graph == simulator.manage == simulator.origin
    with running(small_world(records=1), separate_ports=True) as simulator, client(simulator) as http:
        assert len({simulator.login, simulator.graph, simulator.manage}) == 3
        assert ask_token(http, simulator).status_code == 200
        assert http.get(f"{simulator.login}/v1.0/users", headers=bearer(http, simulator)).status_code == 404


def test_a_skip_token_is_good_for_its_tenant_alone(started: Started) -> None:
    simulator, http = started
    link = http.get(f"{simulator.graph}/v1.0/users?$top=3", headers=bearer(http, simulator)).json()["@odata.nextLink"]
    assert http.get(link, headers=bearer(http, simulator)).status_code == 200
    assert http.get(link, headers=bearer(http, simulator, tenant=TWO)).status_code == 400


def test_hostile_requests_are_refused_and_break_nothing(started: Started) -> None:
    simulator, http = started
    headers, base = bearer(http, simulator), f"{simulator.graph}/v1.0"
    for path in ("/security/auditLog/queries", "/$batch"):
        for body in (b"", b"[]", b"null", b"7", b'{"requests": 7}', b'{"requests": [7]}', b"\xff", b'{"requests": []}'):
            assert http.post(f"{base}{path}", content=body, headers=headers).status_code == 400
    for query in (
        "$top=x",
        "$top=-1",
        "$top=0",
        "$skiptoken=",
        "$skiptoken=\x00",
        "$skiptoken=bm9uc2Vuc2U",
        "$filter=(",
    ):
        assert http.get(f"{base}/users", params=query, headers=headers).status_code == 400
    for path in ("", "/", "/v1.0", "/v2.0/users", "//users", "/v1.0/nothing", "/api/v1.0/x/activity/feed/nothing"):
        assert 400 <= http.get(f"{simulator.graph}{path}", headers=headers).status_code < 500
    assert http.post(f"{simulator.login}/x/oauth2/v2.0/token", content=b"\xff\x00").status_code == 400


def test_a_mistake_of_the_simulators_own_is_loud() -> None:
    with (  # noqa: PT012
        pytest.raises(BrokenError, match=r"/v1\.0/users"),
        running(small_world(records=1)) as simulator,
        client(simulator) as http,
    ):
        simulator.world.tenants[ONE].collections["users"] = [{"id": object()}]
        assert http.get(f"{simulator.graph}/v1.0/users", headers=bearer(http, simulator)).status_code == 500


def test_a_seed_makes_a_plan_again() -> None:
    plans = [random_plan(seed, [ONE, TWO]) for seed in range(200)]
    assert str(plans[7]) == str(random_plan(7, [ONE, TWO]))
    assert all(3 <= len(list(plan)) <= 10 for plan in plans)
    assert {plan.may_lose for plan in plans} == {True, False}
    assert not any(random_plan(seed, [ONE], gaps=0).may_lose for seed in range(50))
    assert len({fault.kind for plan in plans for fault in plan}) > 25


def test_pages_are_whole_whatever_their_size(started: Started) -> None:
    simulator, http = started
    headers = bearer(http, simulator)
    for size in (1, 7, 39, 40, 41):
        found = pages(http, f"{simulator.graph}/v1.0/users?$top={size}", headers)
        assert [record["id"] for page in found for record in page["value"]] == [f"user-{n}" for n in range(40)]

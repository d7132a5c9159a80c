"""A tenant's client: what it sends, what it does with each answer, when it stops."""

from __future__ import annotations

import asyncio
import base64
import gzip
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from m365audit.graph.answers import Answer
from m365audit.graph.client import WORKING_ON, TenantClient
from m365audit.graph.failures import CollectionError, NotFoundError, SignInError, StaleLinkError
from m365audit.graph.retry import MAX_FAULTS
from m365audit.graph.values import Waiting

from .wired import ME, TENANT, Told, Wired, ok, raw, refusal, wired

Asking = Callable[[TenantClient], Awaitable[Answer]]


async def me(client: TenantClient) -> Answer:
    """Ask for something harmless."""
    return await client.get(ME, limits=["directory"], cost=2)


def failure(setting: Wired, asking: Asking = me, **options: Any) -> CollectionError:
    """Return how asking fails."""
    with pytest.raises(CollectionError) as caught:
        setting.run(asking, **options)
    return caught.value


def test_what_the_sdk_builds_is_sent_with_our_headers_and_read_raw() -> None:
    async def asking(client: TenantClient) -> Answer:
        info = client.sdk.audit_logs.directory_audits.to_get_request_information()
        info.query_parameters["%24filter"] = "activityDateTime ge 2026-09-01T00:00:00Z"
        info.query_parameters["%24top"] = 1000
        return await client.send(info, limits=["reports"])

    setting = wired(ok())
    answer = setting.run(asking)
    request = setting.server.asked[0]
    assert str(request.url) == (
        "https://graph.microsoft.com/v1.0/auditLogs/directoryAudits"
        "?$filter=activityDateTime%20ge%202026-09-01T00%3A00%3A00Z&$top=1000"
    )
    assert request.headers["accept"] == "application/json"
    assert request.headers["prefer"] == "include-unknown-enum-members"
    assert request.headers["accept-encoding"] == "gzip"
    assert request.headers["user-agent"].startswith("m365audit/")
    assert len(request.headers["client-request-id"]) == 36
    assert request.headers["authorization"] == "Bearer canary-1-https://graph.microsoft.com/.default"
    assert not {"cookie", "sdkversion", "hostos"} & set(request.headers)
    assert (answer.status, answer.body) == (200, b'{"value": []}')
    assert setting.throttle.admitted == [(("reports",), 1)]
    assert setting.throttle.noted == [(200, None)]


def test_beta_is_another_base_address() -> None:
    async def asking(client: TenantClient) -> Answer:
        info = client.sdk.audit_logs.sign_ins.to_get_request_information()
        await client.send(info, limits=["reports"], is_beta=True)
        return await client.send(info, limits=["reports"])

    setting = wired(ok())
    setting.run(asking)
    assert [request.url.path for request in setting.server.asked] == [
        "/beta/auditLogs/signIns",
        "/v1.0/auditLogs/signIns",
    ]


def test_what_the_sdk_has_no_builder_for_is_a_template() -> None:
    async def asking(client: TenantClient) -> Answer:
        info = RequestInformation(Method.GET, "{+baseurl}/roleManagement/exchange/roleAssignments{?%24top}", {})
        info.query_parameters["%24top"] = 5
        info.headers.add("Prefer", "odata.maxpagesize=5")
        return await client.send(info, limits=["directory"], is_beta=True)

    setting = wired(ok())
    setting.run(asking)
    request = setting.server.asked[0]
    assert str(request.url) == "https://graph.microsoft.com/beta/roleManagement/exchange/roleAssignments?$top=5"
    assert {part.strip() for part in request.headers["prefer"].split(",")} == {
        "odata.maxpagesize=5", "include-unknown-enum-members",
    }  # fmt: skip


def test_more_headers_go_with_an_address() -> None:
    setting = wired(ok())
    setting.run(lambda client: client.get(ME, limits=["directory"], headers={"ConsistencyLevel": "eventual"}))
    assert setting.server.asked[0].headers["consistencylevel"] == "eventual"


def test_only_get_is_sent_without_looking() -> None:
    async def asking(client: TenantClient) -> Answer:
        return await client.send(RequestInformation(Method.DELETE, "{+baseurl}/users/1", {}), limits=["directory"])

    setting = wired()
    with pytest.raises(ValueError, match="send is for GET"):
        setting.run(asking)
    assert setting.server.asked == []


def test_nothing_of_an_answer_comes_back_in_a_request() -> None:
    setting = wired(ok(Set_Cookie="track=me", ETag="x"), ok())

    async def twice(client: TenantClient) -> Answer:
        await me(client)
        return await me(client)

    setting.run(twice)
    assert not {"cookie", "if-none-match"} & set(setting.server.asked[1].headers)


FAULTS: list[Told] = [
    httpx.ReadError("the connection was lost"),
    httpx.ConnectError("the server could not be reached"),
    httpx.ReadTimeout("the server fell silent"),
    httpx.RemoteProtocolError("the answer ended before its end"),
    httpx.ProxyError("the proxy refused"),
    refusal(500),
    refusal(502),
    refusal(503, Retry_After="3"),
    refusal(504),
    refusal(408),
    refusal(400, "AF50000"),
    raw(b"<html>Bad gateway</html>", status=403),
    refusal(403, "UnknownError"),
    raw(b""),
    raw(b"<html>Sign in to the airport</html>"),
    raw(b'{"value": ['),
    raw(b'{"value": []}', Content_Length="14"),
    raw(gzip.compress(b'{"value": []}')[:-1], Content_Encoding="gzip"),
]


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_after_a_fault_the_question_is_asked_again_over_new_connections(fault: Any) -> None:
    setting = wired(fault, ok())
    answer, requests = setting.run(_counted)
    assert answer.body == b'{"value": []}'
    assert requests == 2
    assert setting.server.connections == [1, 2]
    assert [event.seconds for event in setting.events if isinstance(event, Waiting)] == setting.slept
    assert len(setting.slept) == 1


async def _counted(client: TenantClient) -> tuple[Answer, int]:
    return await me(client), client.requests


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_that_lasts_is_an_error_and_never_an_empty_page(fault: Any) -> None:
    setting = wired(fault)
    error = failure(setting)
    assert error.reason == "error"
    assert f"given up after {MAX_FAULTS} requests" in str(error)
    assert len(setting.server.asked) == MAX_FAULTS
    assert "https://" not in str(error)


@pytest.mark.parametrize("limit", [refusal(429, Retry_After="2.128"), refusal(403, "AF429", Retry_After="2.128")])
def test_a_limit_is_waited_for_on_the_same_connections(limit: Any) -> None:
    setting = wired(limit, ok())
    setting.run(me)
    assert setting.slept == [2.128]
    assert setting.server.connections == [1, 1]
    assert setting.throttle.noted == [(429, 2.128), (200, None)]
    assert len(setting.throttle.admitted) == 2


def test_a_limit_that_lasts_is_a_gap_named_so() -> None:
    error = failure(wired(refusal(429, "TooManyRequests", "x", Retry_After="1e11")))
    assert (error.reason, error.status, error.code) == ("throttled", 429, "TooManyRequests")


def test_a_limit_longer_than_the_tenants_time_ends_it_at_once() -> None:
    setting = wired(refusal(429, Retry_After="60"))
    error = failure(setting, deadline=timedelta(seconds=50))
    assert (error.reason, setting.slept) == ("throttled", [])


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (refusal(404, "Request_ResourceNotFound"), NotFoundError, "error"),
        (refusal(410), NotFoundError, "error"),
        (refusal(400, "BadRequest", "Invalid Skip Token"), StaleLinkError, "error"),
        (refusal(403, "Authorization_RequestDenied"), CollectionError, "permission"),
        (refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), CollectionError, "licence"),
        (refusal(400, "AF20051"), CollectionError, "expired"),
        (refusal(401, "", "Tenant x does not exist"), CollectionError, "disabled"),
        (refusal(400, "AF20024", "already enabled"), CollectionError, "error"),
        (raw(b"", status=304), CollectionError, "error"),
    ],
)
def test_a_refusal_is_said_once_with_its_reason(answer: Any, kind: type[CollectionError], reason: str) -> None:
    setting = wired(answer)
    error = failure(setting)
    assert (type(error), error.reason, error.status) == (kind, reason, answer.status_code)
    assert len(setting.server.asked) == 1
    assert f"HTTP {answer.status_code}" in str(error)


def test_no_body_is_no_error_when_none_was_announced() -> None:
    assert wired(raw(b"", status=204)).run(me).body == b""


def test_too_much_is_not_asked_for_again() -> None:
    setting = wired(raw(b'{"a":"' + b"x" * 2000 + b'"}'))
    error = failure(setting, max_bytes=1000)
    assert (error.reason, len(setting.server.asked)) == ("error", 1)
    assert failure(wired(raw(b"[" * 300 + b"]" * 300))).reason == "error"


def test_an_expired_token_is_replaced_once() -> None:
    setting = wired(raw(b"", status=401), ok())
    setting.run(me)
    assert [(claims, is_fresh) for _, claims, is_fresh in setting.tokens.asked] == [(None, False), (None, True)]
    assert len(set(setting.server.tokens)) == 2
    setting = wired(refusal(401, "InvalidAuthenticationToken"))
    error = failure(setting)
    assert isinstance(error, SignInError)
    assert (error.is_refused, error.code, len(setting.server.asked)) == (True, "InvalidAuthenticationToken", 2)


CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1725184800"}}}'
PACKED = base64.b64encode(CLAIMS.encode()).decode()


def challenge(claims: str = PACKED, error: str = "insufficient_claims") -> httpx.Response:
    """Return what continuous access evaluation says."""
    header = f'Bearer realm="", authorization_uri="https://login.example/", error="{error}", claims="{claims}"'
    return raw(b"", status=401, WWW_Authenticate=header)


def test_demanded_claims_are_brought_once() -> None:
    setting = wired(challenge(), ok())
    setting.run(me)
    assert [(claims, is_fresh) for _, claims, is_fresh in setting.tokens.asked] == [(None, False), (CLAIMS, False)]
    setting = wired(challenge())
    assert isinstance(failure(setting), SignInError)
    assert len(setting.server.asked) == 2


def test_expiry_and_claims_together_are_bounded() -> None:
    setting = wired(raw(b"", status=401), challenge(), raw(b"", status=401), challenge())
    assert isinstance(failure(setting), SignInError)
    assert len(setting.server.asked) <= 4


@pytest.mark.parametrize("claims", ["!!!", "", base64.b64encode(b"no json").decode(), "A" * 9000])
def test_demands_that_cannot_be_read_are_met_with_a_fresh_token(claims: str) -> None:
    setting = wired(challenge(claims), ok())
    setting.run(me)
    assert setting.tokens.asked[1][1:] == (None, True)


def test_redirects_within_the_cloud_are_followed_a_few_times() -> None:
    setting = wired(raw(b"", status=302, Location="https://graph.microsoft.com/v1.0/elsewhere?$x=1"), ok())
    setting.run(me)
    assert str(setting.server.asked[1].url) == "https://graph.microsoft.com/v1.0/elsewhere?$x=1"
    setting = wired(raw(b"", status=307, Location=ME))
    assert failure(setting).reason == "error"
    assert len(setting.server.asked) == 4


def test_time_that_is_over_ends_everything() -> None:
    async def late(client: TenantClient) -> Answer:
        setting.time += 61
        return await me(client)

    setting = wired(ok())
    error = failure(setting, late, deadline=timedelta(seconds=60))
    assert (error.reason, setting.server.asked) == ("error", [])


def test_an_answer_that_never_comes_is_a_fault() -> None:
    setting = wired(ok())
    setting.server.open = _Silent  # type: ignore[method-assign]
    error = failure(setting, request_seconds=0.01)
    assert error.reason == "error"
    assert "no whole answer" in str(error)


class _Silent(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        await asyncio.Event().wait()
        return ok()


def test_the_time_is_microsofts() -> None:
    async def asking(client: TenantClient) -> tuple[datetime, datetime, Answer]:
        before = client.now()
        answer = await me(client)
        setting.time += 90
        return before, client.now(), answer

    setting = wired(ok())
    before, after, answer = setting.run(asking)
    assert abs(before - datetime.now(UTC)) < timedelta(minutes=1)
    assert answer.at == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert after == datetime(2026, 9, 1, 10, 1, 30, tzinfo=UTC)


def test_gateways_do_not_tell_the_time() -> None:
    async def asking(client: TenantClient) -> datetime:
        await me(client)
        with pytest.raises(CollectionError):
            await me(client)
        return client.now()

    page = raw(b"<html></html>", Date="Thu, 01 Jan 1970 00:00:00 GMT")
    told = wired(ok(), page).run(asking)
    assert told >= datetime(2026, 9, 1, 10, tzinfo=UTC)
    told = wired(ok(), refusal(403, "Authorization_RequestDenied", Date="Tue, 01 Sep 2026 10:04:00 GMT")).run(asking)
    assert told == datetime(2026, 9, 1, 10, 4, tzinfo=UTC)


def test_waits_are_told_with_the_collection_that_waits() -> None:
    async def asking(client: TenantClient) -> Answer:
        WORKING_ON.set("directory_audits")
        return await me(client)

    setting = wired(refusal(429, Retry_After="5"), ok())
    setting.throttle.waits = 7.0
    setting.run(asking)
    waits = [event for event in setting.events if isinstance(event, Waiting)]
    assert [event.seconds for event in waits] == [7.0, 5.0, 7.0]
    assert {(event.tenant, event.collection) for event in waits} == {(TENANT, "directory_audits")}


def test_no_token_no_query_and_no_body_is_ever_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    link = "https://graph.microsoft.com/v1.0/x?$skiptoken=canary"
    for told in (
        *FAULTS,
        refusal(401, "a", "canary"),
        refusal(403, "b", "canary"),
        refusal(400, "c", "canary skiptoken"),
        refusal(404, "d", "canary"),
        raw(b"", status=302, Location="https://canary@evil.example/canary?canary"),
    ):
        with pytest.raises(CollectionError) as caught:
            wired(told).run(lambda client: client.get(link, limits=["directory"]))
        error: BaseException | None = caught.value
        while error is not None:
            assert "canary" not in f"{error} {error!r} {vars(error)}"
            error = error.__cause__ or error.__context__
    assert "canary" not in caplog.text


def test_closing_closes_everything() -> None:
    setting = wired()
    setting.run(me)
    assert setting.tokens.is_closed


def test_places_are_held_for_the_tenant() -> None:
    async def asking(client: TenantClient) -> int:
        async with client.slot("audit_queries"):
            return client.requests

    setting = wired()
    assert setting.run(asking) == 0
    assert len(setting.events) == 1

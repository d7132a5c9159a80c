"""A POST is never sent twice without having looked whether the first took effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest

from m365audit.graph.answers import Answer
from m365audit.graph.client import TenantClient
from m365audit.graph.failures import CollectionError, LinkRefusedError, SignInError

from .wired import DATE, Told, ok, raw, refusal, wired

URL = "https://manage.office.com/api/v1.0/x/activity/feed/subscriptions/start?contentType=Audit.Exchange"
FOUND = Answer(200, {}, b"{}", datetime(2026, 9, 1, tzinfo=UTC))

REPEATABLE: list[Told] = [
    httpx.ReadError("the connection was lost"),
    httpx.ConnectError("the server could not be reached"),
    refusal(500),
    refusal(503, Retry_After="1"),
    refusal(429, Retry_After="1"),
    refusal(403, "AF429"),
    raw(b"", status=401),
    raw(b"", status=201),
    raw(b"<html></html>"),
]


class Looking:
    """Looks whether a POST took effect; finds it at the time told, counted from one."""

    def __init__(self, *, found_at: int = 0) -> None:
        self.looked = 0
        self.found_at = found_at

    async def __call__(self) -> Answer | None:
        """Look."""
        self.looked += 1
        return FOUND if self.looked == self.found_at else None

    def posting(self, body: bytes = b'{"a": 1}') -> Callable[[TenantClient], Awaitable[Answer]]:
        """Return what posts, looking with this."""
        return lambda client: client.post(URL, body=body, limits=["management"], look_first=self)


def test_a_post_that_works_is_sent_once_and_nobody_looks() -> None:
    setting, looking = wired(raw(b'{"id": "1"}', status=201, Date=DATE)), Looking()
    assert setting.run(looking.posting()).body == b'{"id": "1"}'
    request = setting.server.asked[0]
    assert (request.method, str(request.url), request.content) == ("POST", URL, b'{"a": 1}')
    assert request.headers["content-type"] == "application/json"
    assert setting.tokens.asked == [("https://manage.office.com/.default", None, False)]
    assert looking.looked == 0


@pytest.mark.parametrize("fault", REPEATABLE, ids=str)
def test_after_any_failure_it_is_looked_first(fault: Told) -> None:
    setting, looking = wired(fault, fault, ok()), Looking(found_at=1)
    assert setting.run(looking.posting()) is FOUND
    assert (len(setting.server.asked), looking.looked) == (1, 1)


@pytest.mark.parametrize("fault", REPEATABLE, ids=str)
def test_what_did_not_take_effect_is_sent_again(fault: Told) -> None:
    setting, looking = wired(fault, ok()), Looking()
    assert setting.run(looking.posting()).body == b'{"value": []}'
    assert (len(setting.server.asked), looking.looked) == (2, 1)
    assert [request.content for request in setting.server.asked] == [b'{"a": 1}'] * 2


def test_it_is_looked_before_every_repetition() -> None:
    setting, looking = wired(refusal(500)), Looking()
    with pytest.raises(CollectionError):
        setting.run(looking.posting())
    assert looking.looked == len(setting.server.asked) - 1


def test_when_looking_fails_nothing_is_sent_again() -> None:
    async def look() -> Answer | None:
        raise CollectionError("permission", "the auditor may not look")

    setting = wired(refusal(500))
    with pytest.raises(CollectionError, match="may not look"):
        setting.run(lambda client: client.post(URL, body=b"{}", limits=["management"], look_first=look))
    assert len(setting.server.asked) == 1


def test_looking_may_ask_the_same_client() -> None:
    async def asking(client: TenantClient) -> Answer:
        async def look() -> Answer | None:
            return await client.get("https://manage.office.com/api/v1.0/list", limits=["management"])

        return await client.post(URL, body=b"{}", limits=["management"], look_first=look)

    setting = wired(refusal(500), refusal(503), ok())
    setting.run(asking)
    assert [request.method for request in setting.server.asked] == ["POST", "GET", "GET"]


def test_a_refused_post_is_not_repeated() -> None:
    setting, looking = wired(refusal(400, "AF20024", "already enabled")), Looking()
    with pytest.raises(CollectionError) as caught:
        setting.run(looking.posting())
    assert caught.value.code == "AF20024"
    assert (len(setting.server.asked), looking.looked) == (1, 0)


def test_a_post_is_not_redirected() -> None:
    setting, looking = wired(raw(b"", status=307, Location="https://manage.office.com/elsewhere")), Looking()
    with pytest.raises(CollectionError, match="elsewhere"):
        setting.run(looking.posting())
    setting = wired(raw(b"", status=307, Location="https://evil.example/"))
    with pytest.raises(LinkRefusedError):
        setting.run(looking.posting())
    assert (len(setting.server.asked), looking.looked) == (1, 0)


def test_without_a_token_nothing_was_sent() -> None:
    setting, looking = wired(), Looking()
    setting.tokens.error = SignInError("no", hint="", is_refused=True)
    with pytest.raises(SignInError):
        setting.run(looking.posting())
    assert setting.server.asked == []


def test_the_sdk_builds_posts_too() -> None:
    async def asking(client: TenantClient) -> Answer:
        queries = client.sdk.security.audit_log.queries
        info = queries.to_get_request_information()
        return await client.post(info, body=b'{"displayName": "x"}', limits=["audit_queries"], look_first=Looking())

    setting = wired(raw(b'{"id": "1"}', status=201))
    setting.run(asking)
    request = setting.server.asked[0]
    assert (request.method, request.url.path) == ("POST", "/v1.0/security/auditLog/queries")
    assert request.content == b'{"displayName": "x"}'
    assert request.headers["content-length"] == "20"

"""Every fault by its name, as the wire shows it."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest

from m365audit.simulator.service import KINDS, Fault, FaultPlan, Simulator, running
from m365audit.simulator.service.fault_answers import INSTEAD
from m365audit.simulator.service.fault_pages import CHANGES
from m365audit.simulator.service.hostile_links import hostile_links
from m365audit.simulator.service.wire_faults import MAKERS

from .asking import all_records, ask_token, bearer, client, pages
from .small_world import ONE, TWO, small_world

USERS = "/v1.0/users"
Started = tuple[Simulator, httpx.Client]


@pytest.fixture(scope="module")
def started() -> Iterator[Started]:
    with running(small_world(), separate_ports=True) as simulator, client(simulator, timeout=3) as http:
        for tenant in simulator.world.tenants.values():
            tenant.subscriptions["Audit.Exchange"] = tenant.audit[-1].arrived_at
        yield simulator, http


@pytest.fixture
def faulty(started: Started) -> Iterator[Callable[..., Started]]:
    simulator, _ = started

    def plan(*faults: Fault) -> Started:
        simulator.faults.add(*faults)
        return started

    yield plan
    simulator.faults.clear()
    simulator.simulation.challenged.clear()
    simulator.simulation.disabled_subscriptions.clear()


def users(simulator: Simulator, http: httpx.Client, **options: Any) -> httpx.Response:
    return http.get(f"{simulator.graph}{USERS}", headers=bearer(http, simulator), **options)


def content(simulator: Simulator, http: httpx.Client) -> httpx.Response:
    headers = bearer(http, simulator, resource=simulator.manage)
    feed = f"{simulator.manage}/api/v1.0/{ONE}/activity/feed"
    return http.get(f"{feed}/subscriptions/content?contentType=Audit.Exchange", headers=headers)


def users_only(kind: str, **more: Any) -> Fault:
    return Fault(kind, where=f"*{USERS}", **more)


def detailed(kind: str, **detail: Any) -> Fault:
    return users_only(kind, detail=detail)


FORMS: Mapping[str, Callable[[str], bool]] = {
    "integer": lambda text: text == "1",
    "fraction": lambda text: text == "1.128",
    "date": lambda text: text.endswith("GMT"),
    "past_date": lambda text: text.endswith("GMT"),
    "negative": lambda text: text == "-5",
    "huge": lambda text: len(text) == 12,
    "empty": lambda text: not text,
    "foreign_digit": lambda text: text.encode("latin-1").decode() == "٢",
    "Tue, 99 Foo": lambda text: text == "Tue, 99 Foo",
}


@pytest.mark.parametrize("form", FORMS)
def test_a1_throttled_with_any_retry_after(faulty: Callable[..., Started], form: str) -> None:
    simulator, http = faulty(detailed("throttled", retry_after=form))
    answer = users(simulator, http)
    assert answer.status_code == 429
    assert FORMS[form](_raw(answer, "retry-after"))
    assert users(simulator, http).status_code == 200


def _raw(answer: httpx.Response, name: str) -> str:
    return next(value.decode("latin-1") for key, value in answer.headers.raw if key.decode().lower() == name)


def test_a2_throttled_without_header(faulty: Callable[..., Started]) -> None:
    answer = users(*faulty(detailed("throttled_without_header")))
    assert answer.status_code == 429
    assert "Retry-After" not in answer.headers


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a3_a_burst_of_unavailability(faulty: Callable[..., Started], status: int) -> None:
    simulator, http = faulty(users_only("unavailable", count=3, detail={"status": status}))
    assert [users(simulator, http).status_code for _ in range(4)] == [status] * 3 + [200]


def test_a4_throttled_as_403(faulty: Callable[..., Started]) -> None:
    answer = content(*faulty(Fault("throttled_as_forbidden")))
    assert answer.status_code == 403
    assert answer.json()["error"]["code"] == "AF429"


@pytest.mark.parametrize("at", ["before", "head", "body", 1, 400])
@pytest.mark.parametrize("ending", ["abort", "close"])
def test_a5_connection_ends_too_early(faulty: Callable[..., Started], at: str | int, ending: str) -> None:
    simulator, http = faulty(detailed("aborted", at=at, ending=ending))
    with pytest.raises(httpx.TransportError):
        users(simulator, http)
    assert users(simulator, http).status_code == 200


def test_a5_connection_ends_after_the_last_byte(faulty: Callable[..., Started]) -> None:
    answer = users(*faulty(detailed("aborted", at="end")))
    assert len(answer.json()["value"]) == 40


def test_a5_a_post_may_have_taken_effect(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(Fault("aborted", method="POST", service="graph", detail={"at": "before"}))
    headers, url = bearer(http, simulator), f"{simulator.graph}/v1.0/security/auditLog/queries"
    body = {"filterStartDateTime": "2026-09-15T00:00:00Z", "filterEndDateTime": "2026-09-15T08:00:00Z"}
    with pytest.raises(httpx.TransportError):
        http.post(url, json=body, headers=headers)
    assert len(http.get(url, headers=headers).json()["value"]) == 1


def test_a6_body_shorter_than_its_length(faulty: Callable[..., Started]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        users(*faulty(detailed("wrong_length", by=7)))


def test_a6_body_longer_than_its_length(faulty: Callable[..., Started]) -> None:
    answer = users(*faulty(detailed("wrong_length", by=-7)))
    assert not answer.text.endswith("]}")


def test_a6_chunked_without_end(faulty: Callable[..., Started]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        users(*faulty(detailed("chunked_without_end")))


@pytest.mark.parametrize(
    "flaw",
    [
        "truncated",
        "truncated_trailer",
        "bad_crc",
        "bad_size",
        "extra_member",
        "trailing_bytes",
        "not_gzip",
        "no_header",
    ],
)
def test_a7_bad_gzip(faulty: Callable[..., Started], flaw: str) -> None:
    simulator, http = faulty(detailed("bad_gzip", flaw=flaw))
    with http.stream("GET", f"{simulator.graph}{USERS}", headers=bearer(http, simulator)) as answer:
        sent = b"".join(answer.iter_raw())
        assert (answer.headers.get("Content-Encoding") == "gzip") is (flaw != "no_header")
    good = gzip.compress(users(simulator, http).content, 1)
    assert sent != good or flaw == "no_header"


@pytest.mark.parametrize("kind", ["truncated_json", "html", "empty_body", "not_json"])
def test_a8_not_a_page_though_it_says_200(faulty: Callable[..., Started], kind: str) -> None:
    answer = users(*faulty(detailed(kind)))
    assert answer.status_code == 200
    assert "value" not in (_json(answer) or {})


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def test_a9_empty_pages_lead_on_to_the_records(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("empty_pages", first=2, count=3))
    found = pages(http, f"{simulator.graph}{USERS}?$top=20", bearer(http, simulator))
    assert [len(page["value"]) for page in found] == [20, 0, 0, 0, 20]


def test_a10_a_pull_lacks_records_and_says_nothing(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("records_missing", detail={"percent": 30, "seed": 7}))
    headers, url = bearer(http, simulator), f"{simulator.graph}{USERS}?$top=9"
    first, second = all_records(http, url, headers), all_records(http, url, headers)
    assert 0 < len(first) < 40
    assert len(second) == 40


def test_a10_a_page_ends_early(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("ends_early", first=2))
    found = pages(http, f"{simulator.graph}{USERS}?$top=10", bearer(http, simulator))
    assert [len(page["value"]) for page in found] == [10, 5]


@pytest.mark.parametrize(("form", "links"), [("same", 1), ("pair", 2), ("growing", 12)])
def test_a11_links_that_never_end(faulty: Callable[..., Started], form: str, links: int) -> None:
    simulator, http = faulty(users_only("link_loop", detail={"form": form}))
    headers, link, seen = bearer(http, simulator), f"{simulator.graph}{USERS}?$top=10", []
    for _ in range(12):
        answer = http.get(link, headers=headers)
        assert answer.status_code == 200, answer.text
        link = answer.json()["@odata.nextLink"]
        seen.append(link)
    assert len(set(seen)) == links


@pytest.mark.parametrize(("form", "links"), [("same", 1), ("pair", 2), ("growing", 9)])
def test_a11_content_listings_that_never_end(faulty: Callable[..., Started], form: str, links: int) -> None:
    simulator, http = faulty(Fault("link_loop", detail={"form": form}))
    headers, seen = bearer(http, simulator, resource=simulator.manage), []
    link = f"{simulator.manage}/api/v1.0/{ONE}/activity/feed/subscriptions/content?contentType=Audit.Exchange"
    for _ in range(9):
        answer = http.get(link, headers=headers)
        assert len(answer.json()) > 30
        link = answer.headers["NextPageUri"]
        seen.append(link)
    assert len(set(seen)) == links


def test_a9_an_empty_content_listing_leads_on(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(Fault("empty_pages", where="*/content", count=2))
    headers, answer = bearer(http, simulator, resource=simulator.manage), content(simulator, http)
    sizes = [len(answer.json())]
    while "NextPageUri" in answer.headers:
        answer = http.get(answer.headers["NextPageUri"], headers=headers)
        sizes.append(len(answer.json()))
    assert sizes == [0, 0, 40]


@pytest.mark.parametrize("status", [400, 410])
def test_a12_skip_token_expires(faulty: Callable[..., Started], status: int) -> None:
    simulator, http = faulty(users_only("skip_token_expired", detail={"status": status, "all": True}))
    headers = bearer(http, simulator)
    link = users(simulator, http, params={"$top": "10"}).json()["@odata.nextLink"]
    assert http.get(link, headers=headers).status_code == status
    assert http.get(link, headers=headers).status_code == 400


def test_a13_links_elsewhere(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("hostile_link"))
    link = users(simulator, http).json()["@odata.nextLink"]
    assert link.startswith(simulator.elsewhere.origin)
    assert not simulator.elsewhere.contacts
    http.get(link, headers={"Authorization": "Bearer x"})
    assert [(c.had_token, c.is_plain) for c in simulator.elsewhere.contacts] == [(True, False)]
    simulator.elsewhere.contacts.clear()


@pytest.mark.parametrize("what", ["content_uri", "next_page_uri"])
def test_a13_links_of_the_management_api(faulty: Callable[..., Started], what: str) -> None:
    simulator, http = faulty(Fault("hostile_link", detail={"what": what}))
    answer = content(simulator, http)
    found = answer.json()[0]["contentUri"] if what == "content_uri" else answer.headers["NextPageUri"]
    assert found.startswith(simulator.elsewhere.origin)


def test_a13_there_are_sixty_hostile_links_and_each_can_be_sent(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty()
    links = hostile_links(simulator.graph, simulator.elsewhere.origin, simulator.elsewhere.plain_origin)
    assert len(links) >= 60
    assert not any(str(link).startswith(f"{simulator.graph}/v1.0/users?") for link in links.values())
    for link in links.values():
        simulator.faults.clear()
        simulator.faults.add(users_only("hostile_link", detail={"link": link}))
        assert users(simulator, http).json()["@odata.nextLink"] == link


def test_a14_token_expires_in_the_middle(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("token_expired", first=2))
    headers, url = bearer(http, simulator), f"{simulator.graph}{USERS}"
    statuses = [http.get(url, headers=headers).status_code for _ in range(3)]
    assert statuses == [200, 401, 401]
    assert http.get(url, headers=bearer(http, simulator)).status_code == 200


def test_a14_unauthorized_for_ever(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("unauthorized"))
    assert [users(simulator, http).status_code for _ in range(3)] == [401, 401, 401]


def test_a15_claims_challenge_wants_its_claims(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("claims_challenge"))
    answer = users(simulator, http)
    assert answer.status_code == 401
    assert 'error="insufficient_claims", claims="' in answer.headers["WWW-Authenticate"]
    assert users(simulator, http).status_code == 401, "a token without the claims is worth nothing any more"
    claims = '{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    token = ask_token(http, simulator, claims=claims).json()["access_token"]
    answer = http.get(f"{simulator.graph}{USERS}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200


def test_a16_permission_is_removed_half_way(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(users_only("permission_removed", first=2, tenant=ONE))
    assert [users(simulator, http).status_code for _ in range(3)] == [200, 403, 403]
    other = http.get(f"{simulator.graph}{USERS}", headers=bearer(http, simulator, tenant=TWO))
    assert other.status_code == 200


def test_a17_licence_and_audit(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(Fault("licence_missing", where="*/signIns"), Fault("audit_disabled", where="*/feed/*"))
    answer = http.get(f"{simulator.graph}/v1.0/auditLogs/signIns", headers=bearer(http, simulator))
    assert (answer.status_code, answer.json()["error"]["code"][:38]) == (403, "Authentication_RequestFromNonPremiumTe")
    off = content(simulator, http)
    assert off.status_code == 400
    assert f"Tenant {ONE} does not exist" in off.text


@pytest.mark.parametrize("code", [90002, 700016, 7000222, 700027, 7000215, 53003, 65001, 50034])
def test_a18_login_refuses(faulty: Callable[..., Started], code: int) -> None:
    simulator, http = faulty(Fault("login_refused", tenant=TWO, detail={"code": code}))
    assert ask_token(http, simulator, tenant=TWO).json()["error_codes"] == [code]
    assert ask_token(http, simulator).status_code == 200


@pytest.mark.parametrize("after", ["nothing", "head", "body"])
def test_a19_no_answer_comes(faulty: Callable[..., Started], after: str) -> None:
    simulator, http = faulty(detailed("hangs", after=after))
    headers, before = bearer(http, simulator), time.monotonic()
    with pytest.raises(httpx.ReadTimeout):
        http.get(f"{simulator.graph}{USERS}", headers=headers, timeout=0.3)
    assert time.monotonic() - before < 2


def test_a19_a_byte_now_and_then(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(detailed("drips", seconds=0.001))
    with http.stream("GET", f"{simulator.graph}{USERS}", headers=bearer(http, simulator)) as answer:
        assert len(next(answer.iter_raw())) < 10


@pytest.mark.parametrize("flaw", ["expired", "wrong_name", "self_signed"])
def test_a20_certificates_that_prove_nothing(flaw: Any) -> None:
    with running(small_world(records=1), certificate=flaw) as simulator, client(simulator) as http:
        with pytest.raises(httpx.ConnectError):
            http.get(f"{simulator.login}/{ONE}/v2.0/.well-known/openid-configuration")
        assert not len(simulator.log)


def test_a20_proxy_refuses(faulty: Callable[..., Started]) -> None:
    assert users(*faulty(detailed("proxy_refuses"))).status_code == 407


def test_a21_huge_pages(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(detailed("huge_page", bytes=3_000_000))
    answer = users(simulator, http)
    assert len(answer.content) > 3_000_000
    assert answer.json()["value"][0]["id"] == "huge"


def test_a21_many_records_and_deep_ones(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(detailed("many_records", records=5_000))
    assert len(users(simulator, http).json()["value"]) == 5_000
    simulator.faults.add(detailed("deep_nesting", depth=2_000))
    assert b"[" * 2_000 in users(simulator, http).content


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a22_redirect_elsewhere(faulty: Callable[..., Started], status: int) -> None:
    simulator, http = faulty(detailed("redirected", status=status))
    answer = users(simulator, http)
    assert answer.status_code == status
    assert answer.headers["Location"].startswith(simulator.elsewhere.origin)


def test_a23_content_expires(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(Fault("content_expired"))
    uri = content(simulator, http).json()[0]["contentUri"]
    answer = http.get(uri, headers=bearer(http, simulator, resource=simulator.manage))
    assert answer.json()["error"]["code"] == "AF20051"


def test_a24_subscription_is_switched_off_until_it_is_started(faulty: Callable[..., Started]) -> None:
    simulator, http = faulty(Fault("subscription_disabled", where="*/content"))
    assert content(simulator, http).json()["error"]["code"] == "AF20023"
    headers = bearer(http, simulator, resource=simulator.manage)
    feed = f"{simulator.manage}/api/v1.0/{ONE}/activity/feed/subscriptions"
    assert http.get(f"{feed}/list", headers=headers).json()[0]["status"] == "disabled"
    assert http.post(f"{feed}/start?contentType=Audit.Exchange", headers=headers).status_code == 200
    assert content(simulator, http).status_code == 200


def test_a24_a_new_subscription_is_silent(faulty: Callable[..., Started]) -> None:
    assert content(*faulty(Fault("warming_up"))).json() == []


def test_every_kind_has_a_fault_function_or_is_inflicted_on_the_wire() -> None:
    assert set(KINDS) == {*INSTEAD, *CHANGES, *MAKERS, "huge_page"}
    assert {f"A{n}" for n in range(1, 25)} <= {kind.catalogue for kind in KINDS.values()}


def test_a_plan_counts_and_tells_what_was_met() -> None:
    plan = FaultPlan([Fault("html", first=2, every=2, count=2)])
    with running(small_world(records=1), plan) as simulator, client(simulator) as http:
        url = f"{simulator.login}/{ONE}/v2.0/.well-known/openid-configuration"
        kinds = [http.get(url).headers["Content-Type"][:9] for _ in range(6)]
    assert kinds == ["applicati", "text/html", "applicati", "text/html", "applicati", "applicati"]
    assert [fault.kind for fault in plan.met] == ["html", "html"]
    with pytest.raises(ValueError, match="no fault"):
        Fault("no such thing")

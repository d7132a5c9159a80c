"""The simulated Microsoft 365: TLS, tokens, listings; every test speaks real HTTPS to it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from m365audit.simulator.service import Simulator, running

from .asking import all_records, ask_token, bearer, client, pages
from .small_world import AUDITOR, NOW, ONE, TWO, small_world


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(small_world()) as started:
        yield started


@pytest.fixture(scope="module")
def http(simulator: Simulator) -> Iterator[httpx.Client]:
    with client(simulator) as started:
        yield started


def test_its_own_authority_alone_vouches_for_it(simulator: Simulator) -> None:
    with (
        httpx.Client(verify=ssl.create_default_context(), trust_env=False) as stranger,
        pytest.raises(httpx.ConnectError),
    ):
        stranger.get(f"{simulator.login}/{ONE}/v2.0/.well-known/openid-configuration")


def test_secret_gives_a_token_and_a_wrong_one_does_not(simulator: Simulator, http: httpx.Client) -> None:
    granted = ask_token(http, simulator).json()
    assert granted["token_type"] == "Bearer"  # noqa: S105
    refused = ask_token(http, simulator, client_secret="wrong")  # noqa: S106
    assert refused.status_code == 401
    assert refused.json()["error"] == "invalid_client"
    assert refused.json()["error_codes"] == [7000215]
    assert refused.json()["error_description"].startswith("AADSTS7000215: ")


@pytest.mark.parametrize(
    ("fields", "tenant", "code"),
    [
        ({"client_id": "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"}, ONE, 700016),
        ({}, "99999999-9999-4999-8999-999999999999", 90002),
        ({"scope": "https://elsewhere.example/.default"}, ONE, 70011),
        ({"client_id": ""}, ONE, 90014),
    ],
)
def test_refusals_of_login(
    simulator: Simulator, http: httpx.Client, fields: dict[str, str], tenant: str, code: int
) -> None:
    assert ask_token(http, simulator, tenant=tenant, **fields).json()["error_codes"] == [code]


def test_users_come_in_pages_bound_to_their_query(simulator: Simulator, http: httpx.Client) -> None:
    headers = bearer(http, simulator)
    found = pages(http, f"{simulator.graph}/v1.0/users?$top=15", headers)
    assert [len(page["value"]) for page in found] == [15, 15, 10]
    assert "ageGroup" not in found[0]["value"][0]
    selected = all_records(http, f"{simulator.graph}/v1.0/users?$select=id,ageGroup", headers)
    assert selected[0] == {"id": "user-0", "ageGroup": "minor"}
    stolen = found[0]["@odata.nextLink"].replace("$top=15", "$top=14")
    assert http.get(stolen, headers=headers).status_code == 400


def test_a_page_may_be_asked_for_again(simulator: Simulator, http: httpx.Client) -> None:
    headers = bearer(http, simulator)
    link = http.get(f"{simulator.graph}/v1.0/users?$top=15", headers=headers).json()["@odata.nextLink"]
    assert http.get(link, headers=headers).json() == http.get(link, headers=headers).json()


def test_sign_ins_are_newest_first_and_one_kind_a_stream(simulator: Simulator, http: httpx.Client) -> None:
    headers = bearer(http, simulator)
    url = f"{simulator.graph}/beta/auditLogs/signIns?$filter=signInEventTypes/any(t: t eq 'servicePrincipal')&$top=4"
    found = all_records(http, url, headers)
    assert [record["id"] for record in found] == [f"sign-in-{n}" for n in range(2, 40, 4)]
    only = all_records(http, f"{simulator.graph}/v1.0/auditLogs/signIns", headers)
    assert [record["id"] for record in only] == [f"sign-in-{n}" for n in range(0, 40, 4)]
    assert "signInEventTypes" not in only[0]
    refused = http.get(url.replace("/beta/", "/v1.0/"), headers=headers)
    assert refused.status_code == 400
    assert "Could not find a property named 'signInEventTypes'" in refused.text


def test_windows_are_half_open_where_the_caller_says_so(simulator: Simulator, http: httpx.Client) -> None:
    headers = bearer(http, simulator)
    begin, end = NOW - timedelta(minutes=20), NOW - timedelta(minutes=10)
    asked = f"$filter=activityDateTime ge {begin:%Y-%m-%dT%H:%M:%SZ} and activityDateTime lt {end:%Y-%m-%dT%H:%M:%SZ}"
    found = all_records(http, f"{simulator.graph}/v1.0/auditLogs/directoryAudits?{asked}", headers)
    assert [record["id"] for record in found] == [f"audit-{n}" for n in range(10, 20)]
    wrong = http.get(
        f"{simulator.graph}/v1.0/auditLogs/directoryAudits?$filter=createdDateTime ge {begin:%Y-%m-%dT%H:%M:%SZ}",
        headers=headers,
    )
    assert wrong.status_code == 400


def test_the_date_header_is_simulated_time(http: httpx.Client, simulator: Simulator) -> None:
    answer = http.get(f"{simulator.graph}/v1.0/organization")
    assert answer.status_code == 401
    assert abs(parsedate_to_datetime(answer.headers["Date"]) - simulator.now()) < timedelta(seconds=5)


def test_the_log_names_every_request_and_no_secret(simulator: Simulator, http: httpx.Client) -> None:
    before = len(simulator.log)
    headers = bearer(http, simulator, tenant=TWO)
    http.get(f"{simulator.graph}/v1.0/users?$top=3", headers=headers)
    asked, listed = list(simulator.log)[before:]
    assert (asked.service, asked.method, asked.status, asked.tenant) == ("login", "POST", 200, TWO)
    assert b"secret+for" not in asked.body
    assert (listed.path, listed.query, listed.tenant, listed.client) == ("/v1.0/users", "$top=3", TWO, AUDITOR)

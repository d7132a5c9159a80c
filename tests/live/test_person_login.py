"""People sign in to the review page at the simulated login endpoint: with PKCE, and what goes wrong."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from simulator.small_world import ONE, TWO, small_world

from m365audit.graph.failures import SignInError
from m365audit.graph.person_login import LONGEST_AGO, PersonLogin
from m365audit.simulator.served import ServedClient, ServedPerson
from m365audit.simulator.service import Simulator, running

APP = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
OTHER = "eeeeeeee-eeee-4eee-8eee-eeeeeeeeeeee"
REDIRECT = "http://localhost:8365/signed-in"
ANNA = ServedPerson("AAAAAAAA-0000-4000-8000-000000000001", "Anna <b>", "anna@small.example")


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    """Start a tenant with one person and the page's application."""
    world = small_world(records=1)
    for tenant in (ONE, TWO):
        world.tenants[tenant].people[ANNA.upn] = ANNA
        world.tenants[tenant].clients[APP] = ServedClient(redirect_uris=("http://localhost/signed-in",))
        world.tenants[tenant].clients[OTHER] = ServedClient(redirect_uris=("http://localhost/signed-in",))
    with running(world) as started:
        yield started


def _login(simulator: Simulator, **changed: str) -> PersonLogin:
    given = {"tenant": ONE, "client_id": APP, "redirect": REDIRECT} | changed
    return PersonLogin(
        given["tenant"], given["client_id"], simulator.origin, given["redirect"], ca_file=simulator.ca_file
    )


def _visited(simulator: Simulator, address: str) -> dict[str, str]:
    """Return what the browser brings back."""
    with httpx.Client(verify=ssl.create_default_context(cafile=str(simulator.ca_file))) as browser:
        answer = browser.get(address)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"].startswith(REDIRECT)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def test_a_person_signs_in(simulator: Simulator) -> None:
    login = _login(simulator)
    address, flow = login.begin()
    query = dict(parse_qsl(urlsplit(address).query))
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"] == REDIRECT
    assert "offline_access" not in query["scope"]
    assert {"state", "nonce", "max_age"} <= set(query)
    person = login.finish(flow, _visited(simulator, address))
    assert (person.object_id, person.name) == (ANNA.id.lower(), ANNA.name)
    assert abs(person.at.timestamp() - time.time()) < 60


@pytest.mark.parametrize("change", [{"state": "other"}, {"code": "other"}, {"state": ""}, {"error": "access_denied"}])
def test_what_does_not_belong_together_is_refused(simulator: Simulator, change: dict[str, str]) -> None:
    login = _login(simulator)
    address, flow = login.begin()
    came_back = _visited(simulator, address) | change
    if "error" in change:
        came_back.pop("code")
    with pytest.raises(SignInError) as refused:
        login.finish(flow, came_back)
    assert flow["code_verifier"] not in str(refused.value)


def test_a_code_works_once_and_only_with_its_verifier(simulator: Simulator) -> None:
    login = _login(simulator)
    address, flow = login.begin()
    came_back = _visited(simulator, address)
    with pytest.raises(SignInError):
        login.finish({**flow, "code_verifier": "x" * 64}, came_back)
    address, flow = login.begin()
    came_back = _visited(simulator, address)
    login.finish(flow, came_back)
    with pytest.raises(SignInError):
        login.finish(flow, came_back)


@pytest.mark.parametrize(
    "claims",
    [
        {"tid": TWO}, {"aud": OTHER}, {"iss": "https://login.example/v2.0"}, {"nonce": "other"}, {"oid": None},
        {"auth_time": int(time.time()) - LONGEST_AGO - 600}, {"auth_time": None}, {"exp": int(time.time()) - 600},
    ],
)  # fmt: skip
def test_an_id_token_that_does_not_hold_is_refused(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any]
) -> None:
    login = _login(simulator)
    address, flow = login.begin()
    came_back = _visited(simulator, address)
    signed = simulator.simulation.tokens.signed

    def changed(tenant: str, audience: str, given: dict[str, Any], **options: Any) -> str:
        kept = (given | claims) if "auth_time" in given else given
        return signed(tenant, audience, {name: value for name, value in kept.items() if value is not None}, **options)

    monkeypatch.setattr(simulator.simulation.tokens, "signed", changed)
    with pytest.raises(SignInError):
        login.finish(flow, came_back)
    last = list(simulator.log)[-1]
    assert (last.path.rpartition("/")[2], last.status) in {("keys", 200), ("token", 200)}  # looked at, not lost


def test_an_id_token_signed_by_another_is_refused(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    login = _login(simulator)
    address, flow = login.begin()
    came_back = _visited(simulator, address)
    signed = simulator.simulation.tokens.signed

    def forged(*given: Any, **options: Any) -> str:
        head, body, signature = signed(*given, **options).split(".")
        return f"{head}.{body}.{'A' * 342}" if "auth_time" in given[2] else f"{head}.{body}.{signature}"

    monkeypatch.setattr(simulator.simulation.tokens, "signed", forged)
    with pytest.raises(SignInError):
        login.finish(flow, came_back)

"""People come in by signing in with Entra, here with the simulated one; who is not known may look and not decide."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from simulator.small_world import ONE, small_world

from m365audit.simulator.served import ServedClient, ServedPerson
from m365audit.simulator.service import Simulator, running
from m365audit.store.journal import open_journal
from m365audit.web.place import Place, Wanted, place_of

from .serving import REASON, Browser, Served, hidden_fields, publish, serving, settings_in

APP = "dddddddd-dddd-4ddd-8ddd-dddddddddddd"
ANNA = ServedPerson("aaaaaaaa-0000-4000-8000-000000000001", "Anna in the directory", "anna@small.example")
NOBODY = ServedPerson("aaaaaaaa-0000-4000-8000-000000000002", "Nora <script>alert(1)</script>", "nora@small.example")
PEOPLE = [{"person": "anna", "name": "Anna", "roles": ["analyst", "dpo"], "ids": [f"entra:{ANNA.id}", "os:anna"]}]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    world = small_world(records=1)
    world.tenants[ONE].people |= {ANNA.upn: ANNA, NOBODY.upn: NOBODY}
    world.tenants[ONE].clients[APP] = ServedClient(redirect_uris=("http://localhost/signed-in",))
    with running(world) as started:
        yield started


@pytest.fixture(scope="module")
def served(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(
        tmp_path_factory.mktemp("entra"),
        review={"people": PEOPLE, "sign_in": {"tenant": ONE, "client_id": APP}},
        cloud={
            "login": simulator.origin, "graph": simulator.origin, "manage": simulator.origin,
            "ca_file": str(simulator.ca_file),
        },
    )  # fmt: skip
    publish(settings)
    with serving(settings, place=lambda port: place_of(Wanted(), port, has_sign_in=True)) as page:
        yield page


def _enter(served: Served) -> Browser:
    browser = served.browser()
    answer = browser.post("/enter", hidden_fields(browser.get(served.link()).text, "/enter"))
    assert answer.headers["Location"] == "/sign-in"
    return browser


def _at_entra(simulator: Simulator, address: str, person: ServedPerson) -> dict[str, str]:
    simulator.simulation.sign_ins.approves = person.upn
    with httpx.Client(verify=ssl.create_default_context(cafile=str(simulator.ca_file))) as elsewhere:
        return dict(parse_qsl(urlsplit(elsewhere.get(address).headers["Location"]).query))


def _sign_in(simulator: Simulator, served: Served, person: ServedPerson) -> Browser:
    browser = _enter(served)
    assert browser.get("/findings").headers["Location"] == "/sign-in"
    page = browser.get("/sign-in")
    assert f"form-action 'self' {simulator.origin}" in page.headers["Content-Security-Policy"]
    answer = browser.post("/sign-in", {"x": ""})
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{simulator.origin}/{ONE}/")
    came_back = _at_entra(simulator, answer.headers["Location"], person)
    between = browser.client.get("/signed-in", params=came_back)
    before = browser.client.cookies[served.desk.place.cookie]
    done = browser.post("/signed-in", _unescaped(hidden_fields(between.text, "/signed-in")))
    assert done.status_code == 303, done.text
    assert browser.client.cookies[served.desk.place.cookie] != before
    return browser


def _unescaped(fields: dict[str, str]) -> dict[str, str]:
    return {name: value.replace("&#34;", '"').replace("&amp;", "&") for name, value in fields.items()}


def test_a_known_person_decides_as_who_they_are(simulator: Simulator, served: Served) -> None:
    anna = _sign_in(simulator, served, ANNA)
    about = anna.get("/about").text
    assert "signed in with Entra" in about
    assert f"entra:{ANNA.id}" in about
    path = re.findall(r'<h2><a href="(/findings/[^"]+)"', anna.get("/findings").text)[0]
    assert anna.send(path, f"{path}/decide", to="confirmed", reason=REASON, breach="no").status_code == 303
    with open_journal(served.desk.settings.state) as journal:
        (entry,) = journal.entries(kind="finding")
    assert (entry.actor.id, entry.actor.person, entry.actor.how) == (f"entra:{ANNA.id}", "anna", "entra")


def test_an_unknown_person_may_look_and_not_decide(simulator: Simulator, served: Served) -> None:
    nora = _sign_in(simulator, served, NOBODY)
    assert "<script>alert" not in nora.get("/about").text
    path = re.findall(r'<h2><a href="(/findings/[^"]+)"', nora.get("/findings?state=all").text)[0]
    assert f'action="{path}/decide"' not in nora.get(path).text


def test_an_answer_belongs_to_the_browser_that_asked(simulator: Simulator, served: Served) -> None:
    one, other = _enter(served), _enter(served)
    address = one.post("/sign-in", {"x": ""}).headers["Location"]
    other.post("/sign-in", {"x": ""})
    came_back = _at_entra(simulator, address, ANNA)
    assert other.post("/signed-in", came_back).status_code == 403
    assert other.get("/findings").status_code == 303
    assert one.post("/signed-in", came_back | {"state": "other"}).status_code == 403
    assert one.post("/signed-in", came_back).status_code == 403
    assert one.get("/findings").status_code == 303


def test_on_this_machine_the_link_comes_first(served: Served) -> None:
    stranger = served.browser()
    assert stranger.get("/sign-in").status_code == 401
    assert stranger.post("/sign-in", {"x": ""}).status_code == 401
    assert stranger.post("/signed-in", {"code": "x", "state": "y"}).status_code == 403


def test_behind_a_proxy_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    publish(settings)
    at = Place("https://audit.example", is_secure=True, is_loopback=False)
    with serving(settings, place=lambda _: at) as served:
        browser = served.browser()
        port = served.port
        link = f"http://127.0.0.1:{port}/enter?t={served.desk.sessions.new_link()}"
        page = browser.client.get(link, headers={"Host": "audit.example"})
        answer = browser.client.post(
            f"http://127.0.0.1:{port}/enter", data=hidden_fields(page.text, "/enter"),
            headers={"Host": "audit.example", "Origin": "https://audit.example"},
        )  # fmt: skip
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-m365audit=")
        assert "Secure" in cookie
        assert browser.client.get(f"http://127.0.0.1:{port}/enter").status_code == 421

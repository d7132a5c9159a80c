"""A DPO's walk in Chromium: page 1, a finding, a decision, a second person, signed off in every form."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from web.serving import ANNA, DPO, NOW, Served, publish, serving, settings_in

from m365audit.config import Settings
from m365audit.pipeline import controlling
from m365audit.report import pieces
from m365audit.report.people import People
from m365audit.store.journal import Actor, open_journal
from m365audit.store.person_key import person_key
from m365audit.store.published import PublishedReader

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"there is no {CHROMIUM}")
BREACH = "The customer withdrew, and the connector went on reading calendars."
EXPLAINED = "The agreement was signed in August and written down late."
AGREED = "I have seen the agreement; it is signed and dated."


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("walk"))
    publish(made)
    return made


@contextmanager
def _browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not where there is no browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


def _sit_down(browser: Browser, served: Served, actor: Actor) -> Page:
    context = browser.new_context(base_url=served.origin)
    context.add_cookies([{
        "name": served.desk.place.cookie, "value": served.cookie(actor), "url": served.origin, "httpOnly": True,
        "sameSite": "Strict",
    }])  # fmt: skip
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def _decide(page: Page, to: str, **typed: str) -> None:
    form = page.locator("form[action$='/decide']")
    form.locator(f"input[name=to][value={to}]").check()
    if "breach" in typed:
        form.locator(f"input[name=breach][value={typed.pop('breach')}]").check()
    for name, value in typed.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button[type=submit]").click()
    page.wait_for_load_state()
    assert page.locator(".done").count() >= 1


def _report(settings: Settings, form: str) -> str:
    with controlling.open_today(settings, NOW + timedelta(minutes=1)) as database:
        reader, people = PublishedReader(database), People(person_key(settings.state))
        return b"".join(pieces(reader, form, now=NOW + timedelta(minutes=1), people=people)).decode()


def test_from_page_one_to_signed_off(settings: Settings) -> None:
    with serving(settings) as served, _browser() as browser:
        dpo, anna = _sit_down(browser, served, DPO), _sit_down(browser, served, ANNA)
        dpo.goto("/")
        assert dpo.locator("ol.first li").count() >= 1
        dpo.locator("ol.first a").first.click()
        dpo.wait_for_url("**/findings/*/*")
        assert dpo.locator("#h-evidence").count() == 1
        breached = dpo.url.rsplit("/", 1)[-1]
        _decide(dpo, "confirmed", reason=BREACH, breach="yes")
        dpo.locator("p.notice a[href^='/cases/']").click()
        dpo.wait_for_url("**/cases/*")
        case = dpo.locator("h1").inner_text()
        assert "left" in dpo.locator(".big-clock").inner_text()
        dpo.locator("a[href$='/draft']").click()
        assert case in dpo.locator("body").inner_text()
        anna.goto("/findings?severity=high&decision=none")
        anna.locator("ol.list h2 a").first.click()
        anna.wait_for_url("**/findings/*/*")
        ended = anna.url.rsplit("/", 1)[-1]
        _decide(anna, "explained", reason=EXPLAINED, evidence="contract 17")
        assert anna.locator("form[action$='/approve']").count() == 0
        dpo.goto("/")
        assert case in dpo.locator("ul.clocks").inner_text()
        assert dpo.locator("#waiting + ul .number").first.inner_text() == "1"
        dpo.goto("/findings?waiting=approval")
        dpo.locator("ol.list h2 a").first.click()
        dpo.locator("form[action$='/approve'] textarea").fill(AGREED)
        dpo.locator("form[action$='/approve'] button").click()
        dpo.wait_for_load_state()
        assert "explained" in dpo.locator(".tags").inner_text()
    _is_signed_off(settings, case, breached, ended)


def _is_signed_off(settings: Settings, case: str, breached: str, ended: str) -> None:
    page = _report(settings, "html")
    assert case in page
    assert EXPLAINED in page
    document = json.loads(_report(settings, "json"))
    decided = {found["finding_id"]: found["review"] for found in document["findings"] if found["review"]}
    assert (decided[breached]["decision"], decided[breached]["breach"]) == ("confirmed", "yes")
    assert (decided[ended]["decision"], decided[ended]["pending"]) == ("explained", None)
    assert decided[ended]["approved_roles"] == ["dpo"]
    with open_journal(settings.state) as journal:
        told = [(entry.event, entry.actor.person) for entry in journal.entries(kind="finding", subject=ended)]
        assert journal.broken_links() == []
    assert [entry for entry in told if entry[0] != "view"][-2:] == [("request", "anna"), ("approve", "dirk")]

"""The page in a real browser: two people decide, hostile names do nothing, without script, by keyboard, accessible."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hostile_corpus import hostile
from places import REPOSITORY

from m365audit.config import Settings
from m365audit.store.journal import Actor, open_journal

from .serving import ANNA, DPO, REASON, Served, publish, serving, settings_in

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
AXE = REPOSITORY / "tests" / "browser" / "node_modules" / "axe-core" / "axe.min.js"
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"there is no {CHROMIUM}")
PATHS = ("/", "/findings", "/cases", "/requests", "/controls", "/attestations", "/identity", "/about")
WRONG = {
    "findings": ("title", "question", "record", "process", "rule", "reasons"),
    "apps": ("app_name", "integration_name", "publisher"),
    "tenants": ("name",),
    "cells": ("integration_name", "record"),
    "service_principals": ("app_name",),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not where there is no browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = settings_in(tmp_path_factory.mktemp("page"))
    publish(made)
    return made


@pytest.fixture(scope="module")
def served(settings: Settings) -> Iterator[Served]:
    with serving(settings) as page:
        yield page


@contextmanager
def _page(browser: Browser, served: Served, actor: Actor | None, **options: Any) -> Iterator[tuple[Page, list[str]]]:
    """Open a browser of somebody's; at the end it must have had nothing to complain about."""
    context = browser.new_context(base_url=served.origin, **options)
    if actor is not None:
        context.add_cookies([{
            "name": served.desk.place.cookie, "value": served.cookie(actor), "url": served.origin, "httpOnly": True,
            "sameSite": "Strict",
        }])  # fmt: skip
    page = context.new_page()
    did: list[str] = []
    page.set_default_timeout(30_000)
    _listen(page, served.origin, did)
    try:
        yield page, did
    finally:
        context.close()


def _listen(page: Page, origin: str, did: list[str]) -> None:
    def dialog(shown: Dialog) -> None:
        did.append(f"dialog {shown.message}")
        shown.dismiss()

    def console(message: ConsoleMessage) -> None:
        if _is_grave(message.text):
            did.append(f"{message.type} {message.text[:300]}")

    def asked(request: Request) -> None:
        if not request.url.startswith((origin, "data:")):
            did.append(request.url)

    page.on("dialog", dialog)
    page.on("console", console)
    page.on("request", asked)
    page.on("pageerror", lambda error: did.append(f"error {error}"))


def _is_grave(text: str) -> bool:
    """Return whether a line of the console is a complaint; that an answer was a refusal is none."""
    return "the server responded with a status of 4" not in text


def _first(page: Page, query: str = "") -> str:
    page.goto(f"/findings{query}")
    return str(page.locator("ol.list h2 a").first.get_attribute("href"))


def _fill(page: Page, to: str, **fields: str) -> None:
    form = page.locator("form[action$='/decide']")
    form.locator(f"input[name=to][value={to}]").check()
    for name, value in fields.items():
        if name == "breach":
            form.locator(f"input[name=breach][value={value}]").check()
        else:
            form.locator(f"[name={name}]").fill(value)
    form.locator("button[type=submit]").click()
    page.wait_for_load_state()


def test_the_link_is_used_by_its_button(browser: Browser, served: Served) -> None:
    with _page(browser, served, None, java_script_enabled=False) as (page, did):
        page.goto(served.link())
        page.locator("button.main").click()
        page.wait_for_url(f"{served.origin}/")
        assert page.locator("#answer").count() == 1
        assert did == []


def test_a_finding_is_ended_by_two_people(browser: Browser, served: Served) -> None:
    with _page(browser, served, ANNA) as (page, did):
        path = _first(page, "?severity=critical")
        page.goto(path)
        form = page.locator("form[action$='/decide']")
        assert form.locator("[name=owner]").is_hidden()
        form.locator("input[name=to][value=false_positive]").check()
        assert form.locator("[name=evidence]").is_visible()
        form.locator("[name=reason]").fill("short")
        assert "15" in form.locator("#decide-reason-hint").inner_text()
        _fill(page, "false_positive", reason=REASON, evidence="ticket 4711")
        assert page.locator(".done").count() == 1
        page.goto(path)
        assert page.locator("form[action$='/approve']").count() == 0
        assert did == []
    with _page(browser, served, DPO) as (page, did):
        page.goto("/findings?waiting=approval")
        page.locator("ol.list h2 a").first.click()
        page.locator("form[action$='/approve'] textarea").fill(REASON)
        page.locator("form[action$='/approve'] button").click()
        page.wait_for_load_state()
        assert "false positive" in page.locator(".tags").inner_text()
        assert did == []


def test_two_people_at_once(browser: Browser, served: Served) -> None:
    with _page(browser, served, ANNA) as (page, did), _page(browser, served, DPO) as (other, _):
        path = _first(page, "?severity=medium&decision=none")
        page.goto(path)
        other.goto(path)
        _fill(other, "confirmed", reason=REASON, breach="no")
        typed = "What I typed for twenty minutes must not be lost."
        _fill(page, "confirmed", reason=typed, breach="no")
        assert page.locator(".trouble .history li").count() == 1
        assert page.locator("form[action$='/decide'] [name=reason]").input_value() == typed
        assert did == []


def test_everything_works_without_script(browser: Browser, served: Served) -> None:
    with _page(browser, served, ANNA, java_script_enabled=False) as (page, did):
        page.goto("/findings")
        page.locator("#f-severity").select_option("high")
        page.locator(".filters button").click()
        assert "severity=high" in page.url
        page.goto(_first(page, "?decision=none"))
        assert page.locator("form[action$='/decide'] [name=owner]").is_visible()
        _fill(page, "confirmed", reason=REASON, breach="unclear")
        assert page.locator(".done").count() == 1
        assert did == []


def test_keys(browser: Browser, served: Served) -> None:
    with _page(browser, served, ANNA) as (page, did):
        page.goto("/findings?state=all")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "q"
        page.keyboard.type("jk/")
        assert page.locator("#q").input_value() == "jk/"
        page.locator("#main").focus()
        for key, at in (("j", 0), ("j", 1), ("k", 0)):
            page.keyboard.press(key)
            assert page.evaluate("[...document.querySelectorAll('[data-item]')].indexOf(document.activeElement)") == at
        page.keyboard.press("Enter")
        page.wait_for_url("**/findings/*/*")
        assert did == []


def test_the_clock_ticks(browser: Browser, settings: Settings, served: Served) -> None:
    with _page(browser, served, DPO) as (page, did):
        page.goto(_first(page, "?severity=high"))
        _fill(page, "confirmed", reason=REASON, breach="yes")
        page.goto("/findings")
        shown = page.locator(".running-clocks .left").first.inner_text()
        assert "left" in shown
        assert did == []
    with open_journal(settings.state) as journal:
        assert any(entry.kind == "case" for entry in journal.entries())


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: cd tests/browser && npm ci --ignore-scripts")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(browser: Browser, served: Served, scheme: str) -> None:
    with _page(browser, served, DPO, color_scheme=scheme, bypass_csp=True) as (page, _):
        paths = [*PATHS, _first(page, "?state=all"), "/no-such-page"]
        page.goto("/cases")
        paths += page.locator("ol.list h2 a").evaluate_all(
            "all => all.slice(0, 1).map(each => each.getAttribute('href'))"
        )
        found = {}
        for path in paths:
            page.goto(path)
            page.add_script_tag(path=AXE)
            result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            if result["violations"]:
                found[path] = [(each["id"], each["nodes"][0]["html"][:200]) for each in result["violations"]]
        assert found == {}, json.dumps(found, indent=1)


@pytest.mark.parametrize("width", [390, 320])
def test_a_narrow_window_does_not_scroll_sideways(browser: Browser, served: Served, width: int) -> None:
    with _page(browser, served, DPO, viewport={"width": width, "height": 800}) as (page, _):
        for path in (*PATHS[1:], _first(page, "?state=all")):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path


@pytest.mark.parametrize("turn", range(2))
def test_hostile_names_do_nothing(browser: Browser, tmp_path: Path, turn: int) -> None:
    """Every row of every table has another few of the strings; the two together have the corpus."""
    strings = [each.replace("\x00", "").encode("utf-8", "replace").decode() for each in hostile() if len(each) < 250]
    given = "[" + ", ".join("'" + each.replace("'", "''") + "'" for each in strings[turn::2]) + "]"
    settings = settings_in(tmp_path)
    publish(settings, f"CREATE TEMP TABLE strings AS SELECT {given} AS s; {_wrong()}")
    with serving(settings, here=ANNA) as served, _page(browser, served, ANNA) as (page, did):
        page.goto("/findings?state=all")
        paths = page.locator("ol.list h2 a").evaluate_all("all => all.map(each => each.getAttribute('href'))")
        assert paths
        for path in (*PATHS, *paths):
            page.goto(path)
            assert page.evaluate("() => window.__pwned") is None
            assert page.url == served.origin + path
        assert did == []


def _wrong() -> str:
    """Return statements that put hostile strings into every text that an attacker may choose, each row others."""
    wrong = []
    for ordinal, (table, columns) in enumerate(WRONG.items()):
        for at, column in enumerate(columns):
            chosen = f"(SELECT s[1 + CAST((hash(t.rowid) + {ordinal * 31 + at * 7}) % len(s) AS BIGINT)] FROM strings)"  # noqa: S608
            value = f"[{chosen}]" if column == "reasons" else chosen
            wrong.append(f"UPDATE {table} AS t SET {column} = {value}")  # noqa: S608
    return "; ".join(wrong)


def test_a_page_stays_open_while_a_run_publishes(browser: Browser, settings: Settings, served: Served) -> None:
    with _page(browser, served, ANNA) as (page, did):
        path = _first(page, "?decision=none&state=all")
        page.goto(path)
        publish(settings, "UPDATE findings SET title = 'Title of the newer run'")
        form = page.locator("form[action$='/decide']")
        if form.count():
            _fill(page, "confirmed", reason=REASON, breach="no")
        page.goto(path)
        assert "Title of the newer run" in page.locator("h1").inner_text()
        assert did == []
    publish(settings)

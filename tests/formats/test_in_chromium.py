"""The page in a real browser, full of hostile strings: no dialog, no request, no script, not one complaint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hostile_corpus import hostile

from m365audit.report import Document, render

from .packed import rotating

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
pytestmark = pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"there is no {CHROMIUM}")
STRINGS = tuple(string for string in hostile() if len(string) < 6_000)
_PAGES = 6
_ELEMENTS = "() => [...document.querySelectorAll('*')].map(e => e.tagName + ' ' + e.getAttributeNames().join(' '))"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not where there is no browser

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield opened
        opened.close()


def _visit(browser: Browser, path: Path) -> tuple[list[str], list[str]]:
    """Open a page with scripts allowed, press what can be pressed; return what it did and what it is made of."""
    did: list[str] = []
    page = browser.new_page()

    def dismiss(dialog: Dialog) -> None:
        did.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.on("request", lambda request: did.append(f"request {request.url[:200]}"))
    page.on("console", lambda message: did.append(f"console {message.text[:300]}"))
    page.on("pageerror", lambda error: did.append(f"error {error}"))
    page.on("popup", lambda popup: did.append(f"popup {popup.url}"))
    page.goto(path.as_uri())
    page.evaluate("() => document.querySelectorAll('details').forEach(each => { each.open = true })")
    page.evaluate("() => document.querySelectorAll('a, summary').forEach(each => { each.focus() })")
    page.mouse.move(300, 300)
    page.wait_for_timeout(50)
    if page.evaluate("() => window.__pwned") is not None:
        did.append("pwned")
    if page.url.partition("#")[0] != path.as_uri():
        did.append(f"went to {page.url}")
    elements: list[str] = page.evaluate(_ELEMENTS)
    page.close()
    did.remove(f"request {path.as_uri()}")
    return did, elements


def test_the_browser_would_tell(browser: Browser, tmp_path: Path) -> None:
    bait = tmp_path / "bait.html"
    bait.write_text("<img src=x onerror='window.__pwned=1'><script>alert(1);console.log('x')</script>")
    did, _ = _visit(browser, bait)
    assert {each.split()[0] for each in did} >= {"dialog", "request", "console", "pwned"}


@pytest.fixture(scope="module")
def plain(browser: Browser, document: Document, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the page is made of when nobody is hostile."""
    path = tmp_path_factory.mktemp("plain") / "plain.html"
    path.write_bytes(render(rotating(document, ["benign"], 0), "html"))
    return _visit(browser, path)[1]


@pytest.mark.parametrize("turn", range(_PAGES))
def test_hostile_strings_do_nothing_in_any_field(
    browser: Browser, document: Document, plain: list[str], tmp_path: Path, turn: int
) -> None:
    start = turn * len(STRINGS) // _PAGES
    path = tmp_path / "page.html"
    path.write_bytes(render(rotating(document, STRINGS, start), "html"))
    did, elements = _visit(browser, path)
    assert did == []
    assert sorted(set(elements)) == sorted(set(plain))

"""The page in Chromium: axe-core finds nothing, nothing is loaded, keyboard and phones work, page 1 is one A4."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from m365audit.report import Document, render

from .browser import chromium, violations

VIEWS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "narrow": {"viewport": {"width": 320, "height": 640}},
    "paper": {"viewport": {"width": 794, "height": 1123}},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def place(document: Document, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(render(document, "html"))
    return path


def _open(browser: Any, place: Path, view: str) -> Any:
    page = browser.new_page(**VIEWS[view])
    if view == "paper":
        page.emulate_media(media="print")
    page.goto(place.as_uri())
    return page


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_and_nothing_is_loaded_or_widened(browser: Any, place: Path, view: str) -> None:
    page = _open(browser, place, view)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.reload()
    assert requests == [place.as_uri()]
    assert complaints == []
    page.evaluate("for (const closed of document.querySelectorAll('details')) closed.open = true")
    # Nobody has to hit a link on paper.
    assert violations(page, but="target-size" if view == "paper" else None) == []
    width = VIEWS[view]["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser: Any, place: Path) -> None:
    page = _open(browser, place, "light")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"
    for _ in range(40):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") in {"A", "DIV", "SUMMARY"}
    page.close()


def test_links_are_large_enough_to_be_hit(browser: Any, place: Path) -> None:
    """WCAG 2.2, 2.5.8: 24 by 24, or text inside of a sentence, or nothing else near."""
    page = _open(browser, place, "phone")
    small = page.evaluate(
        """() => [...document.querySelectorAll('nav a, .unknowns a, .cell a, .changes a, summary')]
            .filter(link => { const box = link.getBoundingClientRect();
                return box.width && (box.width < 24 || box.height < 24); })
            .map(link => `${link.outerHTML.slice(0, 80)} ${link.getBoundingClientRect().height}`)"""
    )
    assert small == []
    page.close()


def test_page_one_is_one_sheet_of_a4(browser: Any, place: Path) -> None:
    pypdf = pytest.importorskip("pypdf")
    page = _open(browser, place, "light")
    pages = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True))).pages
    assert float(pages[0].mediabox.width) == pytest.approx(595, abs=2)
    first, second = pages[0].extract_text(), pages[1].extract_text()
    assert "Clocks" in first
    assert "shown as of" in first
    assert "finding by finding" in second
    page.close()


def test_what_is_folded_on_the_screen_stands_on_paper(browser: Any, place: Path, document: Document) -> None:
    pypdf = pytest.importorskip("pypdf")
    page = _open(browser, place, "light")
    events = [event.event_id for finding in document.findings for event in finding.evidence[:1]]
    assert events
    folded = page.evaluate("document.querySelectorAll('details:not([open])').length")
    assert folded > 10
    made = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = "".join("".join(sheet.extract_text().split()) for sheet in made)
    assert [event for event in events if "".join(event.split()) not in text] == []
    page.close()

"""The page can be read without script, by keyboard, by screen reader, on paper and in the dark; nothing is loaded."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from itertools import pairwise

import pytest

from m365audit.report import Document, render

from .page import Element, read_page

LANDMARKS = {"header": 1, "nav": 1, "main": 1, "footer": 1}
CONTRASTS = (
    ("ink", "ground"), ("ink", "paper"), ("ink", "soft"), ("dim", "ground"), ("dim", "paper"), ("dim", "soft"),
    ("link", "ground"), ("link", "paper"), ("bad", "paper"), ("bad", "ground"), ("bad-ink", "bad-ground"),
    ("bad-ink", "paper"),
    ("warn-ink", "warn-ground"), ("warn-ink", "paper"), ("warn-ink", "ground"), ("good-ink", "good-ground"),
    ("good-ink", "paper"), ("unknown-ink", "unknown-ground"), ("unknown-ink", "paper"), ("unknown-ink", "ground"),
    ("idle-ink", "idle-ground"), ("idle-ink", "paper"), ("idle-ink", "ground"), ("ink", "warn-ground"),
    ("dim", "warn-ground"),
)  # fmt: skip
EDGES = (("bad", "paper"), ("warn-line", "paper"), ("good-line", "paper"), ("unknown-line", "paper"),
         ("idle-line", "paper"), ("focus", "ground"))  # fmt: skip


@pytest.fixture(scope="module")
def source(document: Document) -> bytes:
    return render(document, "html")


@pytest.fixture(scope="module")
def page(source: bytes) -> Element:
    return read_page(source)


def test_language_title_and_landmarks(page: Element) -> None:
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("title")[0].text()
    assert {tag: len(page.all(tag)) for tag in LANDMARKS} == LANDMARKS
    assert page.all("nav")[0].attributes["aria-label"]


def test_the_first_stop_skips_to_the_answer(page: Element) -> None:
    first = page.all("body")[0].all("a")[0]
    assert first.attributes["href"] == "#main"
    assert page.by_id("main").tag == "main"
    assert page.by_id("main").all("h2")[0].attributes["id"] == "clocks"


def test_headings_go_down_one_step_at_a_time(page: Element) -> None:
    levels = [int(element.tag[1]) for element in page.all() if re.fullmatch("h[1-6]", element.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_reference_has_its_target(page: Element) -> None:
    ids = [element.attributes["id"] for element in page.all() if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    for element in page.all():
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((element.attributes.get(name) or "").split()) <= set(ids)
        if element.tag == "a":
            href = element.attributes["href"] or ""
            assert href.startswith("#")
            assert href[1:] in ids
            assert element.text()


def test_tables_have_captions_and_scoped_headers_and_scroll_by_keyboard(page: Element) -> None:
    regions = [element for element in page.all("div") if element.attributes.get("class") == "scroll"]
    drawings = [element for element in page.all("svg") if element.attributes.get("role") == "img"]
    assert len(regions) == len(page.all("table")) + len(drawings)
    assert len(drawings) > 3
    for region in regions:
        assert region.attributes["role"] == "region"
        assert region.attributes["tabindex"] == "0"
        if not region.all("table"):
            assert region.attributes["aria-labelledby"] == region.all("title")[0].attributes["id"]
            assert region.all("title")[0].text()
            assert region.all("desc")[0].text()
            continue
        table = region.all("table")[0]
        caption = table.all("caption")[0]
        assert caption.text()
        assert region.attributes["aria-labelledby"] == caption.attributes["id"]
        assert all(cell.attributes.get("scope") in ("col", "row", "rowgroup") for cell in table.all("th"))
        columns = len(table.all("thead")[0].all("th"))
        for row in table.all("tbody")[0].all("tr"):
            width = sum(int(cell.attributes.get("colspan") or 1) for cell in row.all("th") + row.all("td"))
            assert width == columns


def test_signs_are_never_the_only_carrier(page: Element) -> None:
    for element in page.all():
        if element.attributes.get("aria-hidden") == "true" and not element.all("span"):
            assert re.fullmatch(r"[\d,]+\??|.{0,2}", element.text())
    for cell in page.all("td"):
        if (cell.attributes.get("class") or "").startswith("cell"):
            assert re.search("[a-z]{4}", cell.text())


def test_nothing_is_loaded_run_or_styled_from_elsewhere(page: Element, source: bytes) -> None:
    assert not {element.tag for element in page.all()} & {
        "script", "link", "img", "iframe", "object", "embed", "form", "input", "base", "video", "audio", "use", "image",
    }  # fmt: skip
    for element in page.all():
        assert not {name for name in element.attributes if name.startswith("on")}
        assert not {"style", "src", "srcset", "action", "background", "ping"} & set(element.attributes)
    assert not re.search(rb"https?:|//[a-z]|url\((?!#pattern-)|@import", source)


def test_the_policy_allows_exactly_the_one_style_block(page: Element, source: bytes) -> None:
    (style,) = re.findall(rb"<style>(.*?)</style>", source, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style).digest()).decode()
    policy = next(
        meta.attributes["content"] for meta in page.all("meta")
        if meta.attributes.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_colours_have_contrast_on_screen_in_the_dark_and_on_paper(source: bytes) -> None:
    palettes = re.findall(r":root \{(.*?)\}", source.decode(), re.DOTALL)
    assert len(palettes) == 3
    for palette in palettes:
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", palette))
        for text, ground in CONTRASTS:
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for edge, ground in EDGES:
            assert _contrast(colours[edge], colours[ground]) >= 3, (edge, ground)


def test_there_are_styles_for_paper_for_the_dark_for_small_screens_and_for_focus(source: bytes) -> None:
    style = source.decode()
    for needed in ("@media print", "size: A4", "prefers-color-scheme: dark", "max-width: 34rem", ":focus-visible",
                   "forced-colors", "break-inside: avoid"):  # fmt: skip
        assert needed in style


def test_words_for_screen_readers_do_not_widen_the_page() -> None:
    """What is hidden from sight is placed absolutely, so every region that scrolls must hold it in itself."""
    style = (files("m365audit.report") / "templates" / "report.css").read_text(encoding="utf-8")
    hidden, region = (re.search(rf"^\.{name} {{(.*)}}", style, re.MULTILINE) for name in ("vh", "scroll"))
    assert hidden is not None
    assert region is not None
    assert "position: absolute" in hidden[1]
    assert "position: relative" in region[1]

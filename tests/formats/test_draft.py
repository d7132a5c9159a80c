"""The copy sheet of a breach notification as a page: three kinds of answers, nothing cut, nothing followed."""

from __future__ import annotations

import tinyhtml5  # type: ignore[import-untyped]
from hostile_corpus import hostile
from report.page import read_page
from report.reader import NOW

from m365audit.findings.notification import FILLED, SUGGESTED, WRITTEN, YOURS
from m365audit.report.draft import TONES, DraftAnswer, render_draft
from m365audit.report.words import load_words


def _page(text: str) -> bytes:
    answers = [
        DraftAnswer(0, text, text, FILLED, text, ""), DraftAnswer(0, text, text, SUGGESTED, text, text),
        DraftAnswer(4, text, text, YOURS, "", text), DraftAnswer(4, text, text, WRITTEN, text, ""),
    ]  # fmt: skip
    return render_draft("BR-2026-001", answers, (text,), NOW, load_words())


def test_each_answer_says_where_it_comes_from() -> None:
    assert set(TONES) == {FILLED, SUGGESTED, YOURS, WRITTEN}
    page = read_page(_page("x" * 2_000))
    assert [mark.text() for mark in page.all("span")] == [FILLED, SUGGESTED, YOURS, WRITTEN]
    assert page.all("dd")[0].text() == "x" * 2_000, "a copy sheet is never cut"
    assert "1 answer is left to you" in page.text()
    assert "--answer x" in page.all("dd")[2].text()
    assert not page.all("form")


def test_hostile_answers_are_text() -> None:
    plain = [(each.tag, list(each.keys())) for each in tinyhtml5.parse(_page("benign").decode()).iter()]
    for string in hostile():
        tree = tinyhtml5.parse(_page(string or "benign").decode())
        assert [(each.tag, list(each.keys())) for each in tree.iter()] == plain

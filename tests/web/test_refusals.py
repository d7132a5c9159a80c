"""Whoever is refused reads why in their own language: every refusal that the page can show has its words in each."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

import m365audit
from m365audit.errors import ReviewError, StoreError
from m365audit.findings.conditions import NEVER_ACCEPTED
from m365audit.findings.decisions import MOVES
from m365audit.resources import data_dir
from m365audit.web.refusals import told
from m365audit.web.wording import page_words

from .serving import ANNA, REASON, Served, serving, settings_in
from .serving import publish as publish_world

ROOM = Path(m365audit.__file__).resolve().parent
SOURCES = [
    *(ROOM / "findings" / f"{name}.py" for name in ("decisions", "roles", "conditions", "breach", "requests")),
    *(ROOM / "pipeline" / f"{name}.py" for name in ("reviewing", "casework")),
    *sorted((ROOM / "web").glob("*.py")),
]
"""Where a refusal that the page shows can come from."""
WORDS = {language: page_words(language) for language in ("en", "nl")}
VALUES: dict[str, object] = {
    "role": ("dpo", "risk_owner"), "field": ("breach", "reason"), "decision": "accepted", "possible": ("confirmed",),
    "severity": "high", "state": "answered", "never": "minor-in-scope", "action": "assess a breach",
    "now": datetime(2026, 11, 23, tzinfo=UTC), "at": datetime(2026, 11, 23, tzinfo=UTC), "day": date(2026, 11, 23),
}  # fmt: skip
"""One value of every kind that has words or a form of its own; any other is shown as it is."""


def _calls(name: str) -> Iterator[tuple[str, ast.Call]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield f"{path.name}:{node.lineno}", node


def _refusals() -> list[tuple[str, str, tuple[str, ...]]]:
    found = []
    for place, call in _calls("ReviewError"):
        given = {each.arg: each.value for each in call.keywords if each.arg is not None}
        key = given.get("key")
        keys = [key.value] if isinstance(key, ast.Constant) else ["not_assessed", "not_notified"] if key else [""]
        values = tuple(name for name in given if name not in {"hint", "key"})
        found += [(place, str(each), values) for each in keys]
    return found


REFUSALS = _refusals()


def test_there_are_many_refusals() -> None:
    assert len(REFUSALS) > 60
    used = {key for _, key, _ in REFUSALS} | {"stale", "nothing_published", "decisions_missing"}
    written = {key.split(".")[2] for key in WORDS["nl"].texts if key.startswith("page.refusal.")}
    assert written == used


@pytest.mark.parametrize(("place", "key", "names"), REFUSALS, ids=[f"{place}-{key}" for place, key, _ in REFUSALS])
def test_every_refusal_is_told_in_the_readers_language(place: str, key: str, names: tuple[str, ...]) -> None:
    assert key, f"{place}: this refusal has no words for the page"
    values: dict[str, Any] = {name: VALUES.get(name, f"<{name}>") for name in names}
    error = ReviewError("as the command line says it", key=key, **values)
    english, dutch = (told(WORDS[language], error) for language in ("en", "nl"))
    assert "command line" not in english.message + dutch.message
    assert english.message != dutch.message
    assert bool(english.hint) == bool(dutch.hint)
    assert not re.search(r"[{}]|m365audit |--\w", english.message + english.hint + dutch.message + dutch.hint)
    assert "<" not in dutch.message + dutch.hint


def test_every_act_that_may_be_refused_has_its_words() -> None:
    acts = {f"decide {to}" for to in MOVES}
    for name, place in (("check_may", 3), ("_check_open", 4), ("_check_running", 3)):
        for _, call in _calls(name):
            if isinstance(call.args[place], ast.Constant):
                acts.add(str(call.args[place].value))  # type: ignore[attr-defined]
    acts |= {f"say that the {whom} was told" for whom in ("controller", "people")}
    for words in WORDS.values():
        assert {act for act in acts if not words.has(f"page.action.{act}")} == set()
        assert {rule for rule in NEVER_ACCEPTED if not words.has(f"page.never.{rule}")} == set()


def test_codes_are_told_as_words() -> None:
    error = ReviewError("", key="needs", decision="false_positive", field=("evidence", "owner"))
    assert (
        told(WORDS["nl"], error).message
        == "Voor &#34;vergissing van de machine&#34; ontbreekt iets: Bewijs, Wie het oppakt."
    )


def test_what_has_no_words_is_shown_and_marked_as_english() -> None:
    error = StoreError("the disk is <full>", hint="make room")
    assert told(WORDS["nl"], error).message == Markup('<span lang="en">the disk is &lt;full&gt;</span>')
    assert told(WORDS["en"], error).hint == "make room"
    assert told(WORDS["nl"], StoreError("x")).hint == ""


@pytest.fixture(scope="module")
def dutch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = settings_in(tmp_path_factory.mktemp("dutch"), report={"language": "nl"})
    settings.policy.write_bytes((data_dir("config") / "policy.yaml").read_bytes())
    publish_world(settings)
    with serving(settings, here=ANNA) as served:
        yield served


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"to": "confirmed", "reason": "te kort", "breach": "no"}, "de reden heeft 7 tekens"),
        ({"to": "confirmed", "reason": REASON}, "ontbreekt iets: Is het een inbreuk"),
        ({"to": "everything", "reason": REASON}, "Die keuze bestaat niet: Beslissing."),
        ({"to": "resolved", "reason": REASON, "evidence": "T-1"}, "Bevestig haar eerst."),
        ({"to": "remediating", "reason": REASON, "until": "morgen"}, "Dit is geen dag: Tot en met."),
        ({"to": "confirmed", "reason": REASON, "version": "x"}, "Het formulier zegt niet waarop het is ingevuld."),
    ],
)  # fmt: skip
def test_a_dutch_page_refuses_in_dutch(dutch: Served, fields: dict[str, str], expected: str) -> None:
    browser = dutch.browser(ANNA)
    path = re.findall(r'href="(/findings/[^"?]+/[^"?]+)"', browser.get("/findings").text)[0]
    answer = browser.send(path, f"{path}/decide", **fields)
    assert answer.status_code == 422
    (trouble,) = re.findall(r'<div class="trouble".*?</div>', answer.text, re.DOTALL)
    assert expected in trouble
    assert 'lang="en"' not in trouble

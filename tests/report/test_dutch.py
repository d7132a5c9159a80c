"""Everything that a Dutch reader of the report sees is Dutch: rules, controls, the policy's weaknesses, the draft."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime

import duckdb
import pytest
import yaml

from m365audit.controls.policy_text import read_texts
from m365audit.findings.case import REQUIRED_ANSWERS, Case
from m365audit.findings.notification import BLOCKS, draft
from m365audit.report.control_rows import one_control
from m365audit.report.control_texts import control_texts, policy_text
from m365audit.report.draft import DraftAnswer, render_draft
from m365audit.report.html import render_html
from m365audit.report.phrases import phrases, texts_of
from m365audit.report.rows import TenantNames
from m365audit.report.rule_texts import rule_texts, said_part
from m365audit.report.words import load_words
from m365audit.resources import data_dir
from m365audit.store.queries import read_query

from .reader import QueryReader, document_of

_PLACES = re.compile(r"\{(\w+)\}")
_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
_ENGLISH = re.compile(r"\b(?:the|which|whether|nobody|without|must|not|and|were)\b", re.IGNORECASE)


def _places(text: str) -> set[str]:
    return set(_PLACES.findall(text))


def test_every_rule_has_its_texts_with_the_same_places() -> None:
    english, dutch = rule_texts("en"), rule_texts("nl")
    assert list(english) == list(dutch)
    for rule, text in english.items():
        own = dutch[rule]
        assert own.language == "nl", rule
        assert _places(own.title or "") == _places(text.title or ""), rule
        for one, other in ((own.title, text.title), (own.question, text.question), (own.advice, text.advice)):
            assert one, rule
            assert one != other, rule
    assert set(texts_of("rules", "nl")["rules"]) <= set(english)


def test_an_english_title_says_codes_in_words_too() -> None:
    texts = rule_texts("en")
    own = texts_of("rules", "en")["rules"]
    assert set(own) <= set(texts)
    for path in (data_dir("queries") / "rules").glob("*/*.sql"):
        header = read_query(path).header
        assert texts[header["id"]].has_own_title == (header["id"] in own)
        assert _places(texts[header["id"]].title or "") == _places(header["title"]), header["id"]
    weakened = texts["audit-weakened"].filled({"change": "mailbox_audit_short", "target": "mailbox_audit_short"})
    assert weakened == "The audit was weakened: audit of mailboxes kept for too short a time (mailbox_audit_short)"
    english, dutch = (texts_of("rules", language)["values"] for language in ("en", "nl"))
    assert {name: set(codes) for name, codes in english.items() if name != "legal_basis"} == {
        name: set(codes) for name, codes in dutch.items() if name in english and name != "legal_basis"
    }


def test_a_part_of_a_subject_says_codes_in_words_and_leaves_names_alone() -> None:
    said = [
        (said_part("en", name, value), said_part("nl", name, value))
        for name, value in (
            ("ended_by", "withdrawal"), ("age", "minors"), ("kind", "application"), ("feed", "graph_activity"),
            ("doing", "holds X.Y"), ("record", "mail"), ("workload", "P-AAAAAAAAAA"),
        )
    ]  # fmt: skip
    assert said == [
        ("the withdrawal", "de intrekking"), ("minors", "minderjarigen"), ("as itself", "als app"),
        ("the Graph activity log", "het Graph-activiteitenlogboek"), (None, "heeft het recht X.Y"),
        (None, None), (None, None),
    ]  # fmt: skip


def test_a_title_says_codes_in_words_and_leaves_names_alone() -> None:
    text = rule_texts("nl")["used-not-recorded"]
    assert text.filled({"app_id": "read", "operation": "read", "workload": "mail"}) == (
        "read heeft e-mail gelezen zonder vastlegging daarvan"
    )
    website = rule_texts("nl")["website-does-more-than-send"]
    said = {name: website.filled({"app_id": "a", "doing": name}) for name in ("did read on mail", "holds X.Y", "new")}
    assert list(said.values()) == [
        "De app van de website (a): heeft e-mail gelezen",
        "De app van de website (a): heeft het recht X.Y",
        "De app van de website (a): new",
    ]


def test_every_control_has_its_texts_with_the_same_places() -> None:
    file = yaml.safe_load((data_dir("config") / "controls.yml").read_text(encoding="utf-8"))
    dutch = texts_of("controls", "nl")
    assert [control["control"] for control in file["controls"]] == list(dutch["controls"])
    for control in file["controls"]:
        own = dutch["controls"][control["control"]]
        unseen = {"object"} if "object" in control or "part" in control else set()
        assert set(own) == {"title", "commitment", "attach"} | unseen, control["control"]
        assert own["commitment"] != control["commitment"], control["control"]
    for name in ("sentences", "reasons", "owners"):
        assert set(file[name]) == set(dutch[name]), name
    for key, text in file["sentences"].items():
        assert _places(text) == _places(dutch["sentences"][key]), key
        assert text != dutch["sentences"][key], key


def test_no_dutch_sentence_sounds_calmer_than_the_english() -> None:
    english = yaml.safe_load((data_dir("config") / "controls.yml").read_text(encoding="utf-8"))["sentences"]
    dutch = texts_of("controls", "nl")["sentences"]
    for key, text in english.items():
        for one, other in (
            ("Not assessable", "Niet te beoordelen"), ("This is not a pass", "Dit is geen goedkeuring"),
            ("Evidence contradicts", "in strijd"), ("A person must decide", "Een mens moet beslissen"),
        ):  # fmt: skip
            assert (one in text) == (other in dutch[key]), key


def _said(key: str, facts: Mapping[str, object], **more: object) -> str:
    return json.dumps({"said": [{"says": key, "facts": facts}], "also": None, "attested": None, **more})


def test_a_sentence_is_dutch_with_everything_that_is_filled_in() -> None:
    dutch = control_texts("nl")
    object_, attach = "certificates", "the certificate with scope and end date"
    attested = {"role": "vendor", "day": "2026-01-02", "until": "2027-01-02"}
    facts = {"clause": "7", "object": object_, "attach": attach, "owner": "processor"}
    assert dutch.sentence(_said("not_recorded", facts)) == (
        "Niet te beoordelen: artikel 7 gaat over certificaten, en dat legt Microsoft 365 niet vast. Bij te voegen: "
        "het certificaat met reikwijdte en einddatum. Wie: de leverancier. Laatste verklaring: geen. Dit is geen "
        "goedkeuring."
    )
    assert (dutch.sentence(_said("unjudged", {"count": 2}, attested=attested, also="no_source")) or "").endswith(
        "Bovendien kon niet alles worden bekeken: het bewijs zegt het niet. Verklaard door leverancier op 2026-01-02, "
        "geldig tot 2027-01-02; een verklaring is geen goedkeuring."
    )
    never = "sign_ins_interactive was never collected (licence)"
    assert dutch.sentence(_said("gap", {"reason": never})) == (
        "Niet te beoordelen: Aanmeldingen, interactief: nooit opgehaald (de licentie van de tenant omvat het niet). "
        "Dit is geen goedkeuring."
    )


@pytest.mark.parametrize("said", [
    _said("gap", {"reason": "Binder Error: no such column"}), _said("brand_new", {}),
    _said("definition_missing", {"what": "something that nobody put into words"}),
])  # fmt: skip
def test_a_sentence_that_has_no_words_stays_english_and_whole(said: str) -> None:
    assert control_texts("nl").sentence(said) is None
    row = dict.fromkeys(
        ("commitment", "severity", "reason_code", "attach", "owner_role", "integration_name", "rules", "finding_ids",
         "gdpr", "iso", "attested_role", "attested_at", "attested_until")
    ) | {"tenant_id": "t", "control": "C07-1", "clause": "7", "title": "A title", "outcome": "not_assessable",
         "sentence": "An English sentence.", "said": said, "rules": [], "finding_ids": []}  # fmt: skip
    control = one_control(row, TenantNames({"t": "T"}), control_texts("nl"))
    assert (control.sentence, control.sentence_language) == ("An English sentence.", "en")
    assert (control.title, control.text_language) == ("Hosting gecertificeerd volgens ISO 27001", "nl")


def test_every_weakness_of_the_policy_has_its_dutch_text() -> None:
    for text in read_texts():
        places = _places(text.title) | _places(text.why)
        own = policy_text(text.rule, json.dumps(dict.fromkeys(places, "no share, X")), "nl")
        assert own is not None, text.rule
        assert own[0] != text.title, text.rule
        if places:
            assert "geen aandeel, X" in own[0] + own[1], text.rule


def _cases() -> list[tuple[Case, dict[str, object]]]:
    empty = Case("t", "BR-2026-001")
    full = Case(
        "t", "BR-2026-002", state="notified_initial", finding_ids=("F1",), risk="high_risk", detected_at=_NOW,
        first_seen_at=_NOW, aware_at=_NOW, due_at=_NOW, notified_at=_NOW.replace(day=28), hours=72, late_reason=None,
    )  # fmt: skip
    seen: dict[str, object] = {"is_ongoing": True, "events": 4, "items": 9, "gaps": 2, "mailboxes": 3}
    return [
        (empty, {}), (full, seen), (full, {**seen, "items": None, "gaps": 0}), (full, {**seen, "gaps": 0}),
        (full, {**seen, "items": None}), (dataclasses.replace(full, risk="risk"), {}),
    ]  # fmt: skip


@pytest.mark.parametrize(("case", "evidence"), _cases())
def test_the_draft_of_a_notification_is_dutch(case: Case, evidence: dict[str, object]) -> None:
    said = phrases("nl").said
    made = draft(case, evidence, _NOW)
    for answer in made:
        assert said(answer.question), answer.question
        assert said(answer.block_name), answer.block_name
        if answer.text and _ENGLISH.search(answer.text):
            assert said(answer.text), answer.text
    assert all(said(name) for name in (*BLOCKS, *REQUIRED_ANSWERS.values()))
    given = [
        DraftAnswer(each.block, each.block_name, each.question, each.status, each.text, each.name) for each in made
    ]
    page = render_draft(case.case_id, given, case.missing, _NOW, load_words("nl")).decode()
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    assert not _ENGLISH.search(text), _ENGLISH.search(text)


def test_what_a_person_wrote_is_never_translated() -> None:
    answer = DraftAnswer(
        8, "Follow-up", "33(3)(d) measures taken or proposed", "written by a person", "risk", "measures"
    )
    assert "<dd>risk</dd>" in render_draft("BR-1", [answer], [], _NOW, load_words("nl")).decode()


def test_no_fixed_english_text_is_left_in_a_dutch_report(report_world: duckdb.DuckDBPyConnection) -> None:
    page = render_html(document_of(QueryReader(report_world), language="nl")).decode()
    page = re.sub(
        r"<style>.*?</style>|<code[^>]*>.*?</code>|<(\w+)[^>]* lang=\"en\">.*?</\1>", " ", page, flags=re.DOTALL
    )
    shown = {" ".join(text.split()) for text in re.split(r"<[^>]*>", page)} - {""}
    dutch = {str(text) for text in load_words("nl").texts.values()}
    english = {str(text) for text in load_words("en").texts.values()} - dutch
    for text in rule_texts("en").values():
        english |= {part for part in (text.question, text.advice) if part}
    assert {text for text in shown & english if text[:1].isalpha()} == set()

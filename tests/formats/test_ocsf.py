"""Every event against OCSF 1.8's own schemas, and what the codes of OCSF say of ours."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

import pytest
from hostile_corpus import hostile
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema  # type: ignore[import-untyped]
from places import REPOSITORY
from report.reader import QueryReader, pieces
from report.replaced import replaced

from m365audit.report import Document
from m365audit.report.ocsf import BEHAVIOUR_RULES, COMMITMENT_RULES, PERMISSION_RULES, ocsf_pieces

from .packed import rotating, slim
from .world import finding_id

Event = dict[str, Any]
_NAMES = {
    2003: "compliance_finding", 2004: "detection_finding", 2005: "incident_finding", 2008: "iam_analysis_finding",
}  # fmt: skip


@cache
def _validator(number: int) -> Draft202012Validator:
    return Draft202012Validator(OcsfJsonSchemaEmbedded(get_ocsf_schema("1.8.0")).get_class_schema(_NAMES[number]))


def _mistakes(event: Event) -> list[str]:
    errors = _validator(event["class_uid"]).iter_errors(event)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in errors]


@pytest.fixture(scope="module")
def events(reader: QueryReader) -> list[Event]:
    return [json.loads(line) for line in b"".join(pieces(reader, "ocsf")).splitlines()]


def test_every_event_is_valid_and_none_is_left_out(events: list[Event], document: Document) -> None:
    assert [mistake for event in events for mistake in _mistakes(event)] == []
    wanted = document.controls_total + document.findings_total + document.clocks.breaches_total
    assert len(events) == wanted
    assert {event["class_uid"] for event in events} == {2003, 2005, 2008}
    assert len({event["metadata"]["uid"] for event in events}) == wanted


def test_the_validator_would_see_a_mistake(events: list[Event]) -> None:
    assert _mistakes(events[0] | {"app_name": "x"})
    assert _mistakes({name: value for name, value in events[0].items() if name != "compliance"})


def test_a_question_without_an_answer_is_unknown_and_never_a_pass(events: list[Event]) -> None:
    answers = {
        event["compliance"]["control"]: (event["compliance"]["status_id"], event["compliance"].get("status_code"))
        for event in events
        if "compliance" in event and not event["finding_info"]["uid"].startswith("F1-")
    }
    assert answers.items() >= {
        "C07-1": (1, None), "C10-1": (2, None), "C12-6": (3, None), "C12-8": (99, None),
        "C14-1": (0, "outside_m365"),
    }.items()  # fmt: skip


def test_a_control_names_its_articles_and_what_would_answer_it(events: list[Event]) -> None:
    by_control = {event["compliance"]["control"]: event for event in events if "compliance" in event}
    assert by_control["C10-1"]["compliance"]["requirements"] == ["44", "46"]
    assert by_control["C14-1"]["remediation"] == {"desc": "A statement of the CRM's owner"}


def test_findings_about_permissions_are_of_their_own_class(events: list[Event]) -> None:
    (event,) = [event for event in events if event["class_uid"] == 2008]
    assert event["permission_analysis_results"][0]["granted_privileges"] == ["Chat.Read.All"]
    assert event["applications"][0]["name"] == "Free Mail Summarizer"


def test_decisions_are_their_status(events: list[Event]) -> None:
    statuses = {event["finding_info"]["uid"]: event["status_id"] for event in events if "finding_info" in event}
    wanted = {1: 2, 2: 2, 3: 3, 4: 2, 5: 1, 6: 4}  # in progress, pending, accepted, being mended, new, resolved
    assert {ordinal: statuses[finding_id(ordinal)] for ordinal in wanted} == wanted


def test_every_rule_has_one_class() -> None:
    classes = (PERMISSION_RULES, BEHAVIOUR_RULES, COMMITMENT_RULES)
    named = [rule for rules in classes for rule in rules]
    assert sorted(named) == sorted(path.stem for path in (REPOSITORY / "queries" / "rules").rglob("*.sql"))


def test_behaviour_is_a_detection(document: Document) -> None:
    finding = dataclasses.replace(document.findings[0], rule="burst-above-habit")
    (line, *_) = ocsf_pieces(document, [finding], [])
    event = json.loads(line)
    assert event["class_uid"] == 2004
    assert event["is_alert"] is True
    assert _mistakes(event) == []


def test_a_breach_case_is_an_incident_of_the_officer(events: list[Event]) -> None:
    cases = {event["ticket"]["uid"]: event for event in events if event["class_uid"] == 2005}
    assert cases["BR-2026-001"]["status_id"] == 2
    assert cases["BR-2026-001"]["severity_id"] == 4
    assert cases["BR-2026-001"]["is_suspected_breach"] is True
    assert cases["BR-2026-001"]["finding_info_list"] == [{"uid": finding_id(1)}]
    assert cases["BR-2026-002"]["status_id"] == 5
    assert all(case["assignee_group"]["uid"] == "dpo" for case in cases.values())


def test_hostile_texts_leave_events_valid(document: Document) -> None:
    thin = slim(document)
    strings = hostile()
    for start in range(0, len(strings), 20):
        changed = rotating(thin, strings, start)
        for line in ocsf_pieces(changed, changed.findings, changed.controls):
            assert _mistakes(json.loads(line)) == []


def test_a_document_without_anything_gives_events_for_what_there_is(document: Document) -> None:
    bare = replaced(dataclasses.replace(document, clocks=dataclasses.replace(document.clocks, breaches=())), str)
    assert list(ocsf_pieces(bare, [], [])) == []

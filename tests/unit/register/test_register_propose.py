"""Drafts of consent records: never valid as they come, valid once a person has filled them in, whatever names say."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from m365audit import catalogue
from m365audit.config import Policy
from m365audit.register import load_register
from m365audit.register.propose import Granted, draft, draft_name, harmless_text

TENANT = "11111111-1111-4111-8111-111111111111"
APP = "c0ffee00-0000-4000-8000-000000000001"
AT = datetime(2026, 9, 15, tzinfo=UTC)
HOSTILE = (
    "CRM",
    "a\n    purpose: everything\nb",
    "x # y: [z]",
    '"}\n- event: withdrawn',
    "\u2028legal_basis: contract",
    "\x85purpose: x",
    "*anchor &a !!python/object:os.system",
    "\u202egpj.exe\u200b",
    "\ud800\udfff",
    "%TAG ! tag:",
    "---\n...",
    "'single' \"double\" \\back\\u0000",
    "\ufeffbom",
    "é日本語😀",
    "n" * 5000,
    "",
)


def _grant(name: str | None, **more: object) -> Granted:
    values: dict[str, object] = {
        "app_id": APP, "app_name": name, "api": "microsoft_graph", "permission": "Mail.Read", "kind": "application",
        "workload": "mail", "operations": ("read",), "granted_for": None, "principals": 0,
        "event_id": "e\n1", "first_seen_at": AT, **more,
    }  # fmt: skip
    return Granted(**values)  # type: ignore[arg-type]


def _problems(folder: Path, text: str) -> list[str]:
    (folder / "draft.yaml").write_text(text, encoding="utf-8")
    loaded = load_register(folder, policy=Policy(), permissions=catalogue.permission_names())
    return [problem.path for problem in loaded.problems if not problem.is_warning]


def _filled(text: str) -> str:
    for key, value in {
        "kind": "crm", "recorded_at": "2026-09-01T09:14:00Z", "effective_from": "2026-09-01T00:00:00Z",
        "effective_until": "2027-09-01T00:00:00Z", "evidence": "[{kind: document, ref: a.pdf}]", "purpose": "Log mail",
        "legal_basis": "contract", "resources": "all",
    }.items():  # fmt: skip
        text = re.sub(rf"^( +{key}:) +# .*$", rf"\1 {value}", text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_draft_is_refused_until_a_person_fills_it_in(tmp_path: Path, name: str) -> None:
    record = draft_name(APP, name, frozenset())
    text = draft(TENANT, [_grant(name)], record=record, made_at=AT)
    problems = _problems(tmp_path, text)
    missing = {"purpose", "legal_basis", "resources", "evidence", "effective_from", "effective_until"}
    assert {path.rsplit(".", 1)[-1] for path in problems} >= missing
    assert _problems(tmp_path, _filled(text)) == []


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_name_is_one_scalar_and_one_comment(name: str) -> None:
    text = draft(TENANT, [_grant(name)], record="draft-x", made_at=AT)
    plain = draft(TENANT, [_grant("CRM")], record="draft-x", made_at=AT)
    assert len(text.splitlines()) == len(plain.splitlines())
    assert yaml.safe_load(text)["integration"]["name"] == (harmless_text(name) or APP)
    assert yaml.safe_load(text)["history"] == yaml.safe_load(plain)["history"]


def test_what_was_granted_is_listed_exactly_and_reach_is_said() -> None:
    grants = [
        _grant("CRM"),
        _grant("CRM", permission="Calendars.ReadWrite", workload="calendar", operations=("read", "write")),
        _grant("CRM", permission="full_access_as_app", api="exchange_online"),
        _grant("CRM", permission="User.Read.All", workload=None, operations=()),
    ]
    text = draft(TENANT, grants, record="draft-crm", made_at=AT)
    processes = yaml.safe_load(text)["history"][0]["processes"]
    assert [(p["id"], p["operations"]) for p in processes] == [("calendar", ["read", "write"]), ("mail", ["read"])]
    assert processes[1]["permissions"] == [
        {"name": "Mail.Read", "kind": "application"},
        {"name": "full_access_as_app", "kind": "application", "api": "exchange_online"},
    ]
    assert "granted for everything in the tenant" in text
    assert "#   User.Read.All (application)" in text


def test_names_of_records_are_not_used_twice() -> None:
    assert draft_name(APP, "SalSoft CRM", frozenset()) == "draft-salsoft-crm"
    assert draft_name(APP, "SalSoft CRM", frozenset({"draft-salsoft-crm"})) == "draft-salsoft-crm-c0ffee00"
    assert draft_name(APP, "日本", frozenset()) == "draft-app"

"""Persons planted in the published database and in what people typed come out of no page and of no list of findings."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from html import unescape
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner
from planted import NAME, PLANTED, STRANGER, TENANT, UPN, USER, plant, traces

from m365audit.cli import main
from m365audit.config import Settings
from m365audit.findings.values import Wish
from m365audit.pipeline import casework, reviewing
from m365audit.pipeline.reviewing import FindingKey
from m365audit.store.published_file import published_path

from .serving import ANNA, DPO, NOW, Served, publish, serving, settings_in

_TYPED = f"{NAME} ({UPN}) told {STRANGER} about it, see {UPN.replace('@', '%2540')}"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A configuration with planted persons published, and with decisions that name them."""
    made = settings_in(tmp_path_factory.mktemp("leaks"))
    publish(made)
    with duckdb.connect(str(published_path(made.publish))) as connection:
        ((database,),) = connection.execute("SELECT current_database()").fetchall()
        for name in (UPN.lower(), NAME):
            connection.execute(
                "INSERT INTO directory_users (tenant_id, user_id, user_name) VALUES (?, ?, ?)", [TENANT, USER, name]
            )
        assert plant(connection, database) > 50
        connection.execute("UPDATE findings SET state = 'open'")
        ids = connection.execute(
            "SELECT finding_id FROM findings WHERE tenant_id = ? ORDER BY ALL", [TENANT]
        ).fetchall()
    _decide(made, [str(each) for (each,) in ids])
    return made


def _decide(settings: Settings, findings: list[str]) -> None:
    """Type persons wherever a person may type."""
    key, other = FindingKey(TENANT, findings[0]), FindingKey(TENANT, findings[1])
    wish = Wish("confirmed", _TYPED, (), None, None, "yes")
    reviewing.decide(settings, DPO, key, wish, expected_version=None, now=NOW)
    wish = Wish("false_positive", _TYPED, (UPN, f"mail of {NAME}"), None, None, None)
    reviewing.decide(settings, ANNA, other, wish, expected_version=None, now=NOW)
    wish = Wish("remediating", _TYPED, (), UPN, None, None)
    reviewing.decide(settings, DPO, key, wish, expected_version=None, now=NOW)
    doing = casework.Doing(settings, DPO, NOW)
    ((case, *_),) = (casework.all_cases(settings),)
    casework.assess(doing, case.case_id, "risk", _TYPED)
    casework.add_request(doing, TENANT, "access", date(2026, 11, 20), UPN)


def _links(page: str) -> set[str]:
    return {unescape(link).partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', page)}


def _kind(path: str) -> tuple[str, int]:
    """Return what pages have in common that are made by the same code."""
    parts = path.partition("?")[0].split("/")
    return parts[1], len(parts)


def test_no_page_names_anybody(settings: Settings) -> None:
    with serving(settings) as served:
        found, seen = _walk(served)
    assert {path.split("/")[1].split("?")[0] for path in seen} >= {"findings", "cases", "requests", "controls"}
    assert not found, found


def _walk(served: Served) -> tuple[dict[str, list[str]], set[str]]:
    """Return what is found on every page that is linked from another one, and which pages were seen."""
    browser, waiting, seen, found = served.browser(ANNA), {"/"}, set[str](), dict[str, list[str]]()
    kinds = Counter[tuple[str, int]]()
    while waiting and len(seen) < 60:
        path = min(waiting, key=lambda each: (kinds[_kind(each)], each))  # some of every kind, in every run the same
        waiting.remove(path)
        kinds[_kind(path)] += 1
        seen.add(path)
        answer = browser.get(path)
        if "html" not in answer.headers.get("content-type", "") or answer.status_code != 200:
            continue
        page = re.sub(r"<style>.*?</style>", "", answer.text, flags=re.DOTALL)
        if traces(unescape(page)):
            found[path] = traces(unescape(page))
        waiting |= {link for link in _links(page) if not link.startswith(("/static", "/leave"))} - seen
    return found, seen


def test_the_draft_of_a_notification_names_nobody_that_the_evidence_names(settings: Settings) -> None:
    with duckdb.connect(str(published_path(settings.publish))) as connection:
        connection.execute("UPDATE findings SET title = $1", [f"Team of {NAME}: {STRANGER} read {UPN}"])
    ((case, *_),) = (casework.all_cases(settings),)
    _, answers = casework.draft_notification(settings, case.case_id, NOW)
    found = {answer.question: answer.text for answer in answers}
    assert "Team of P-" in found["How it was found"]
    assert not traces("".join(text or "" for text in found.values()))


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_findings_on_the_command_line_name_nobody(settings: Settings, form: str) -> None:
    config = _config(settings)
    listed = _run("findings", "list", "--all", "--format", form, "--config", config)
    shown = [
        _run("findings", "show", each, "--config", config, *(["--format", "json"] if form == "json" else []))
        for each in sorted(set(re.findall(r"F1-[0-9A-Z]{26}", listed)))
    ]
    assert len(shown) > 4
    for text in (listed, *shown):
        assert not traces(text), traces(text)
    assert "P-" in listed


def _config(settings: Settings) -> Path:
    path = settings.state.parent / "m365audit.yaml"
    path.write_text("state: state\npublish: publish\npolicy: policy.yaml\n", encoding="utf-8")
    return path


def _run(*arguments: object) -> str:
    result = CliRunner().invoke(main, [str(each) for each in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_they_were_planted(settings: Settings) -> None:
    with duckdb.connect(str(published_path(settings.publish)), read_only=True) as connection:
        names = {name for (name,) in connection.execute("SELECT app_name FROM apps").fetchall()}
    assert names <= set(PLANTED)
    assert names

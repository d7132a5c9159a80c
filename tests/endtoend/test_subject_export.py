"""A person gets everything of theirs, explained, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import shutil
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from landed import TENANT, Desk

from m365audit.config import load_policy
from m365audit.errors import ReviewError
from m365audit.pipeline import reviewing, subject
from m365audit.pipeline.subject import Answer
from m365audit.store.journal import open_journal

from .marked import ID, NAME, OTHER, OTHER_ID, UPN, evidence

NOW = datetime(2026, 6, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk with a person and a colleague in its evidence, judged."""
    desk = Desk(tmp_path_factory.mktemp("marked") / "desk")
    desk.run(*evidence(desk), evaluate=True)
    return desk.folder


@pytest.fixture
def desk(taken_in: Path, tmp_path: Path) -> Desk:
    """That desk, for a test of its own."""
    shutil.copytree(taken_in, tmp_path / "desk")
    return Desk(tmp_path / "desk")


def _export(desk: Desk, wanted: str = UPN, form: str = "json") -> Answer:
    policy = load_policy(desk.settings.policy)
    actor = reviewing.actor_here(desk.settings)
    return subject.export(desk.settings, policy, TENANT, wanted, form=form, actor=actor, at=NOW)


def test_every_row_is_there_and_nobody_else(desk: Desk) -> None:
    answer = _export(desk)
    text = "".join(answer.files.values())
    for other in (OTHER, OTHER_ID, "Bystander"):
        assert other.lower() not in text.lower()
    content = json.loads(answer.files["subject.json"])
    rows = content["tables"]["working.landed_records"]["rows"]
    ids = desk.ask("SELECT record_id FROM landed_records WHERE contains(lower(record::VARCHAR), 'cafe-1111') "
                   "OR contains(lower(record::VARCHAR), 'o''marker')")  # fmt: skip
    assert {(row["record_id"],) for row in rows} >= set(ids)
    assert content["counts"]["working.landed_calls"] == 3
    assert {"kind": "name", "value": NAME} in content["known_as"]
    assert content["tables"]["published.sign_ins"]["columns"]["ip_address"]
    assert content["searched"]
    assert content["not_searched"]
    assert len(content["kept_files"]) >= 8
    with open_journal(desk.settings.state) as journal:
        (entry,) = journal.entries(kind="view")
    assert (entry.event, entry.subject) == ("exported", answer.token)


def test_the_reports_token_names_the_same_person(desk: Desk) -> None:
    token = _export(desk).token
    assert _export(desk, token).counts == _export(desk, ID).counts == _export(desk, UPN.upper()).counts
    with pytest.raises(ReviewError, match="has the token"):
        _export(desk, "P-AAAAAAAAAA")


@pytest.mark.parametrize(("language", "words"), [("en", "Your rights"), ("nl", "Uw rechten")])
def test_it_is_explained_in_the_readers_language(desk: Desk, language: str, words: str) -> None:
    report = desk.settings.report.model_copy(update={"language": language})
    desk.settings = desk.settings.model_copy(update={"report": report})
    text = _export(desk).files["READ-ME.txt"]
    assert words in text
    assert "P12M" in text
    assert "{" not in text


def test_csv_is_one_file_a_table_in_a_zip_that_is_never_written_over(desk: Desk, tmp_path: Path) -> None:
    answer = _export(desk, form="csv")
    target = tmp_path / "person.zip"
    subject.write(answer, target)
    with zipfile.ZipFile(target) as packed:
        names = packed.namelist()
        rows = list(csv.reader(io.StringIO(packed.read("working.landed_records.csv").decode())))
    assert {"READ-ME.txt", "about.json", "published.sign_ins.csv"} <= set(names)
    assert len({len(row) for row in rows}) == 1
    assert len(rows) == answer.counts["working.landed_records"] + 1
    with pytest.raises(FileExistsError):
        subject.write(answer, target)


def test_nobody_is_known_by_a_name_that_nobody_has(desk: Desk) -> None:
    answer = _export(desk, "nobody@contoso.example")
    assert answer.counts == {}
    assert answer.is_nothing
    assert _export(desk, "nobody@contoso.example").is_nothing, "that somebody looked says nothing of the person"
    assert not _export(desk).is_nothing


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Nothing about you was found"), ("nl", "niets over u gevonden")]
)
def test_that_nothing_was_found_is_said_with_what_was_searched(desk: Desk, language: str, words: str) -> None:
    report = desk.settings.report.model_copy(update={"language": language})
    desk.settings = desk.settings.model_copy(update={"report": report})
    text = _export(desk, "nobody@contoso.example").files["READ-ME.txt"]
    assert words in text
    assert "{" not in text
    for place in (*subject.SEARCHED, *subject.NOT_SEARCHED):
        assert place in text

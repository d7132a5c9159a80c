"""The report's command: every form of it, into a file and a pipe, and names only for a reason that is written down."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import icalendar
import pytest

from m365audit.report import FORMATS
from m365audit.store.journal import Entry, open_journal

from .tiny_world import TENANT, Run, World

_REASON = "a data subject asked what was read of them"


def _views(world: World) -> list[Entry]:
    with open_journal(world.folder / "state") as journal:
        return journal.entries(kind="view")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "pdf"])
def test_every_form_is_written_whole_into_a_file(run: Run, world: World, tmp_path: Path, form: str) -> None:
    before = len(_views(world))
    result = run("report", "--format", form, "-o", tmp_path / "report")
    assert result.exit_code == 0, result.output
    made = (tmp_path / "report").read_bytes()
    begins = {"html": b"<!doctype html>", "json": b"{", "csv": b'"tenant_id"', "ocsf": b'{"activity_id"',
              "ics": b"BEGIN:VCALENDAR", "xlsx": b"PK", "art30": b"PK"}  # fmt: skip
    assert made.lstrip().startswith(begins[form])
    assert len(_views(world)) == before, "nobody looked at names"


def test_what_is_written_can_be_read(run: Run, tmp_path: Path) -> None:
    for line in run("report", "--format", "ocsf").stdout.splitlines():
        assert json.loads(line)["metadata"]["version"] == "1.8.0"
    assert icalendar.Calendar.from_ical(run("report", "--format", "ics").stdout)
    run("report", "--format", "xlsx", "-o", tmp_path / "x.xlsx")
    assert zipfile.ZipFile(io.BytesIO((tmp_path / "x.xlsx").read_bytes())).testzip() is None


def test_a_csv_for_excel_begins_with_its_mark(run: Run) -> None:
    plain, marked = (run("report", "--format", "csv", *more).stdout_bytes for more in ((), ("--bom",)))
    assert marked == b"\xef\xbb\xbf" + plain


def test_names_are_shown_for_a_reason_and_the_journal_tells(run: Run, world: World) -> None:
    before = len(_views(world))
    result = run("report", "--format", "json", "--identified", "--reason", _REASON)
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["is_identified"] is True
    entry = _views(world)[before]
    assert (entry.tenant, entry.event) == (TENANT, "identified")
    assert entry.body["purpose"] == _REASON
    assert entry.body["what"] == "report --format json"
    assert entry.actor.id.startswith("os:")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--identified"], "--reason"),
        (["--identified", "--reason", "because"], "20 characters"),
        (["--identified", "--reason", " " * 40], "20 characters"),
        (["--reason", _REASON], "--identified"),
        (["--bom"], "choose csv"),
        (["--section", "findings"], "choose csv"),
        (["--format", "csv", "--section", "people"], "choose one of"),
        (["--format", "docx"], "docx"),
        (["--language", "de"], "de"),
    ],
)
def test_what_helps_nobody_is_refused_and_nothing_is_written_down(
    run: Run, world: World, options: list[str], words: str
) -> None:
    before = len(_views(world))
    result = run("report", *options)
    assert result.exit_code == 2
    assert words in result.output
    assert len(_views(world)) == before

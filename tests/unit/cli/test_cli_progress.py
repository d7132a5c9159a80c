"""Progress: short as a log whatever the number of files, one line that never wraps on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from m365audit.cli.progress import Progress
from m365audit.store.arrivals import Landed


def landed(path: str, outcome: str = "imported") -> Landed:
    return Landed(path, "graph_activity", 2, 1, 1, 0, 0, outcome)


def log_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    printed = capsys.readouterr()
    assert printed.out == ""
    return [json.loads(line) for line in printed.err.splitlines()]


def test_a_log_has_one_line_for_a_batch_and_one_for_each_file_in_trouble(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for number in range(1, 2501):
        progress.file(landed(f"{number}.json", "refused" if number == 7 else "imported"), number, 2500)
    for stage in "abc":
        progress.stage(stage)
    progress.done()
    told = log_of(capsys)
    assert [(line["event"], line.get("path"), line.get("done")) for line in told] == [
        ("file", "7.json", None), ("files", None, 1000), ("files", None, 2000), ("files", None, 2500)
    ]  # fmt: skip
    assert [line["files"] for line in told[1:]] == [1000, 1000, 500]
    assert [line["refused"] for line in told[1:]] == [1, 0, 0]


def test_debug_tells_all(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M365AUDIT_LOG", "debug")
    progress = Progress()
    progress.file(landed("a"), 1, 1)
    progress.stage("b")
    assert [line["event"] for line in log_of(capsys)] == ["file", "files", "stage"]


@pytest.mark.parametrize("level", ["", "loud"])
def test_an_unknown_level_is_info(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    monkeypatch.setenv("M365AUDIT_LOG", level)
    Progress().stage("b")
    assert log_of(capsys) == []


def test_skipped_files_are_told_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    Progress().skipped(Path("a\nb"), "hidden")
    (line,) = log_of(capsys)
    assert (line["event"], line["path"], line["reason"]) == ("file_skipped", "a\nb", "hidden")


@pytest.mark.parametrize("columns", [10, 30, 80])
def test_a_terminal_s_line_fits_and_is_harmless(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    progress = Progress()
    progress.file(landed("/long/" * 40 + "株\x1b[31m\n.json"), 1, 1)
    drawn = capsys.readouterr().err.removeprefix("\r\x1b[2K")
    assert drawn.startswith("[1/1] …")
    assert "\x1b" not in drawn
    assert "\n" not in drawn
    assert len(drawn) < max(columns, 12)
    progress.done()
    assert capsys.readouterr().err == "\r\x1b[2K"

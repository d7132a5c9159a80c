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


def test_a_log_hears_of_a_large_file_twice_a_minute(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 10.0, 31.0, 40.0, 41.0, 62.0, 500.0])
    monkeypatch.setattr("m365audit.cli.progress.time.monotonic", lambda: next(clock))
    progress = Progress()
    for done in range(4):
        progress.working("big.json", "reading", done * 10, 100)
    progress.working("big.json", "storing", 100, 100)
    progress.working("big.json", "storing", 100, 100)
    progress.working("small.json", "reading", 1, 100)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["doing"], line["bytes"], line["total"]) for line in lines] == [
        ("working", "reading", 20, 100), ("working", "storing", 100, 100),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [(5 * 10**9, 20 * 10**9, "reading 25 % of 20.0 GB big.json"), (10**6, 10**6, "reading 1.0 MB big.json"),
     (7000, 0, "reading 7 kB big.json")],
)  # fmt: skip
def test_a_terminal_shows_how_far_a_large_file_is(
    done: int, total: int, shown: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    clock = iter([0.0, 1.0])
    monkeypatch.setattr("m365audit.cli.progress.time.monotonic", lambda: next(clock))
    progress = Progress()
    progress.working("big.json", "reading", 0, total)
    progress.working("big.json", "reading", done, total)
    assert capsys.readouterr().err.endswith(shown)

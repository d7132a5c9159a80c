"""How collection is shown: a table that fits any terminal and leaves nothing behind, a log of tens of lines."""

from __future__ import annotations

import io
import json
import time

import pytest
from rich.console import Console

from m365audit.cli import gathering_log
from m365audit.cli.gathering import Course, Gathering
from m365audit.cli.gathering_table import GatheringTable
from m365audit.cli.progress import Progress
from m365audit.pipeline import Step

from .tiny_world import HOSTILE

LONGEST = "delegated_permission_grants"
NO_LICENCE = "Microsoft keeps this only with Entra ID P1; buy the licence, or accept the gap"


def log_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    printed = capsys.readouterr()
    assert printed.out == ""
    return [json.loads(line) for line in printed.err.splitlines()]


def drawn(course: Course, width: int, height: int) -> list[str]:
    """Return the lines of the table on a terminal of this size."""
    console = Console(file=io.StringIO(), width=width, height=height, force_terminal=True, color_system=None,
                      markup=False, emoji=False, highlight=False)  # fmt: skip
    with console.capture() as capture:
        console.print(GatheringTable(course, console).picture())
    return capture.get().splitlines()


def course_of(*steps: Step) -> Course:
    course = Course()
    for step in steps:
        course.note(step)
    return course


def test_a_log_of_many_windows_is_short(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for tenant in ("Contoso", "Fabrikam", "Tailspin"):
        progress.gathering(Step(tenant, "", "signed_in"))
        for collection in ("users", "call_records", "directory_audits", "sign_ins_interactive"):
            for done in range(1, 101):
                is_gap = collection.startswith("sign")
                progress.gathering(
                    Step(tenant, collection, "gap" if is_gap else "read", done, 100, 0 if is_gap else done,
                         detail=NO_LICENCE if is_gap else "")
                )  # fmt: skip
    progress.done()
    told = log_of(capsys)
    assert [line["event"] for line in told] == ["signed_in", "gap"] * 3 + ["collected"] * 3
    assert told[1]["detail"] == NO_LICENCE
    last = told[-1]
    assert (last["tenant"], last["done"], last["total"], last["records"]) == ("Tailspin", 400, 400, 300)
    assert last["gaps"] == {"sign_ins_interactive": 100}


def test_each_other_kind_of_gap_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for number, detail in enumerate(["a", "b", "a", "c"], 1):
        progress.gathering(Step("Contoso", "users", "gap", number, 4, detail=detail))
    progress.done()
    assert [line.get("detail") for line in log_of(capsys) if line["event"] == "gap"] == ["a", "b", "c"]


def test_a_tenant_that_lets_nobody_in_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    progress.gathering(Step("Contoso", "", "refused", detail="the secret has expired; make a new one"))
    progress.gathering(Step("Contoso", "users", "gap", 1, 1, detail="the secret has expired; make a new one"))
    progress.done()
    (line,) = log_of(capsys)
    assert (line["event"], line["tenant"], line["detail"]) == (
        "refused", "Contoso", "the secret has expired; make a new one"
    )  # fmt: skip


@pytest.mark.parametrize(("seconds", "lines"), [(59.9, 0), (60.0, 1)])
def test_only_a_long_wait_is_a_line(capsys: pytest.CaptureFixture[str], seconds: float, lines: int) -> None:
    progress = Progress()
    progress.gathering(Step("Contoso", "users", "waiting", 0, 1, seconds=seconds, detail="Retry-After"))
    progress.done()
    assert sum(line["event"] == "waiting" for line in log_of(capsys)) == lines


def test_a_long_collection_is_heard_of_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [time.monotonic()]
    progress = Progress()
    progress.gathering(Step("Contoso", "", "signed_in"))
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for second in range(100):
        now[0] += 1
        progress.gathering(Step("Contoso", "users", "reading", 0, 1, second))
    sums = [line for line in log_of(capsys) if line["event"] == "collecting"]
    assert [line["records"] for line in sums] == [30, 60, 90]
    assert sums[0]["tenants"] == 1


def test_debug_tells_every_step(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M365AUDIT_LOG", "debug")
    progress = Progress()
    for done in range(5):
        progress.gathering(Step("Contoso", "users", "read", done, 5, done))
    progress.done()
    assert [line["event"] for line in log_of(capsys)] == ["read"] * 5 + ["collected"]


def test_a_log_whose_reader_went_away_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise BrokenPipeError

    let_go: list[int] = []
    monkeypatch.setattr("m365audit.log.get_logger", gone)
    monkeypatch.setattr(gathering_log, "let_go", let_go.append)
    show = Gathering(is_terminal=False)
    show.tell(Step("Contoso", "", "signed_in"))
    show.close()
    assert let_go == [2, 2]


@pytest.mark.parametrize(("width", "height"), [(100, 30), (60, 20), (200, 60), (40, 10), (20, 5)])
def test_no_line_wraps_and_no_row_is_too_many(width: int, height: int) -> None:
    steps = [Step("Locked out", "", "refused", detail="the secret is wrong " * 9)]
    steps += [
        Step(tenant, f"{LONGEST[:20]}_{number}" if number else LONGEST, "reading", 3, 14, 1_234_567)
        for tenant in ("Contoso", HOSTILE, "株式会社サンプル銀行ホールディングス")
        for number in range(20)
    ]
    lines = drawn(course_of(*steps), width, height)
    assert len(lines) <= height
    assert all(len(line.rstrip("\n")) <= width for line in lines)
    shown = "".join(lines)
    assert shown.isprintable(), shown
    assert "\x1b" not in shown


def test_what_goes_on_is_shown_first_and_the_rest_is_counted() -> None:
    done = [Step("A", f"listing_{number:02}", "read", 1, 1, 5) for number in range(20)]
    gap = Step("B", "sign_ins_interactive", "gap", 1, 1, 0, detail=NO_LICENCE)
    lines = drawn(course_of(*done, gap, Step("C", "users", "reading", 0, 1, 7)), 120, 10)
    assert lines[1].split() == ["C", "users", "0/1", "7", "reading"]
    assert lines[2].split() == ["B", "sign_ins_interactive", "1/1", "0", "not", "seen"]
    assert lines[3].split() == ["A", "listing_00", "1/1", "5", "read"]
    assert "3 tenants · 21/22 windows · 107 records" in lines[-1]
    assert "1 not seen" in lines[-1]
    assert "16 more rows" in lines[-1]


def test_part_of_a_log_that_was_not_seen_stays_visible() -> None:
    course = course_of(
        Step("A", "users", "gap", 1, 3), Step("A", "users", "read", 2, 3, 9), Step("A", "users", "read", 3, 3, 9)
    )
    (_, row, _) = drawn(course, 100, 20)
    assert row.rstrip().endswith("1/3 unseen")


def test_a_wait_is_shown_with_its_reason_and_counted() -> None:
    course = course_of(
        Step("A", "users", "reading", 1, 3, 50), Step("A", "users", "waiting", 1, 3, seconds=12.4, detail="Retry-After")
    )
    lines = drawn(course, 100, 20)
    assert lines[1].split()[3] == "50"
    assert "waits 12 s: Retry-After" in lines[1]
    assert "12 s waited for limits" in lines[-1]


def test_who_lets_nobody_in_is_shown_above_all() -> None:
    course = course_of(
        Step("A", "users", "read", 1, 1), Step("Z", "", "refused", detail="expired"), Step("Z", "users", "gap", 1, 1)
    )
    lines = drawn(course, 80, 20)
    assert lines[0] == "Z is not let in: expired"
    assert len(lines) == 4
    assert "1 not let in" in lines[-1]


def test_a_rate_is_of_what_was_seen_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    course = course_of(Step("A", "users", "reading", 0, 1, 1_000))
    row = course.rows["A", "users"]
    assert row.rate is None
    now[0] += 10
    course.note(Step("A", "users", "read", 1, 1, 6_000))
    now[0] += 1_000
    assert row.rate == 500


def test_the_table_is_wiped_out_at_its_end() -> None:
    shown = io.StringIO()
    console = Console(file=shown, width=80, height=20, force_terminal=True)
    table = GatheringTable(course_of(Step("A", "users", "read", 1, 1)), console)
    table.tell(Step("A", "users", "read", 1, 1))
    table.close()
    table.close()
    last = shown.getvalue().rpartition("windows · ")[2]
    assert "\x1b[?25h" in last
    assert last.count("\x1b[1A\x1b[2K") == 3

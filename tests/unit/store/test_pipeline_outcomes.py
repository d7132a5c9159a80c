"""What a run comes to when something is wrong: the evidence is kept, nothing is invented, the exit code tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from landed import TENANT, USER, Desk, call

from m365audit.cli import main


def command(desk: Desk, *arguments: str) -> Result:
    return CliRunner().invoke(main, [arguments[0], "--config", str(desk.config), *arguments[1:]])


def imported(desk: Desk, *paths: Path) -> Result:
    return command(desk, "import", "--tenant", TENANT, *map(str, paths))


def test_done_is_zero(desk: Desk) -> None:
    result = imported(desk, desk.write("a.json", [call("1")]))
    assert (result.exit_code, result.exception and str(result.exception)) == (0, None), result.output
    assert "1 read = 1 stored + 0 duplicate + 0 quarantined" in result.stdout


def test_an_invalid_register_lands_and_judges_nothing(desk: Desk) -> None:
    bad = desk.folder / "consent" / "crm.yaml"
    good = bad.read_text()
    bad.write_text(good.replace("event: granted", "event: grunted"))
    in_scope = [call("1"), call("2", None), call("3", appId=None)]
    path = desk.write("a.json", [*in_scope, call("4", responseStatusCode=403)])
    result = imported(desk, path)
    assert result.exit_code == 2
    assert "NOTHING WAS JUDGED" in result.stdout
    assert desk.ask("SELECT count(*) FROM landed_calls") == [(4,)]
    assert desk.published("SELECT event_id, verdict, reasons FROM verdicts ORDER BY 1") == [
        *((event, "not_assessable", ["register_invalid"]) for event in "123"),
        ("4", "out_of_scope", []),
    ]
    assert desk.published("SELECT DISTINCT is_evaluated FROM tenants") == [(False,)]
    assert desk.published("SELECT count(*) FROM register_versions") == [(0,)]
    assert desk.published("SELECT register_state, outcome FROM runs") == [("invalid", "not_judged")]
    bad.write_text(good)
    assert command(desk, "evaluate").exit_code == 0
    assert desk.published("SELECT count(*) FROM verdicts WHERE list_contains(reasons, 'register_invalid')") == [(0,)]


def test_an_invalid_configuration_lands_and_publishes_nothing(desk: Desk) -> None:
    desk.config.write_text(desk.config.read_text() + "pubish: ./elsewhere\n")
    result = imported(desk, desk.write("a.json", [call("1")]))
    assert result.exit_code == 2
    assert "m365audit.yaml:3" in result.stderr
    assert desk.ask("SELECT count(*) FROM landed_calls") == [(1,)]
    assert not (desk.settings.publish / "m365audit.duckdb").exists()


def test_an_unreadable_file_among_good_ones_is_partial(desk: Desk) -> None:
    paths = [desk.write("a.json", [call("1")]), desk.folder / "gone.json", desk.write("b.json", [call("2")])]
    result = imported(desk, *paths)
    assert result.exit_code == 4
    assert "gone.json" in result.stdout
    assert desk.published("SELECT count(*) FROM access_events") == [(2,)]
    assert desk.published("SELECT outcome, count(*) FROM sources GROUP BY ALL ORDER BY 1") == [
        ("imported", 2), ("refused", 1)
    ]  # fmt: skip


def test_a_file_whose_bytes_cannot_be_read_says_why(desk: Desk) -> None:
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("needs /proc")
    result = imported(desk, memory, desk.write("b.json", [call("2")]))
    assert result.exit_code == 4
    assert "Input/output error" in result.stdout
    assert desk.ask("SELECT count(*) FROM landed_calls") == [(1,)]


@pytest.mark.parametrize("publish", ["file/publish", "/proc/nowhere", "/sys"])
def test_a_publish_folder_that_cannot_be_written_keeps_the_evidence(desk: Desk, publish: str) -> None:
    if publish.startswith("/") and not Path("/proc/self").exists():
        pytest.skip("needs a folder in which even root cannot write")
    (desk.folder / "file").write_text("")
    desk.config.write_text(desk.config.read_text() + f"publish: {publish}\n")
    result = imported(desk, desk.write("a.json", [call("1")]))
    assert result.exit_code == 5, result.output
    assert "cannot be written" in result.stderr or "the store" in result.stderr
    assert "check" in result.stderr
    assert desk.ask("SELECT count(*) FROM landed_calls") == [(1,)]


def test_a_second_run_is_told_who_is_at_work(desk: Desk) -> None:
    from m365audit.store.database import open_store  # noqa: PLC0415 - beside its only use

    with open_store(desk.settings.state):
        result = imported(desk, desk.write("a.json", [call("1")]))
    assert result.exit_code == 5
    assert "another run is at work" in result.stderr


def test_a_hostile_file_costs_only_itself(desk: Desk) -> None:
    deep = json.dumps(call("1"))[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    files: list[str | bytes] = [
        deep,
        b"\xff\xfe\x00",
        b"\x1f\x8b\x08\0\0\0\0\0",
        "[" * 1000,
        "{}",
        "null",
        b"PK\x05\x06" + b"\0" * 18,
    ]
    paths = [desk.write(f"{n}.json", content) for n, content in enumerate(files)]
    result = imported(desk, *paths, desk.write("good.json", [call("good", userId=USER)]))
    assert result.exit_code == 4, result.output
    assert desk.published("SELECT event_id FROM access_events") == [("good",)]

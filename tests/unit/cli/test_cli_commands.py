"""Every command on the tiny world: data on stdout and nothing else there, whatever the names hold."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from m365audit.cli import main, table

from .tiny_world import HOSTILE, SHADOW_APP, TENANT, Arguments, Run, World, invoke

_COMMANDS = [
    ["register", "check"],
    ["register", "show"],
    ["register", "show", "--at", "2026-05-18", "--tenant", "contoso"],
    ["findings"],
    ["findings", "--all"],
    ["findings", "list"],
    ["findings", "list", "--all"],
    ["query", "--list"],
    ["query", "--tables"],
    ["query", "--tables", "access_events"],
    ["query", "outside-accesses"],
    ["query", "app-timeline", "--param", f"app_id={SHADOW_APP}"],
    ["query", "--sql", "FROM service_principals"],
    ["query", "--sql", "FROM apps"],
    ["report"],
]
_TABLES = [each for each in _COMMANDS if each[0] in {"findings", "query"}]


@pytest.mark.parametrize("arguments", _COMMANDS, ids=" ".join)
def test_json_parses_and_stdout_holds_nothing_else(run: Run, arguments: list[str]) -> None:
    result = run(*arguments, "--format", "json")
    assert result.exit_code == 0, result.output
    assert not set("\x1b\x9b\u202e") & set(result.output)
    assert json.loads(result.stdout, parse_constant=pytest.fail) is not None


@pytest.mark.parametrize("arguments", _TABLES, ids=" ".join)
def test_csv_parses_and_every_row_is_whole(run: Run, arguments: list[str]) -> None:
    rows = list(csv.reader(io.StringIO(run(*arguments, "--format", "csv").stdout, newline=""), strict=True))
    assert len({len(row) for row in rows}) == 1


@pytest.mark.parametrize("arguments", [*_COMMANDS, *([*each, "--format", "csv"] for each in _TABLES)], ids=" ".join)
def test_nothing_that_is_printed_commands_a_terminal(run: Run, arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert not set("\x1b\x9b\u202e") & set(result.output)


def test_the_hostile_name_arrives_whole(run: Run) -> None:
    rows = json.loads(run("query", "--sql", "SELECT app_name FROM service_principals", "--format", "json").stdout)
    assert rows == [{"app_name": HOSTILE}]


def test_data_and_words_are_kept_apart(run: Run) -> None:
    result = run("evaluate", "--format", "json")
    assert json.loads(result.stdout)["evaluation"]["verdicts"]["outside"] >= 3
    assert all(json.loads(line)["event"] for line in result.stderr.splitlines())


def test_findings_on_a_terminal_fit_and_show_whole_titles(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("m365audit.cli.reviewing.terminal_width", lambda: 80)
    shown = run("findings").stdout
    assert max(map(table.text_width, shown.splitlines())) <= 100
    assert shown.startswith("high ")
    assert "'=cmd|" in shown
    assert "pieces of evidence" in shown
    assert "error: nothing is wrong" not in [line.strip() for line in shown.splitlines()]


def test_a_finding_is_found_by_the_beginning_of_its_id(run: Run) -> None:
    first = json.loads(run("findings", "--format", "json").stdout)[0]
    shown = json.loads(run("findings", "show", first["finding_id"][:16].lower(), "--format", "json").stdout)
    assert shown["finding_id"] == first["finding_id"]
    assert isinstance(shown["subject"], dict)
    assert len(shown["evidence"]) == min(20, first["evidence"])
    text = run("findings", "show", first["finding_id"]).stdout
    assert first["finding_id"] in text
    assert "\x1b" not in text


@pytest.mark.parametrize("end", ["", ";", " ; ", " -- and that is all", ";\n"])
def test_any_select_becomes_parquet(run: Run, tmp_path: Path, end: str) -> None:
    target = tmp_path / "it's.parquet"
    result = run("query", "--sql", f"FROM verdicts{end}", "--format", "parquet", "-o", target)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert target.read_bytes()[:4] == b"PAR1"


def test_parquet_writes_no_other_file(run: Run, tmp_path: Path) -> None:
    evil = tmp_path / "evil.csv"
    for sql in (
        f"SELECT 1) TO '{evil}' --",
        f"SELECT 1)) TO '{evil}' (FORMAT csv); --",
        f"COPY (SELECT 1) TO '{evil}'",
    ):
        assert run("query", "--sql", sql, "--format", "parquet", "-o", tmp_path / "x.parquet").exit_code == 2
    assert not evil.exists()


def test_parameters_reach_sql(run: Run) -> None:
    result = run("query", "--sql", "SELECT $name AS x", "--param", "name=a=b'; DROP", "--format", "json")
    assert json.loads(result.stdout) == [{"x": "a=b'; DROP"}]


def test_sql_can_come_from_stdin(world: World) -> None:
    result = CliRunner().invoke(
        main, ["--config", str(world.config), "query", "--sql", "-", "--format", "csv"], input="SELECT 1 AS a -- end\n"
    )
    assert result.stdout == '"a"\n"1"\n'


def test_the_dictionary_says_what_a_column_means(run: Run) -> None:
    assert "NULL" in run("query", "--tables", "access_events").stdout
    (row,) = [
        row
        for row in json.loads(run("query", "--tables", "verdicts", "--format", "json").stdout)
        if row["column"] == "verdict"
    ]
    assert "within" in row["meaning"]


def test_what_confines_a_query_is_said_when_asked(run: Run) -> None:
    result = run("query", "--sql", "SELECT 1 AS a", "--verbose", "--memory", "100")
    assert result.stdout.split() == ["a", "─", "1"]
    assert "confined: 100 MB of memory" in result.stderr.splitlines()


def test_a_long_table_is_measured_on_its_first_rows(run: Run) -> None:
    sql = "SELECT CASE WHEN range = 2999 THEN 'much too long' ELSE 'short' END AS a FROM range(3000)"
    shown = run("query", "--sql", sql).stdout.splitlines()
    assert (len(shown), shown[1], shown[-1]) == (3002, "─" * 5, "much too long")


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_answer_in_batches_is_one_document(run: Run, form: str) -> None:
    shown = run("query", "--sql", "SELECT range AS a FROM range(10000)", "--format", form).stdout
    if form == "json":
        assert [row["a"] for row in json.loads(shown)] == list(range(10_000))
    else:
        assert shown.splitlines() == ['"a"', *(f'"{number}"' for number in range(10_000))]


def test_output_goes_to_the_file_and_only_there(run: Run, tmp_path: Path) -> None:
    for command in (["query", "outside-accesses", "--format", "csv"], ["report"]):
        target = tmp_path / command[0]
        result = run(*command, "-o", target)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == f"written: {target}\n"
        assert target.stat().st_size > 100


@pytest.mark.parametrize("place", ["before", "after", "environment", "relative", "folder"])
def test_the_configuration_is_found(world: World, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("M365AUDIT_CONFIG", raising=False)
    asked: Arguments = ["query", "--sql", "SELECT 1 AS one", "--format", "csv"]
    lines: dict[str, Arguments] = {
        "before": ["--config", world.config, *asked],
        "after": [*asked, "--config", world.config],
        "relative": [*asked, "--config", "w/m365audit.yaml"],
    }
    monkeypatch.chdir(world.folder.parent if place == "relative" else world.folder if place == "folder" else "/")
    if place == "environment":
        monkeypatch.setenv("M365AUDIT_CONFIG", str(world.config))
    assert invoke(*lines.get(place, asked)).stdout == '"one"\n"1"\n'


def test_init_leaves_alone_what_is_there(tmp_path: Path) -> None:
    first = invoke("init", tmp_path)
    written = [Path(line) for line in first.stdout.splitlines()]
    assert {path.name for path in written} >= {"m365audit.yaml", "policy.yaml", "example.yaml"}
    for path in written:
        if path.suffix == ".yaml":
            schema = path.read_text().splitlines()[0].rpartition("$schema=")[2]
            assert (path.parent / schema).is_file()
    (tmp_path / "policy.yaml").write_text("mine")
    second = invoke("init", tmp_path)
    assert (second.exit_code, second.stdout) == (0, "")
    assert (tmp_path / "policy.yaml").read_text() == "mine"


def test_what_init_writes_is_valid_and_can_be_run(empty_world: World) -> None:
    assert invoke("--config", empty_world.config, "register", "check").exit_code == 0
    result = invoke("--config", empty_world.config, "run")
    assert result.exit_code == 0, result.output
    assert "no standing import" in result.stderr


def test_an_import_is_accounted_for_and_repeats_nothing(run: Run, world: World) -> None:
    arguments: Arguments = ["import", world.folder / "exports", "--tenant", TENANT.upper(), "--no-evaluate"]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "2 files imported before" in result.stdout
    assert "2 files: 5 records read = 0 stored + 5 duplicate + 0 quarantined" in result.stdout

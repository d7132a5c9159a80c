"""Exit codes as the interface has them, and the sentence that goes with each."""

from __future__ import annotations

import errno
import gzip
import json
import re
import sys
from pathlib import Path

import click
import pytest

from m365audit.cli import edge
from m365audit.cli.evidence import _exit_code
from m365audit.cli.session import load
from m365audit.errors import AuditError, EvidenceError, QueryError, StoreBusyError
from m365audit.pipeline import Evaluation, Outcome
from m365audit.store.arrivals import Landed

from .tiny_world import SHADOW_APP, Arguments, Run, World, call, invoke, lines


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (EvidenceError("x"), 4),
        (QueryError("x"), 2),
        (StoreBusyError("x"), 5),
        (click.UsageError("x"), 2),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (RuntimeError("Query interrupted"), 130),
        (FileNotFoundError(errno.ENOENT, "No such file", "x.csv"), 2),
        (OSError(errno.EIO, "Input/output error"), 5),
        (RuntimeError("x"), 5),
        (ZeroDivisionError("x"), 5),
    ],
)
def test_no_failure_ends_like_a_finding(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "let_go", lambda _: None)
    assert edge.explain(error) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.strip()


def test_a_fault_of_the_product_is_reported_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    edge.explain(ZeroDivisionError("x\x1b[2J"))
    printed = capsys.readouterr().err
    assert "please report it" in printed.splitlines()[-1]
    assert "\x1b" not in printed


def test_a_name_with_a_line_break_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    edge.explain(AuditError("gone", file="a\nerror: all is well\x1b[2J"))
    assert capsys.readouterr().err == "error: a\\u{a}error: all is well\\u{1b}[2J: gone\n"


def test_lines_after_the_first_of_duckdb_s_messages_are_indented(run: Run) -> None:
    result = run("query", "--sql", "SELECT 'x\nerror: all is well'::INTEGER")
    assert result.exit_code == 2
    assert [line for line in result.stderr.splitlines() if line.startswith("error:")] == result.stderr.splitlines()[:1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["query"], "name a query, or give --sql"),
        (["query", "x", "--sql", "SELECT 1"], "name a query, or give --sql"),
        (["query", "--tables", "access_event"], "did you mean access_events?"),
        (["query", "--sql", "SELECT 1", "--timeout", "0"], "--timeout"),
        (["query", "outside-acceses"], "did you mean outside-accesses?"),
        (["query", "app-timeline", "--param", "app=1"], "did you mean app_id?"),
        (["query", "app-timeline", "--param", "app_id"], "write --param NAME=VALUE"),
        (["query", "new-grants", "--param", "since=yesterday"], "cannot be 'yesterday'"),
        (["query", "--sql", ""], "one SELECT is wanted"),
        (["query", "--sql", "SELECT 1; SELECT 2"], "one SELECT is wanted"),
        (["query", "--sql", "DROP TABLE verdicts"], "one SELECT is wanted"),
        (["query", "--sql", "ATTACH 'x.db'"], "one SELECT is wanted"),
        (["query", "--sql", "COPY verdicts TO 'x.csv'"], "one SELECT is wanted"),
        (["query", "--sql", "FROM read_csv('/etc/passwd')"], "disabled"),
        (["query", "--sql", "SELECT 1", "--format", "parquet"], "-o"),
        (["query", "--sql", "SELECT 1", "-o", "/nowhere/x.csv"], "/nowhere/x.csv"),
        (["report", "-o", "/nowhere/x.html"], "/nowhere"),
        (["report", "--format", "csv", "--section", "x"], "choose one of"),
        (["findings", "show", "F1"], "findings begin with"),
        (["findings", "show", "F1-NONE"], "no finding begins with"),
        (["findings", "decide"], "Missing argument 'FINDING_ID'"),
        (["run", "--tenant", "Contos"], "did you mean Contoso?"),
        (["import", "x", "--tenant", "Contoso", "--from", "2026-01-01"], "a day, not a point in time"),
        (["import", "x", "--tenant", "Contoso", "--to", "2026-01-01T00:00:00Z"], "--from and --to are a window"),
        (["import", "x", "--tenant", "Contoso", "--kind", "mail"], "'mail' is not one of"),
        (["import", "x"], "Missing option '--tenant'"),
        (["register", "show", "--at", "yesterday"], "--at 'yesterday'"),
        (["nonsense"], "No such command 'nonsense'."),
        (["fidnings"], "No such command 'fidnings'. Did you mean 'findings'?"),
        (["findings", "decid", "F1"], "No such command 'decid'. Did you mean 'decide'?"),
        (["breach", "stauts"], "Did you mean 'status'?"),
        (["query", "outside-accesses", "--param", "rows=abc"], "write a whole number, e.g. 72"),
    ],
)
def test_usage_is_two_and_says_what_to_do(run: Run, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("sql", "limit", "said"),
    [
        ("SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1", ["--timeout", "0.3"], "longer than 0.3 s"),
        ("SELECT repeat('x', 4000000000)", ["--memory", "200"], "more than its 200 MB of memory"),
    ],
)
def test_a_query_that_takes_too_much_is_stopped_with_the_next_step(
    run: Run, sql: str, limit: list[str], said: str
) -> None:
    result = run("query", "--sql", sql, *limit)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert limit[0] in result.stderr


def test_an_answer_that_breaks_off_is_told_and_leaves_no_file(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("as it was")
    sql = "SELECT CASE WHEN range < 9000 THEN 1 ELSE error('broken') END AS n FROM range(10000)"
    result = run("query", "--sql", sql, "--format", "csv", "-o", target)
    assert (result.exit_code, "broken" in result.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    assert target.read_text() == "as it was"


def test_no_configuration_is_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("M365AUDIT_CONFIG", raising=False)
    result = invoke("run")
    assert (result.exit_code, "m365audit init" in result.stderr) == (2, True)


@pytest.mark.parametrize("text", [b"tenants: [\n", b"\xff\xfe", b"", b"- 1\n"])
def test_a_configuration_of_which_nothing_can_be_used_stops_everything(tmp_path: Path, text: bytes) -> None:
    config = tmp_path / "m365audit.yaml"
    config.write_bytes(text)
    for command in (["run"], ["register", "check"], ["query", "--sql", "SELECT 1"]):
        result = invoke("--config", config, *command)
        assert result.exit_code in ({2, 5} if command[0] == "query" and not text else {2})
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"m365audit.yaml", "state", "publish"}] == []


def test_evidence_goes_nowhere_when_the_state_folder_is_not_known(empty_world: World) -> None:
    empty_world.config.write_text(re.sub("(?m)^state: .*", "state: [x]", empty_world.config.read_text()))
    result = invoke("--config", empty_world.config, "run")
    assert (result.exit_code, "correct `state:`" in result.stderr) == (2, True)
    assert not (empty_world.folder / "state").exists()


def test_nothing_published_is_five(empty_world: World) -> None:
    for command in (["query", "--sql", "SELECT 1"], ["findings"], ["report"]):
        result = invoke("--config", empty_world.config, *command)
        assert (result.exit_code, "nothing is published" in result.stderr) == (5, True)


def test_a_damaged_published_file_is_five(empty_world: World) -> None:
    (empty_world.folder / "publish").mkdir()
    (empty_world.folder / "publish" / "m365audit.duckdb").write_bytes(b"not a database at all")
    assert invoke("--config", empty_world.config, "findings").exit_code == 5


def test_an_invalid_register_is_two_with_every_mistake(empty_world: World) -> None:
    record = empty_world.folder / "consent" / "example.yaml"
    text = record.read_text().replace("event: granted", "event: grantd").replace("workload: mail ", "workload: mial ")
    record.write_text(text)
    (record.parent / "a\n\x1b[2Jb.yaml").write_bytes(b"\xff")
    result = invoke("--config", empty_world.config, "register", "check")
    assert result.exit_code == 2
    assert all(said in result.stdout for said in ("did you mean granted?", "did you mean mail?", "not UTF-8"))
    assert "\x1b" not in result.stdout
    shown = invoke("--config", empty_world.config, "register", "show")
    assert (shown.exit_code, "mistakes" in shown.stderr) == (2, True)


def test_partial_is_four_and_the_rest_goes_on(empty_world: World) -> None:
    evidence = empty_world.folder / "a"
    evidence.mkdir()
    good = lines(call("1", SHADOW_APP), call("2", SHADOW_APP)).encode()
    (evidence / "cut.gz").write_bytes(gzip.compress(good * 50)[:-20])
    (evidence / "junk.bin").write_bytes(bytes(range(256)) * 9)
    (evidence / "=cmd|x\n\x1b[2J.json").write_text('{"nope": 1}')
    (evidence / "good.json").write_bytes(good)
    arguments: Arguments = ["--config", empty_world.config, "import", evidence, "--tenant", "contoso", "--no-evaluate"]
    result = invoke(*arguments, "--format", "json")
    files = {Path(file["path"]).name: file["outcome"] for file in json.loads(result.stdout)["files"]}
    assert result.exit_code == 4
    assert files["good.json"] in {"imported", "partial"}
    assert (files["junk.bin"], files["=cmd|x\n\x1b[2J.json"]) == ("refused", "refused")
    assert len([line for line in invoke(*arguments).stdout.splitlines() if line.startswith("refused")]) == 2


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are always Unicode there")
def test_a_file_name_that_is_not_utf8_costs_nothing(empty_world: World) -> None:
    evidence = Path(str(empty_world.folder / "a\udcff"))
    evidence.mkdir()
    Path(str(evidence / "b\udcfe.json")).write_text(lines(call("1", SHADOW_APP)))
    arguments: Arguments = ["--config", empty_world.config, "import", evidence, "--tenant", "contoso", "--no-evaluate"]
    result = invoke(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["files"][0]["path"].endswith(r"a\xff/b\xfe.json")


def test_an_empty_folder_is_said_and_is_partial(empty_world: World) -> None:
    (empty_world.folder / "a").mkdir()
    arguments: Arguments = ["import", empty_world.folder / "a", "--tenant", "contoso", "--no-evaluate"]
    result = invoke("--config", empty_world.config, *arguments)
    assert (result.exit_code, "nothing to read was found" in result.stderr) == (4, True)


@pytest.mark.parametrize(("severity", "code"), [("info", 1), ("high", 1), ("critical", 0), (None, 0)])
@pytest.mark.parametrize("is_refused", [False, True])
def test_findings_are_one_only_when_asked_for_and_go_before_partial(
    world: World, severity: str | None, code: int, *, is_refused: bool
) -> None:
    loaded, policy = load(world.config)
    files = (Landed("x", None, 0, 0, 0, 0, 0, "refused"),) if is_refused else ()
    outcome = Outcome(files, Evaluation(Path(), Path(), {}, {"high": 2}, 0, ""))
    assert _exit_code(loaded, policy, outcome, severity) == (code or (4 if is_refused else 0))


def test_fail_on_ends_with_one(run: Run) -> None:
    assert run("evaluate", "--fail-on", "info").exit_code == 1

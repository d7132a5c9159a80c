"""Hostile statements against the published file, each in the process that `m365audit query` runs them in."""

from __future__ import annotations

import hashlib
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
from click.testing import CliRunner

from m365audit.cli import main
from m365audit.errors import QueryError
from m365audit.resources import yaml_values
from m365audit.store.confinement import Limits
from m365audit.store.inquiry import Inquiry

SECRET: Final = "outside-the-database"  # noqa: S105 - it opens nothing
LIMITS: Final = Limits(memory=200 * 1000**2, seconds=0.4, threads=2)
AMPLE: Final = Limits(memory=LIMITS.memory, seconds=60.0, threads=2)
_GROUPS: Final[dict[str, list[dict[str, Any]]]] = yaml_values(
    (Path(__file__).parent / "statements.yml").read_text(encoding="utf-8")
)
_WRITTEN: Final = re.compile(r"\{python:((?:[^{}'\"]|'[^']*')*)\}")
_REFUSED: Final = ("one SELECT is wanted", "Parser Error")


@dataclass(frozen=True)
class Outcome:
    """What came of a statement: ``refused``, ``error`` or ``answer``, and what was said."""

    kind: str
    said: str


@pytest.fixture(scope="module")
def publish(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A published database with one table; beside its folder, a folder with secrets."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "publish").mkdir()
    (folder / "outside").mkdir()
    with duckdb.connect(str(folder / "publish" / "m365audit.duckdb")) as connection:
        connection.execute("CREATE TABLE x AS SELECT 1 AS a")
    with duckdb.connect(str(folder / "outside" / "other.duckdb")) as connection:
        connection.execute(f"CREATE TABLE y AS SELECT '{SECRET}' AS a")
    (folder / "outside" / "secret.txt").write_text(SECRET)
    (folder / "outside" / "more.csv").write_text(f"a\n{SECRET}\n")
    return folder / "publish"


def digests(folder: Path) -> dict[str, str]:
    """Return every file below a folder with the hash of its bytes."""
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def written_out(template: str, publish: Path) -> str:
    """Return a statement with its placeholders replaced."""
    made = _WRITTEN.sub(lambda found: str(eval(found[1])), template)  # noqa: S307 - this folder's own file
    return made.replace("{own}", str(publish / "m365audit.duckdb")).replace(
        "{outside}", str(publish.parent / "outside")
    )


def attempt(inquiry: Inquiry, sql: str) -> Outcome:
    """Ask one statement; read of its answer what a secret would stand in."""
    try:
        said = "".join(str(rows)[:100_000] for rows in inquiry.ask(sql, {}).batches)
    except QueryError as error:
        return Outcome("refused" if error.message.startswith(_REFUSED) else "error", str(error))
    return Outcome("answer", said)


def alone(publish: Path, sql: str, limits: Limits = LIMITS) -> Outcome:
    """Ask one statement in a confined process of its own."""
    with Inquiry() as inquiry:
        inquiry.open(publish, limits)
        return attempt(inquiry, sql)


def statements(*, heavy: bool) -> dict[str, str]:
    """Return the statements of the file with what is expected of each; ``heavy``: those that take too much."""
    groups = [entries for name, entries in _GROUPS.items() if (name == "taking too much") == heavy]
    return {entry["sql"]: entry["expected"] for entries in groups for entry in entries}


@pytest.fixture(scope="module")
def outcomes(publish: Path) -> dict[str, Outcome]:
    """What came of every statement: the light ones in one confined process, each heavy one in its own."""
    before = digests(publish.parent)
    with Inquiry() as inquiry:
        inquiry.open(publish, AMPLE)
        found = {each: attempt(inquiry, written_out(each, publish)) for each in statements(heavy=False)}
        assert digests(publish.parent) == before
    heavy = list(statements(heavy=True))
    with ThreadPoolExecutor(max_workers=4) as pool:
        found |= zip(heavy, pool.map(lambda each: alone(publish, written_out(each, publish)), heavy), strict=True)
    assert digests(publish.parent) == before
    return found


def test_there_are_enough_of_them() -> None:
    assert len(statements(heavy=False)) + len(statements(heavy=True)) >= 200


@pytest.mark.parametrize("heavy", [False, True])
def test_every_statement_comes_to_what_is_expected_and_tells_no_secret(
    outcomes: dict[str, Outcome], *, heavy: bool
) -> None:
    wrong = {
        template: (expected, outcomes[template])
        for template, expected in statements(heavy=heavy).items()
        if SECRET in outcomes[template].said or not _is_right(outcomes[template].kind, expected)
    }
    assert wrong == {}


def _is_right(kind: str, expected: str) -> bool:
    return expected in {"any", kind} or (expected == "stopped" and kind != "answer")


def test_what_takes_too_much_is_told_with_the_next_step(publish: Path) -> None:
    outcome = alone(publish, "SELECT count(*) FROM range(1000000000000) WHERE hash(range) = 1")
    assert ("longer than 0.4 s" in outcome.said, "--timeout" in outcome.said) == (True, True)
    outcome = alone(publish, "SELECT repeat('x', 4000000000)", Limits(memory=LIMITS.memory))
    assert ("200 MB of memory" in outcome.said, "--memory" in outcome.said) == (True, True)


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        ("SIGKILL", "memory"),
        ("SIGSEGV", "broke down"),
        ("SIGXCPU", "processor time"),
        ("SIGABRT", "nothing was harmed"),
    ],
)
def test_a_process_that_dies_is_told_by_its_death(publish: Path, ending: str, said: str) -> None:
    with Inquiry() as inquiry:
        inquiry.open(publish, LIMITS)
        inquiry._process.send_signal(signal.Signals[ending])
        with pytest.raises(QueryError, match=said) as caught:
            inquiry.ask("SELECT count(*) FROM range(100000000000)", {})
    assert caught.value.hint


def test_a_process_ends_with_its_asker(publish: Path) -> None:
    with Inquiry() as inquiry:
        inquiry.open(publish, LIMITS)
        process = inquiry._process
    assert process.returncode == -signal.SIGKILL


def test_the_environment_stays_outside(publish: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M365AUDIT_SECRET", SECRET)
    with Inquiry() as inquiry:
        inquiry.open(publish, LIMITS)
        environment = Path(f"/proc/{inquiry._process.pid}/environ")
        assert not environment.exists() or SECRET.encode() not in environment.read_bytes()


def test_an_answer_of_any_size_is_streamed(publish: Path) -> None:
    with Inquiry() as inquiry:
        inquiry.open(publish, AMPLE)
        answer = inquiry.ask("SELECT range, repeat('x', 1000) AS x FROM range(300000)", {})
        assert sum(len(rows) for rows in answer.batches) == 300_000  # more than the memory it may use


def test_values_arrive_as_they_are(publish: Path) -> None:
    sql = "SELECT 1::HUGEINT << 100 AS a, 'x'::BLOB AS b, TIMESTAMPTZ '2026-03-01 10:00:00+00' AS c, [1, NULL] AS d"
    with Inquiry() as inquiry:
        inquiry.open(publish, AMPLE)
        (row,) = next(inquiry.ask(sql, {}).batches)
    assert row == [str(2**100), b"x", datetime(2026, 3, 1, 10, tzinfo=UTC), [1, None]]


def test_what_is_enforced_is_said(publish: Path) -> None:
    with Inquiry() as inquiry:
        inquiry.open(publish, LIMITS)
        said = " ".join(inquiry.enforced)
    assert ("Landlock" in said, "200 MB" in said, "0.4 s" in said) == (True, True, True)


@pytest.mark.parametrize(
    ("form", "template"),
    [
        ("csv", "FROM read_text('{outside}/secret.txt')"),
        ("json", "COPY (SELECT 'evil') TO '{own}' (FORMAT csv, USE_TMP_FILE false)"),
        ("table", "SELECT 1; DROP TABLE x"),
        ("parquet", "SELECT 1) TO '{own}' (FORMAT csv, USE_TMP_FILE false) --"),
        ("parquet", "FROM read_blob('{own}')"),
        ("parquet", "FROM '{outside}/more.csv'"),
        ("parquet", "SELECT repeat('x', 4000000000)"),
    ],
)
def test_the_whole_command_refuses_and_leaves_everything_as_it_was(publish: Path, form: str, template: str) -> None:
    config = publish.parent / "m365audit.yaml"
    config.write_text("tenants: [{id: 11111111-1111-4111-8111-111111111111}]\n", encoding="utf-8")
    (publish.parent / "results").mkdir(exist_ok=True)
    before = digests(publish.parent)
    asked = ["query", "--sql", written_out(template, publish), "--format", form, "--memory", "200"]
    result = CliRunner().invoke(
        main, ["--config", str(config), *asked, "-o", str(publish.parent / "results" / "result")]
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert SECRET not in result.output
    assert digests(publish.parent) == before

"""Nothing that SQL can say changes a locked database's file, or reads or writes anything outside it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest
from landed import ask

from m365audit.errors import QueryError, StoreError
from m365audit.store.published import check_reading, open_published, write_parquet
from m365audit.store.sandbox import LockedDatabase

PRIVATE = "outside-the-database"

HOSTILE = [
    "COPY (SELECT 'evil') TO '{own}' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 'evil') TO '{own}' (FORMAT csv)",
    "COPY (SELECT 'evil') TO '{own}.wal' (FORMAT csv, USE_TMP_FILE false)",
    "COPY (SELECT 'evil') TO '{outside}/new.csv'",
    "COPY (SELECT 'evil') TO '{outside}/secret.txt' (FORMAT csv, USE_TMP_FILE false)",
    "COPY x TO '/dev/stdout'",
    "COPY x FROM '{outside}/secret.txt'",
    "COPY FROM DATABASE memory TO locked",
    "ATTACH '{outside}/other.duckdb'",
    "ATTACH '{own}' AS again",
    "ATTACH 'https://192.0.2.1/x.duckdb' AS web",
    "DETACH locked",
    "USE memory",
    "EXPORT DATABASE '{outside}/dump'",
    "IMPORT DATABASE '{outside}'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '{outside}/secret.txt'",
    "FORCE INSTALL spatial FROM community",
    "SELECT * FROM read_csv('{outside}/secret.txt')",
    "SELECT * FROM read_text('{outside}/*')",
    "SELECT * FROM read_blob('{outside}/secret.txt')",
    "SELECT * FROM read_json('{outside}/secret.txt')",
    "SELECT * FROM read_parquet('{outside}/secret.txt')",
    "SELECT * FROM glob('{outside}/*')",
    "SELECT * FROM '{outside}/secret.txt'",
    "SELECT * FROM '{outside}/*.csv'",
    "SELECT getenv('HOME')",
    "SET enable_external_access = true",
    "SET lock_configuration = false",
    "RESET disabled_filesystems",
    "SET allowed_directories = ['/']",
    "SET temp_directory = '{outside}'",
    "SET GLOBAL memory_limit = '900GB'",
    "PRAGMA enable_profiling",
    "PRAGMA profiling_output = '{outside}/profile.json'",
    "SET VARIABLE a = 1",
    "WITH a AS (INSERT INTO x VALUES (2) RETURNING *) SELECT * FROM a",
    "WITH a AS (DELETE FROM x RETURNING *) SELECT * FROM a",
    "INSERT INTO x VALUES (2)",
    "UPDATE x SET a = 9",
    "DELETE FROM x",
    "TRUNCATE x",
    "DROP TABLE x",
    "CREATE TABLE y AS SELECT 1",
    "CREATE OR REPLACE VIEW v AS SELECT 1",
    "CREATE SECRET s (TYPE s3, KEY_ID 'a', PRIVATE 'b')",
    "ALTER TABLE x ADD COLUMN b INTEGER",
    "VACUUM",
    "FORCE CHECKPOINT",
    "CALL pragma_version()",
    "EXECUTE immediate",
    "SELECT 1; DROP TABLE x",
    "SELECT 1; COPY (SELECT 1) TO '{own}' (FORMAT csv, USE_TMP_FILE false)",
    "SELECT * FROM query('DROP TABLE x')",
    "EXPLAIN ANALYZE INSERT INTO x VALUES (2)",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{own}' (FORMAT csv, USE_TMP_FILE false)",
]

WRITES_TABLES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "DROP", "CREATE", "ALTER", "VACUUM", "FORCE CHECKPOINT",
                 "WITH a AS (INSERT", "WITH a AS (DELETE", "SELECT 1; DROP", "EXPLAIN ANALYZE INSERT")  # fmt: skip


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return a small database file, a secret beside it in a folder ``outside``."""
    path = tmp_path / "publish" / "m365audit.duckdb"
    path.parent.mkdir()
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE x AS SELECT 1 AS a")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(PRIVATE)
    (tmp_path / "outside" / "more.csv").write_text(f"a\n{PRIVATE}\n")
    return path


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def attempt(database: LockedDatabase, sql: str) -> str:
    """Run hostile SQL and return what came out, as text."""
    try:
        return str(database.execute(sql))
    except QueryError as error:
        return error.message


def hostile(own: Path, template: str) -> str:
    return template.replace("{own}", str(own)).replace("{outside}", str(own.parent.parent / "outside"))


def test_nothing_said_to_the_published_database_has_an_effect(own: Path) -> None:
    before = digests(own.parent.parent)
    for template in HOSTILE:
        with open_published(own.parent) as database:
            said = attempt(database, hostile(own, template))
        assert PRIVATE not in said, template
        assert digests(own.parent.parent) == before, template


@pytest.mark.parametrize("template", HOSTILE)
def test_only_one_reading_statement_is_let_through_to_it(own: Path, template: str) -> None:
    with open_published(own.parent) as database:
        sql = hostile(own, template)
        try:
            check_reading(database, sql)
        except QueryError as error:
            assert error.exit_code == 2  # noqa: PT017 - either way is right
        else:
            assert sql.startswith(("SELECT", "WITH", "EXPLAIN"))
            attempt(database, sql)
    assert ask(own, "SELECT a FROM x") == [(1,)]


def test_what_is_said_to_a_candidate_stays_inside_it(own: Path, tmp_path: Path) -> None:
    spill = tmp_path / "spill"
    spill.mkdir()
    outside = digests(own.parent.parent / "outside")
    for template in HOSTILE:
        if template.startswith(WRITES_TABLES) or "{own}" in template:
            continue  # rules are proven to be one SELECT before they come here; see below for their own file
        with LockedDatabase(own, is_read_only=False, spill=spill) as database:
            assert PRIVATE not in attempt(database, hostile(own, template)), template
        assert digests(own.parent.parent / "outside") == outside, template
        assert ask(own, "SELECT a FROM x") == [(1,)], template
    assert not [path for path in tmp_path.rglob("*.csv") if path.name != "more.csv"]


def to_parquet(publish: Path, sql: str, parameters: dict[str, object], output: Path) -> None:
    with open_published(publish, output=output) as database:
        write_parquet(database, sql, parameters, output)


def test_a_parquet_result_is_the_one_file_that_can_be_written(own: Path, tmp_path: Path) -> None:
    output = tmp_path / "it's a result.parquet"
    before = digests(own.parent.parent)
    to_parquet(own.parent, "SELECT 1 ; ", {}, output)
    to_parquet(own.parent, "SELECT a, [1, 2] AS l FROM x WHERE a = $a -- all", {"a": 1}, output)
    with duckdb.connect() as connection:
        assert connection.execute("FROM read_parquet(?)", [str(output)]).fetchall() == [(1, [1, 2])]
    output.unlink()
    for template in HOSTILE:
        with pytest.raises(QueryError):
            to_parquet(own.parent, hostile(own, template), {}, output)
        output.unlink(missing_ok=True)
        assert digests(own.parent.parent) == before, template


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1) TO '{own}' (FORMAT csv) --", "SELECT 1; SELECT 2", "", ";", "-- nothing", "DROP TABLE x", "SELEC 1",
     "/* SELECT 1 */"],
)  # fmt: skip
def test_what_is_not_one_select_is_refused_with_a_hint(own: Path, sql: str) -> None:
    with open_published(own.parent) as database, pytest.raises(QueryError):
        check_reading(database, hostile(own, sql))


def test_memory_and_errors_have_bounds(own: Path) -> None:
    with open_published(own.parent) as database:
        assert database.execute("SELECT current_setting('memory_limit')")[0][0] in {"1.8 GiB", "2.0 GB", "1.9 GiB"}
        with pytest.raises(QueryError):
            database.execute("SELECT error('x')")
        assert database.execute("SELECT a FROM x") == [(1,)]
        assert database.run("FROM range(100)", limit=3)[1] == [(0,), (1,), (2,)]


@pytest.mark.parametrize("content", [b"", b"junk", b"\0" * 5000])
def test_a_damaged_published_file_is_a_sentence(own: Path, content: bytes) -> None:
    own.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_published(own.parent)


def test_nothing_published_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nothing is published") as caught:
        open_published(tmp_path)
    assert "m365audit import" in caught.value.hint

"""The candidate follows from evidence, register and catalogue alone; a query that fails is named."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from landed import USER, Desk, audit, call, group_page

from m365audit.errors import StoreError
from m365audit.store import candidate
from m365audit.store.queries import QueryFile


def tables(path: Path) -> dict[str, list[str]]:
    """Return every table of a database as text, rows sorted; without what tells of the run itself."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute("SELECT table_name FROM information_schema.tables ORDER BY 1").fetchall()
        names = [row[0] for row in found]
        return {
            name: sorted(str(row) for row in connection.execute(f'FROM "{name}"').fetchall())
            for name in names
            if name != "runs"
        }


def test_evaluating_again_gives_the_same_tables(desk: Desk) -> None:
    desk.run(
        desk.write("calls.json", [call(str(n), f"2026-05-04T10:{n:02}:00Z") for n in range(20)]),
        desk.write("audit.json", [audit(str(n)) for n in range(5)]),
        desk.write("groups.json", group_page([USER]), at="2026-05-04T12:00:00Z"),
        evaluate=True,
    )
    first = tables(desk.settings.publish / "m365audit.duckdb")
    desk.run(evaluate=True)
    second = tables(desk.settings.publish / "m365audit.duckdb")
    assert first["verdicts"]
    assert len(first["access_events"]) == 25
    changed = {name for name in first if first[name] != second[name]}
    assert changed <= {"findings"}  # whether a finding is new is told once
    assert [row.replace("'new'", "") for row in first["findings"]] == [
        row.replace("'unchanged'", "") for row in second["findings"]
    ]


def test_a_query_that_fails_names_its_file_and_nothing_is_published(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.run(desk.write("a.json", [call("1")]), evaluate=True)
    before = (desk.settings.publish / "m365audit.duckdb").read_bytes()
    broken = QueryFile("broken", Path("queries/tables/99_broken.sql"), {}, "SELECT no_such_column FROM verdicts")
    in_order = candidate._in_order
    monkeypatch.setattr(candidate, "_in_order", lambda: [*in_order(), broken])
    with pytest.raises(StoreError, match="no_such_column") as caught:
        desk.run(desk.write("b.json", [call("2")]), evaluate=True)
    assert caught.value.file == "queries/tables/99_broken.sql"
    assert caught.value.exit_code == 5
    assert (desk.settings.publish / "m365audit.duckdb").read_bytes() == before
    monkeypatch.undo()
    desk.run(evaluate=True)
    assert desk.published("SELECT count(*) FROM access_events") == [(2,)]
    assert sorted(path.name for path in desk.settings.publish.iterdir()) == ["m365audit.duckdb", "report.html"]


def test_the_published_file_is_in_the_format_of_the_oldest_client(desk: Desk) -> None:
    desk.run(desk.write("a.json", [call("1")]), evaluate=True)
    with duckdb.connect(str(desk.settings.publish / "m365audit.duckdb"), read_only=True) as connection:
        row = connection.execute("SELECT tags['storage_version'] FROM duckdb_databases() WHERE NOT internal").fetchone()
    assert row is not None
    assert row[0].startswith("v1.5")

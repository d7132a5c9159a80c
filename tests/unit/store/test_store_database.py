"""The working database: made whole or not at all, opened by one, private, never older than its schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from landed import Desk, call

from m365audit.errors import StoreBusyError, StoreError
from m365audit.store import database
from m365audit.store.database import open_store


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_leftovers_of_a_creation_that_was_killed_do_not_matter(tmp_path: Path) -> None:
    tmp_path.joinpath("m365audit.creating").write_bytes(b"\0" * 4096)
    tmp_path.joinpath("m365audit.creating.wal").write_bytes(b"junk")
    with open_store(tmp_path) as connection:
        assert connection.execute("SELECT count(*) FROM sources").fetchone() == (0,)
    assert not list(tmp_path.glob("*.creating*"))


def test_everything_in_the_state_folder_is_private_even_when_the_mask_is_not(desk: Desk) -> None:
    before = os.umask(0o000)
    try:
        desk.run(desk.write("a.json", [call("1")]), evaluate=True)
    finally:
        os.umask(before)
    for path in (desk.settings.state, *desk.settings.state.rglob("*")):
        assert mode(path) == (0o700 if path.is_dir() else 0o600), path
    assert mode(desk.settings.publish) == 0o750
    assert {mode(path) for path in desk.settings.publish.iterdir()} == {0o640}


def test_a_second_run_learns_who_is_at_work_and_since_when(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from m365audit.store.database import open_store\n"
        f"with open_store(Path({str(tmp_path)!r})): print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        said = json.loads((tmp_path / "run.lock").read_text())
        with pytest.raises(StoreBusyError) as caught, open_store(tmp_path):
            pass
        assert said["pid"] == holder.pid
        assert str(holder.pid) in caught.value.message
        assert said["since"] in caught.value.message
        assert caught.value.exit_code == 5
        holder.kill()
    with open_store(tmp_path):  # the kernel freed the lock with its holder
        pass


def test_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    with open_store(tmp_path) as connection:
        connection.execute("INSERT INTO schema_versions VALUES (9999, now())")
    with pytest.raises(StoreError, match="schema 9999"), open_store(tmp_path):
        pass
    with duckdb.connect(str(tmp_path / "m365audit.duckdb")) as connection:
        assert connection.execute("SELECT max(version) FROM schema_versions").fetchone() == (9999,)


def test_an_older_database_is_brought_up_to_date_and_keeps_its_rows(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = database._migrations()
    monkeypatch.setattr(database, "_migrations", lambda: everything[:1])
    with open_store(desk.settings.state) as connection:
        connection.execute(
            "INSERT INTO sources VALUES ('t', 1, 'p', 'graph_activity', 'x', 1, 1, 1, 0, 0, 0, now(), "
            "'2026-05-04 12:00:00+00', 'imported', '', '', false)"
        )
        connection.execute(
            "INSERT INTO landed_calls (tenant_id, source_id, event_id, content, version, is_newest, has_bad_time) "
            "VALUES ('t', 1, 'e', 1, 1, true, false)"
        )
    monkeypatch.undo()
    with open_store(desk.settings.state):
        pass
    assert desk.ask("SELECT version FROM schema_versions ORDER BY 1") == [(number,) for number, _ in everything]
    assert desk.ask("SELECT strftime(observed_at, '%H:%M') FROM landed_calls") == [("12:00",)]


def test_a_migration_that_fails_leaves_the_schema_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_store(tmp_path):
        pass
    everything = database._migrations()
    number = len(everything) + 1
    broken = (number, "CREATE TABLE half (a INTEGER); SELECT error('no')")
    monkeypatch.setattr(database, "_migrations", lambda: [*everything, broken])
    with pytest.raises(StoreError), open_store(tmp_path):
        pass
    monkeypatch.undo()
    with open_store(tmp_path) as connection:
        assert connection.execute("SELECT max(version) FROM schema_versions").fetchone() == (number - 1,)
        assert not connection.execute("FROM duckdb_tables() WHERE table_name = 'half'").fetchall()


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [number for number, _ in database._migrations()]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("damage", [b"", b"not a database at all", b"\0" * 8192])
def test_a_file_that_is_no_database_is_named_and_kept(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "m365audit.duckdb"
    path.write_bytes(damage)
    with pytest.raises(StoreError, match="cannot be opened"), open_store(tmp_path):
        pass
    assert path.read_bytes() == damage


def test_what_the_disk_or_duckdb_refuse_becomes_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No space left"), open_store(tmp_path):
        raise OSError(28, "No space left on device")
    with pytest.raises(StoreError, match="failed"), open_store(tmp_path) as connection:
        connection.execute("FROM no_such_table")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="failed"), open_store(tmp_path / "file" / "state"):
        pass


def test_times_are_utc_and_nothing_is_fetched(tmp_path: Path) -> None:
    with open_store(tmp_path) as connection:
        row = connection.execute(
            "SELECT current_setting('TimeZone'), current_setting('autoinstall_known_extensions'), "
            "current_setting('autoload_known_extensions')"
        ).fetchone()
    assert row == ("UTC", False, False)

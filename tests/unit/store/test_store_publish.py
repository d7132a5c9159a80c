"""Publishing is one rename: readers keep what they have, nobody sees half a file, leftovers go."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from landed import Desk, call

from m365audit.errors import StoreError
from m365audit.store.publish import new_candidate_path, put_in_place, write_in_place


def test_a_reader_keeps_the_file_that_it_has_open(desk: Desk) -> None:
    desk.run(desk.write("a.json", [call("1")]), evaluate=True)
    path = desk.settings.publish / "m365audit.duckdb"
    with duckdb.connect(str(path), read_only=True) as reader, path.open("rb") as raw:
        old = os.fstat(raw.fileno()).st_ino
        desk.run(desk.write("b.json", [call("2")]), evaluate=True)
        assert reader.execute("SELECT count(*) FROM access_events").fetchone() == (1,)
        assert path.stat().st_ino != old
    assert desk.published("SELECT count(*) FROM access_events") == [(2,)]


def test_what_killed_runs_left_goes_and_nothing_else(tmp_path: Path) -> None:
    for name in (
        ".unfinished-1.duckdb",
        ".unfinished-1.duckdb.wal",
        ".unfinished-2-report.html",
        "m365audit.duckdb",
        "mine.txt",
    ):
        (tmp_path / name).write_text("x")
    path = new_candidate_path(tmp_path)
    assert not path.exists()
    assert path.parent == tmp_path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m365audit.duckdb", "mine.txt"]


def test_a_published_file_is_readable_by_its_group_and_no_more(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        folder = tmp_path / "new" / "publish"
        write_in_place([b"pa", b"ge"], folder / "report.html")
    finally:
        os.umask(old)
    assert (folder.stat().st_mode & 0o777, (folder / "report.html").stat().st_mode & 0o777) == (0o750, 0o640)


def test_the_mode_of_a_folder_that_is_there_is_its_owners_business(tmp_path: Path) -> None:
    folder = tmp_path / "publish"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    new_candidate_path(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


def test_a_write_that_fails_leaves_the_old_page_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_in_place([b"old"], target)

    def full() -> Iterator[bytes]:
        yield b"ne"
        raise OSError(28, "No space left on device")

    with pytest.raises(StoreError, match="No space left"):
        write_in_place(full(), target)
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        new_candidate_path(tmp_path / "file" / "publish")
    with pytest.raises(StoreError, match="cannot be written"):
        put_in_place(tmp_path / "gone", tmp_path / "target")

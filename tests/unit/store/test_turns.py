"""One thread at a time has a database file open; whoever decides on the review page waits, and is not refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest

from m365audit.errors import StoreError
from m365audit.store import turns
from m365audit.store.published import open_for_report, open_published
from m365audit.store.published_file import PUBLISHED_NAME


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a published database that holds 7."""
    with duckdb.connect(str(tmp_path / PUBLISHED_NAME)) as connection:
        connection.execute("CREATE TABLE answer AS SELECT 7 AS it")
    return tmp_path


def test_two_threads_read_one_file_in_two_ways_one_after_the_other(folder: Path) -> None:
    is_open, may_close = Event(), Event()

    def first() -> object:
        with open_published(folder) as database:
            is_open.set()
            assert may_close.wait(10)
            return database.execute("FROM answer")

    def second() -> object:
        with open_for_report(folder) as database:
            return database.execute("FROM answer")

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first)
        assert is_open.wait(10)
        two = pool.submit(second)
        with pytest.raises(TimeoutError):
            two.result(0.2)
        may_close.set()
        assert one.result(10) == two.result(10) == [(7,)]


def test_many_threads_get_their_turn(folder: Path) -> None:
    def read(number: int) -> object:
        with (open_published if number % 2 else open_for_report)(folder) as database:
            return database.execute("FROM answer")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(24))) == [[(7,)]] * 24


def test_a_file_that_cannot_be_opened_is_given_back(folder: Path) -> None:
    whole = (folder / PUBLISHED_NAME).read_bytes()
    (folder / PUBLISHED_NAME).write_bytes(b"no database at all" * 1000)
    with pytest.raises(StoreError, match="cannot be opened"):
        open_published(folder)
    (folder / PUBLISHED_NAME).write_bytes(whole)

    def read() -> object:
        with open_published(folder) as database:
            return database.execute("FROM answer")

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(read).result(10) == [(7,)]


def test_nobody_waits_for_ever(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PATIENCE", 0.1)
    with open_published(folder), ThreadPoolExecutor(1) as pool, pytest.raises(StoreError, match="in use"):
        pool.submit(open_published, folder).result(10)

"""Large files: kept past the page cache, read where they came from, and not copied when they are here already."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from landed import TENANT, Desk, call

from m365audit.store import landing, spool

BLOCK = 4096


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "_LARGE", 4 * BLOCK)


@pytest.mark.parametrize("size", [4 * BLOCK, 4 * BLOCK + 1, 17 * BLOCK - 1, 40 * BLOCK + 17])
@pytest.mark.parametrize("is_direct", [True, False])
def test_every_byte_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, *, is_direct: bool) -> None:
    if not is_direct:
        monkeypatch.delattr(os, "O_DIRECT", raising=False)
    data = os.urandom(size)
    source = tmp_path / "PT1H.json"
    source.write_bytes(data)
    kept = spool.spool(source, TENANT, tmp_path / "state")
    assert kept.path.read_bytes() == data
    assert (kept.size, kept.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert kept.origin
    assert kept.origin.is_unchanged()
    source.write_bytes(data[::-1])
    assert not kept.origin.is_unchanged()
    source.unlink()
    assert not kept.origin.is_unchanged()


def test_a_name_with_wildcards_is_read_from_the_spool(tmp_path: Path) -> None:
    source = tmp_path / "PT1H*[a].json"
    source.write_bytes(b"x" * 5 * BLOCK)
    assert spool.spool(source, TENANT, tmp_path / "state").origin is None


def test_a_file_that_cannot_be_written_past_the_cache_is_written_through_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(spool, "_write_blocks", refuse)
    source = tmp_path / "a.json"
    source.write_bytes(b"y" * 9 * BLOCK)
    assert spool.spool(source, TENANT, tmp_path / "state").path.read_bytes() == b"y" * 9 * BLOCK


def large(desk: Desk) -> Path:
    return desk.write("calls.json", [call(str(n)) for n in range(60)])


def test_what_was_imported_before_is_not_copied_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    path = large(desk)
    assert desk.run(path).landed[0].stored == 60
    monkeypatch.setattr(spool, "_copy", None)  # would fail
    (landed,) = desk.run(path).landed
    assert (landed.outcome, landed.duplicate) == ("known", 60)


def test_an_expected_file_with_other_bytes_of_the_same_size_is_taken(desk: Desk) -> None:
    path = large(desk)
    desk.run(path)
    path.write_bytes(path.read_bytes().replace(b"/messages", b"/calendar"))
    assert desk.run(path).landed[0].stored == 60


def test_a_file_that_changes_while_it_is_read_is_read_from_the_spool(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large(desk)
    before = path.read_bytes()
    original = landing._land

    def change_then_land(connection: Any, files: Any, *, is_careful: bool) -> Any:
        if path.read_bytes() == before:
            path.write_bytes(before.replace(b"/messages", b"/calendar") + b"\n")
        return original(connection, files, is_careful=is_careful)

    monkeypatch.setattr(landing, "_land", change_then_land)
    (landed,) = desk.run(path).landed
    assert (landed.outcome, landed.stored) == ("imported", 60)
    assert desk.ask("SELECT count(*) FROM landed_forms WHERE path LIKE '%/messages%'")[0][0] > 0
    assert desk.ask("SELECT count(*) FROM landed_forms WHERE path LIKE '%/calendar%'") == [(0,)]

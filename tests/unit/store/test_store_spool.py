"""The spool keeps the bytes of every file as they came, once, whatever became of the process."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from landed import TENANT, Desk, call

from m365audit.errors import EvidenceError
from m365audit.store import spool
from m365audit.store.spool import clear_leftovers


def test_bytes_are_kept_as_they_came_under_their_hash(tmp_path: Path) -> None:
    source = tmp_path / "ünsafe name;rm.json"
    source.write_bytes(b"\xff\0bytes" * 1000)
    kept = spool.spool(source, TENANT, tmp_path / "state")
    assert kept.path.read_bytes() == source.read_bytes()
    assert kept.sha256 == hashlib.sha256(source.read_bytes()).hexdigest()
    assert (kept.size, kept.path.parent.name) == (7000, kept.sha256)
    assert kept.path.name == "_nsafe_name_rm.json"


def test_the_same_bytes_take_room_once_under_any_name(tmp_path: Path) -> None:
    kept = []
    for name in ("a.json", "b.json", "a.json", "c/a.json"):
        source = tmp_path / name
        source.parent.mkdir(exist_ok=True)
        source.write_bytes(b"same")
        kept.append(spool.spool(source, TENANT, tmp_path / "state").path)
    files = [path for path in (tmp_path / "state" / "spool").rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"a.json", "b.json"}
    assert len({path.stat().st_ino for path in files}) == 1
    assert all(path.read_bytes() == b"same" for path in kept)


def test_two_tenants_keep_their_own(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"same")
    first, second = (spool.spool(tmp_path / "a.json", tenant, tmp_path / "state") for tenant in ("t1", "t2"))
    assert first.path.stat().st_ino != second.path.stat().st_ino


def test_leftovers_of_a_killed_run_are_cleared_and_nothing_else(desk: Desk) -> None:
    desk.bring("a.json", [call("1")])
    leftover = desk.settings.state / "spool" / TENANT / "arriving-4711"
    leftover.write_bytes(b"half")
    clear_leftovers(desk.settings.state)
    assert not leftover.exists()
    assert len([p for p in (desk.settings.state / "spool").rglob("*") if p.is_file()]) == 1


def test_a_file_that_cannot_be_read_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="No such file"):
        spool.spool(tmp_path / "gone.json", TENANT, tmp_path / "state")
    with pytest.raises(EvidenceError, match="Is a directory"):
        spool.spool(tmp_path, TENANT, tmp_path / "state")
    assert not list((tmp_path / "state").rglob("arriving-*"))


def test_a_full_disk_is_no_fault_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"x")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        spool.spool(tmp_path / "a.json", TENANT, tmp_path / "state")


def test_a_file_time_that_no_calendar_knows_is_now(tmp_path: Path) -> None:
    source = tmp_path / "a.json"
    source.write_bytes(b"x")
    try:
        os.utime(source, (1e15, 1e15))
    except (OSError, OverflowError):
        pytest.skip("this file system refuses such times")
    assert spool.spool(source, TENANT, tmp_path / "state").modified_at.year < 9999

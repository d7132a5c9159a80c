"""ZIP archives: every file in one is a file of its own; hostile ones are refused by name, and cost no other."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landed import TENANT, Desk, audit, call, group_page

from m365audit.errors import EvidenceError
from m365audit.exports import Archive, is_archive, limits
from m365audit.exports.codecs import zstd
from m365audit.pipeline import Import

GOOD: Final = json.dumps(audit("a1")).encode() + b"\n"
OTHER: Final = json.dumps(audit("a2")).encode() + b"\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def packed(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def patched(data: bytes, old: bytes, new: bytes, *, times: int = -1) -> bytes:
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new, times)


def refusals(data: bytes, folder: Path) -> dict[str, str]:
    """Return what is said of each member; empty for those that can be unpacked."""
    path = folder / "archive.zip"
    path.write_bytes(data)
    said = {}
    with Archive(path) as archive:
        for number, member in enumerate(archive.members):
            try:
                archive.unpack(member, folder / f"m{number}")
                said[member.name] = ""
            except EvidenceError as error:
                said[member.name] = error.message
    return said


def test_every_member_is_a_file_of_its_own_in_the_ledger(desk: Desk) -> None:
    path = desk.write("export.zip", packed([("b.json", OTHER), ("folder/a.json", GOOD + b"{oops\n"), ("c.txt", b"hi")]))
    outcome = desk.run(path)
    assert [(file.path, file.outcome, file.stored, file.quarantined) for file in outcome.landed] == [
        (f"{path}!b.json", "imported", 1, 0),
        (f"{path}!c.txt", "refused", 0, 0),
        (f"{path}!folder/a.json", "partial", 1, 1),
    ]
    rows = desk.ask("SELECT path, spool, length(sha256) FROM sources ORDER BY path")
    assert [row[0] for row in rows] == [file.path for file in outcome.landed]
    assert all(Path(row[1]).read_bytes() == path.read_bytes() and row[2] == 64 for row in rows), "kept as it came"
    assert not (desk.settings.state / "work").exists(), "what was unpacked is gone"


def test_the_same_file_is_known_whichever_way_it_comes(desk: Desk) -> None:
    desk.run(desk.write("plain.json", GOOD))
    outcome = desk.run(
        desk.write("one.zip", packed([("x.json", GOOD), ("y.json", OTHER)])),
        desk.write("two.zip", packed([("z.json", OTHER)], zipfile.ZIP_STORED)),
    )
    assert [file.outcome for file in outcome.landed] == ["known", "imported", "known"]
    assert [file.outcome for file in desk.run(desk.folder / "evidence").landed] == ["known"] * 4
    assert desk.ask("SELECT count(*) FROM landed_records") == [(2,)]


def test_compressed_members_storage_paths_and_listings(desk: Desk) -> None:
    hour = f"resourceId=/tenants/{TENANT}/y=2026/m=05/d=04/h=10/m=00/PT1H.json"
    line = json.dumps(call("r1")).encode() + b"\n"
    data = packed(
        [("y=2026/m=05/d=04/h=11/m=00/PT1H.json", line.replace(b"T10:", b"T11:").replace(b'"r1"', b'"r2"')),
         (hour, line), ("a.json.zst", zstd.compress(GOOD)), ("groups.json", group_page("u").encode())]
    )  # fmt: skip
    path = desk.write("all.zip", data, at="2026-06-01T00:00:00Z")
    assert [file.outcome for file in desk.run(path).landed] == ["imported"] * 4, desk.ask("SELECT message FROM sources")
    assert desk.ask("SELECT reason, count(*) FROM coverage_windows WHERE feed = 'graph_activity' GROUP BY ALL") == [
        ("settled_hour", 2)
    ]
    assert desk.ask("SELECT observed_at::VARCHAR FROM sources WHERE kind = 'groups'") == [("2026-06-01 00:00:00+00",)]


def test_a_broken_member_is_read_the_careful_way_too(desk: Desk) -> None:
    twice = b'{"time":"2026-05-04T10:15:00Z","category":"MicrosoftGraphActivityLogs","properties":{"requestId":"d",'
    twice += b'"requestId":"e"}}\n'
    path = desk.write("x.zip", packed([("a.json", json.dumps(call("r1")).encode() + b"\n" + twice)]))
    (landed,) = desk.run(path).landed
    assert (landed.outcome, landed.stored, landed.quarantined) == ("partial", 1, 1)


def test_members_are_batched_and_counted(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("m365audit.pipeline.offering._BATCH", 3)
    monkeypatch.setattr("m365audit.pipeline.offering._BATCH_BYTES", 500)
    lines = [(f"{number:02}.json", json.dumps(audit(f"a{number}")).encode()) for number in range(10)]
    path = desk.write("many.zip", packed([*lines, (".hidden", b"x"), ("__MACOSX/00.json", b"x"), ("b.part", b"x")]))
    outcome = desk.run(path, desk.write("last.json", GOOD.replace(b'"a1"', b'"b1"')))
    assert [file.outcome for file in outcome.landed] == ["imported"] * 11
    assert desk.ask("SELECT count(*) FROM landed_records") == [(11,)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (packed([("a.json", GOOD)])[:-30], "damaged or cut"),
        (packed([("a.json", GOOD)])[:100], "damaged or cut"),
        (b"PK\x03\x04" + b"x" * 500, "damaged or cut"),
        (packed([]), "holds no file"),
        (packed([("folder/", b"")]), "holds no file"),
        (packed([("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")]), "an Office document"),
    ],
    ids=["no directory", "cut", "rubbish", "empty", "only folders", "Excel"],
)
def test_archives_that_cannot_be_opened_are_refused_by_their_own_name(data: bytes, message: str, desk: Desk) -> None:
    path = desk.write("bad.zip", data)
    (landed,) = desk.run(path, Import(path, TENANT)).landed[:1]
    assert (landed.path, landed.outcome) == (str(path), "refused")
    assert message in landed.message


def member(name: str, **facts: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    for key, value in facts.items():
        setattr(info, key, value)
    return info


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../../etc/passwd", "leads out of the archive"),
        ("/etc/cron.d/x", "leads out of the archive"),
        ("C:\\Windows\\x.json", "leads out of the archive"),
        ("a/..\\..\\x.json", "leads out of the archive"),
        ("a\x1b[31m.json", "no file name"),
        ("x" * 1001, "no file name"),
        ("folder\\fine.json", ""),
        ("Jörg 李.json", ""),
        ("a b;$(rm -rf).json", ""),
    ],
)
def test_names(name: str, said: str, tmp_path: Path) -> None:
    found = refusals(packed([(name, GOOD), ("good.json", OTHER)]), tmp_path)
    assert found.pop("good.json") == ""
    ((shown, refusal),) = found.items()
    assert shown.isprintable()
    assert len(shown) < 1010
    assert said in refusal if said else not refusal
    assert {path.parent.parent for path in tmp_path.rglob("*.json")} <= {tmp_path}


def test_encrypted_duplicate_nested_and_foreign_methods(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in (("good.json", GOOD), ("twice.json", GOOD), ("in.zip", packed([]))):
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("twice.json", OTHER)
        archive.writestr("lzma.json", GOOD, zipfile.ZIP_LZMA)
        archive.writestr("bzip2.json", GOOD, zipfile.ZIP_BZIP2)
        archive.writestr("deflate64.json", GOOD)
        archive.writestr("secret.json", GOOD)
        archive.infolist()[-2].compress_type = 9
        archive.infolist()[-1].flag_bits |= 1
    found = refusals(file.getvalue(), tmp_path)
    assert found.pop("good.json") == ""
    words = {
        "twice.json": "the same name", "in.zip": "an archive inside an archive", "lzma.json": "compressed with LZMA",
        "bzip2.json": "compressed with bzip2", "deflate64.json": "compressed with Deflate64",
        "secret.json": "encrypted",
    }  # fmt: skip
    assert found.keys() == words.keys()
    assert all(words[name] in said for name, said in found.items()), found


def test_a_wrong_checksum_costs_its_own_member_only(tmp_path: Path) -> None:
    data = packed([("bad.json", GOOD), ("good.json", OTHER)], zipfile.ZIP_STORED)
    found = refusals(patched(data, b'"a1"', b'"aX"'), tmp_path)
    assert found["good.json"] == ""
    assert "its checksum is wrong" in found["bad.json"]


def test_damaged_compressed_data_costs_its_own_member_only(tmp_path: Path) -> None:
    data = bytearray(packed([("bad.json", GOOD * 50), ("good.json", OTHER)]))
    data[60:80] = b"\xff" * 20
    found = refusals(bytes(data), tmp_path)
    assert found["good.json"] == ""
    assert "damaged in the archive" in found["bad.json"]


def test_members_that_share_bytes_are_refused(tmp_path: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(), "w")
    archive.writestr("a.json", GOOD)
    archive.writestr("b.json", OTHER)
    archive.writestr("good.json", GOOD)
    archive.infolist()[1].header_offset = 10
    file = archive.fp
    archive.close()
    assert isinstance(file, io.BytesIO)
    found = refusals(file.getvalue(), tmp_path)
    assert found["good.json"] == ""
    assert "overlaps with another file" in found["a.json"]
    assert "overlaps with another file" in found["b.json"]


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INFLATE_RATIO_FREE_BYTES", 1000)
    found = refusals(packed([("bomb.json", b" " * 2_000_000), ("good.json", GOOD)]), tmp_path)
    assert "decompression bomb" in found["bomb.json"]
    assert found["good.json"] == ""
    monkeypatch.setattr(limits, "MAX_INFLATED_BYTES", 3 * len(GOOD) - 1)
    (tmp_path / "two").mkdir()
    found = refusals(packed([(f"{number}.json", GOOD) for number in range(3)]), tmp_path / "two")
    assert [bool(said) for said in found.values()] == [False, False, True]


def test_a_size_that_is_a_lie_is_found_out(tmp_path: Path) -> None:
    data = packed([("bomb.json", b" " * 2_000_000), ("good.json", OTHER)])
    data = patched(data, (2_000_000).to_bytes(4, "little"), (500).to_bytes(4, "little"))
    found = refusals(data, tmp_path)
    assert "damaged in the archive" in found["bomb.json"]
    assert sum(path.stat().st_size for path in tmp_path.rglob("bomb.json")) <= 500


def test_too_many_members_and_a_directory_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(packed([(f"{number}.json", b"") for number in range(11)]))
    monkeypatch.setattr(limits, "MAX_ARCHIVE_MEMBERS", 10)
    with pytest.raises(EvidenceError, match="holds 11 files, more than 10"):
        Archive(path)
    monkeypatch.setattr(limits, "MAX_DIRECTORY_BYTES", 100)
    with pytest.raises(EvidenceError, match="damaged or cut: its directory is longer"):
        Archive(path)


def test_zip64(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive, archive.open("a.json", "w", force_zip64=True) as out:
        out.write(GOOD)
    assert refusals(file.getvalue(), tmp_path) == {"a.json": ""}


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_damage_raises_anything_else(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    body = bytearray(packed([("a.json", GOOD), ("b/c.json", OTHER * 20), ("d", b"")]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    folder = tmp_path_factory.mktemp("zip")
    with contextlib.suppress(EvidenceError):
        refusals(bytes(body), folder)
    assert is_archive(folder / "archive.zip") == body.startswith((b"PK\x03\x04", b"PK\x05\x06"))

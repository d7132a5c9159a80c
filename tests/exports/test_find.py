"""Which files are found under a path, in which order, and what is left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from m365audit.errors import EvidenceError
from m365audit.exports import declared_tenants, find_files, prepare
from m365audit.exports.storage_path import covered_hour

TENANT = "11111111-1111-4111-8111-111111111111"


def found(*paths: Path) -> tuple[list[str], dict[str, str]]:
    skipped: dict[str, str] = {}
    files = find_files(paths, on_skip=lambda path, reason: skipped.update({path.name: reason}))
    return [file.relative_to(paths[0]).as_posix() for file in files], skipped


def test_order_is_fixed_and_every_file_comes_once(tmp_path: Path) -> None:
    for name in ("b/2.json", "b/10.json", "a.json", "c/x/1.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    files, _ = found(tmp_path, tmp_path / "b", tmp_path / "a.json")
    assert files == ["a.json", "b/10.json", "b/2.json", "c/x/1.csv"]


def test_hidden_unfinished_links_and_pipes_are_left_out_and_reported(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    for folder in (root / ".git", root / "sub", outside):
        folder.mkdir(parents=True)
    for file in (root / "sub" / "1.json", root / "2.JSON.TMP", root / "3.part", root / ".4", outside / "5.json"):
        file.touch()
    (root / "loop").symlink_to(root)
    (root / "away").symlink_to(outside)
    (root / "away.json").symlink_to(outside / "5.json")
    (root / "twin.json").symlink_to(root / "sub" / "1.json")
    (root / "nowhere").symlink_to(root / "missing")
    (root / "itself").symlink_to(root / "itself")
    os.mkfifo(root / "pipe")
    files, skipped = found(root)
    assert files == ["sub/1.json"]
    assert skipped == {
        ".git": "hidden",
        ".4": "hidden",
        "2.JSON.TMP": "not finished by whoever writes it",
        "3.part": "not finished by whoever writes it",
        "loop": "a link to what is read under its own name",
        "twin.json": "a link to what is read under its own name",
        "away": "a link that leaves the folder",
        "away.json": "a link that leaves the folder",
        "nowhere": "a link that leads nowhere",
        "itself": "a link that leads nowhere",
        "pipe": "neither a file nor a folder",
    }


def test_a_file_that_is_named_itself_is_always_taken(tmp_path: Path) -> None:
    (tmp_path / ".hidden.json").touch()
    assert list(find_files([tmp_path / ".hidden.json"])) == [tmp_path / ".hidden.json"]


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="no such file or folder") as refusal:
        list(find_files([tmp_path / "typo"]))
    assert refusal.value.file == str(tmp_path / "typo")
    assert refusal.value.hint


@pytest.mark.parametrize(
    ("path", "hour"),
    [
        ("/x/y=2026/m=07/d=16/h=13/m=00/PT1H.json", "2026-07-16T13:00:00Z"),
        ("y=2026/m=07/d=16/h=00/m=00/PT1H.json.gz", "2026-07-16T00:00:00Z"),
        ("/x/y=2026/m=13/d=16/h=13/m=00/PT1H.json", None),
        ("/x/y=2026/m=07/d=16/h=24/m=00/PT1H.json", None),
        ("/x/y=2026/m=07/d=16/PT1H.json", None),
        ("/x/PT1H.json", None),
    ],
)
def test_the_hour_of_a_storage_path(path: str, hour: str | None) -> None:
    assert covered_hour(Path(path)) == hour


def test_tenants_come_from_path_envelope_resource_and_record(tmp_path: Path) -> None:
    others = [f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abcd"]
    path = tmp_path / f"tenantId={TENANT.upper()}" / "PT1H.json"
    path.parent.mkdir()
    lines = [
        f'{{"time":"x","category":"AuditLogs","tenantId":"{others[0].upper()}","properties":{{"id":"1"}}}}',
        f'{{"time":"x","category":"AuditLogs","resourceId":"/tenants/{others[1]}/providers/x","properties":{{}}}}',
        f'{{"time":"x","category":"AuditLogs","properties":{{"tenantId":"{others[2]}","appId":"{others[3]}"}}}}',
        '{"time":"x","category":"AuditLogs","tenantId":"00000000-0000-0000-0000-000000000000","properties":{}}',
        '{"time":"x","category":"AuditLogs","tenantId":"not a guid","properties":{}}',
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert declared_tenants(prepare(path, workdir=tmp_path / "work")) == {TENANT, *others[:3]}

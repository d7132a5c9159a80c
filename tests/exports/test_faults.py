"""Damaged and foreign files: what can be read comes back, what cannot is set aside or refused with a next step."""

from __future__ import annotations

import gzip
import json
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from m365audit.errors import EvidenceError
from m365audit.exports import limits, prepare
from m365audit.exports.codecs import zstd
from m365audit.exports.strict import UnreadableError, parse
from m365audit.resources import yaml_values

from .noted import notes_of
from .test_formats import rows_of

Compress = Callable[[bytes], bytes]
CASES = yaml_values((Path(__file__).parent / "faults.yml").read_text(encoding="utf-8"))
LONG = 20_000
RECORDS = {
    str(number): json.dumps({"CreationTime": f"2026-08-01T07:0{number}:00", "Operation": "Send", "Id": number})
    for number in range(1, 10)
}


def fill(text: str) -> str:
    for name, record in RECORDS.items():
        text = text.replace(f"%{name}%", record).replace(f"%{name}csv%", record.replace('"', '""'))
    text = text.replace("%deep%", "[" * 300 + "]" * 300).replace("%long%", "9" * 5000)
    text = text.replace("%excel%", '{""Id"":""'.ljust(32_767 + 3, "x"))
    return text.replace("%huge%", "x" * limits.MAX_RECORD_BYTES)


def pack(data: bytes, step: str) -> bytes:
    if step == "gzip":
        return gzip.compress(data, mtime=0)
    if step == "gzip_wrong_crc":
        packed = gzip.compress(data, mtime=0)
        return packed[:-8] + bytes([packed[-8] ^ 1]) + packed[-7:]
    if step.startswith("zstd"):
        return pack_zstd(data, step)
    text = data.decode("utf-8")
    if step == "utf-16-le-half-pair":
        return b"\xff\xfe" + text.replace('"Id": 2', '"Id": "?"').encode("utf-16-le").replace(b"?\0", b"\x00\xd8")
    bare = text.encode(step.removesuffix("-bare"))
    return bare if step.endswith("-bare") else "\ufeff".encode(step) + bare


def pack_zstd(data: bytes, step: str) -> bytes:
    options: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
    if step == "zstd_lines":
        return b"".join(zstd.compress(line, options=options) for line in data.splitlines(keepends=True))
    packed = zstd.compress(data, options=options)
    if step == "zstd_skippable":
        return b"\x50\x2a\x4d\x18\x04\0\0\0note" + packed
    return packed[:-1] + bytes([packed[-1] ^ 1]) if step == "zstd_wrong_checksum" else packed


def build(case: dict[str, Any], folder: Path) -> tuple[Path, list[int]]:
    """Write the file of a case; return it and where its marks stood."""
    encoding = "utf-8" if "text" in case else "latin-1"
    parts = [fill(part).encode(encoding) for part in str(case.get("text", case.get("bytes"))).split("§")]
    start = 3 if any(step.startswith("utf-16") for step in case.get("pack", [])) else 0
    offsets = [start + len(b"".join(parts[: index + 1])) for index in range(len(parts) - 1)]
    data = b"".join(parts)
    for step in case.get("pack", []):
        data = pack(data, step)
    data = data[: len(data) - case.get("cut", 0)] + case.get("append", "").encode("latin-1")
    path = folder / "evidence.json"
    path.write_bytes(data)
    return path, offsets


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_fault(case: dict[str, Any], tmp_path: Path, *, careful: bool) -> None:
    path, offsets = build(case, tmp_path)
    workdir = tmp_path / "work"
    if "refused" in case:
        with pytest.raises(EvidenceError) as refusal:
            prepare(path, workdir=workdir, kind=case.get("kind"), careful=careful)
        assert case["refused"] in refusal.value.message
        assert refusal.value.hint
        assert refusal.value.file == str(path)
        assert not workdir.exists() or not any(workdir.iterdir())
        return
    prepared = prepare(path, workdir=workdir, kind=case.get("kind"), careful=careful)
    assert prepared.kind == "audit_records"
    assert [row["Id"] for row in rows_of(prepared)] == case["good"]
    found = [(item.record, item.line, item.offset, item.reason) for item in notes_of(prepared)]
    expected = case.get("bad", [])
    places = [(*item[:2], offset) for item, offset in zip(expected, offsets, strict=True)]
    assert [item[:3] for item in found] == places
    assert all(item[2] in reason for item, (*_, reason) in zip(expected, found, strict=True)), found
    assert prepared.records == len(case["good"]) + len(expected)
    assert prepared.has_broken_end == case.get("broken_end", False)
    assert prepared.has_next_page == case.get("next_page", False)


def test_there_are_many_faults() -> None:
    names = [case["case"] for case in CASES]
    assert len(names) == len(set(names)) >= 100


def test_excerpt_is_short_and_printable(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(RECORDS["1"] + "\n\x1b[31m\u202e" + "x" * 500 + "\n", encoding="utf-8")
    (item,) = notes_of(prepare(path, workdir=tmp_path / "work"))
    assert item.excerpt.startswith("\\u{1b}[31m\\u{202e}xxx")
    assert len(item.excerpt) < 300
    assert item.excerpt.isprintable()


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_bomb_by_ratio(compress: Compress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INFLATE_RATIO_FREE_BYTES", limits.MIB)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(compress(b" " * (8 * limits.MIB)))
    with pytest.raises(EvidenceError, match="decompression bomb"):
        prepare(path, workdir=tmp_path / "work")
    assert not any((tmp_path / "work").iterdir())


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_bomb_by_size(compress: Compress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_INFLATED_BYTES", limits.MIB)
    path = tmp_path / "large.json.gz"
    path.write_bytes(compress((RECORDS["1"] + "\n").encode() * LONG))
    with pytest.raises(EvidenceError, match="decompression bomb"):
        prepare(path, workdir=tmp_path / "work")


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_bomb_by_pieces(compress: Compress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBERS", 100)
    path = tmp_path / "pieces.json.gz"
    path.write_bytes(compress(b"") * 101)
    with pytest.raises(EvidenceError, match="compressed in more than 100 pieces"):
        prepare(path, workdir=tmp_path / "work")


def test_a_frame_that_wants_gigabytes_of_memory_is_refused(tmp_path: Path) -> None:
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 31})
    path = tmp_path / "window.json.zst"
    path.write_bytes(compressor.compress((RECORDS["1"] + "\n").encode() * LONG) + compressor.flush())
    with pytest.raises(EvidenceError, match="damaged or cut before any content"):
        prepare(path, workdir=tmp_path / "work")


@pytest.mark.parametrize("compress", [gzip.compress, zstd.compress], ids=["gzip", "zstd"])
def test_what_decodes_before_the_damage_is_kept(compress: Compress, tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311 - bytes that compress badly
    ids = [chance.randbytes(40).hex() for _ in range(LONG)]
    lines = "".join(RECORDS["1"].replace('"Id": 1', f'"Id": "{name}"') + "\n" for name in ids)
    packed = bytearray(compress(lines.encode()))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = bytes(64)
    path = tmp_path / "damaged.json.gz"
    path.write_bytes(packed)
    prepared = prepare(path, workdir=tmp_path / "work")
    assert prepared.has_broken_end
    rows = rows_of(prepared)
    assert LONG * 0.4 < len(rows) < LONG * 0.6
    sure = int(LONG * 0.4)  # damage itself may decode to something, before the decoder notices it
    assert [row["Id"] for row in rows[:sure]] == ids[:sure]


def test_missing_file_folder_and_pipe_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.json", tmp_path, tmp_path / "pipe"):
        with pytest.raises(EvidenceError) as refusal:
            prepare(path, workdir=tmp_path / "work")
        assert refusal.value.hint


def test_temporary_files_are_private(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("[" + RECORDS["1"] + "]", encoding="utf-8")
    prepared = prepare(path, workdir=tmp_path / "work")
    assert stat.S_IMODE(Path(prepared.ndjson).stat().st_mode) == 0o600


@pytest.mark.parametrize("depth", [255, 256, 257, 500])
def test_depth_has_one_exact_limit(depth: int) -> None:
    raw = b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
    if depth <= limits.MAX_DEPTH:
        assert "a" in parse(raw)
        return
    with pytest.raises(UnreadableError, match="256 levels"):
        parse(raw)

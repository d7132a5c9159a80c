"""Every way of writing the same records gives the same records: encoding, line breaks, container, compression."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from m365audit.exports import prepare
from m365audit.exports.codecs import zstd

from .test_formats import rows_of

RECORDS: Final = [
    {"CreationTime": "2026-08-01T07:00:00", "Operation": "Send", "Id": str(number), "Name": 'Jörg "李" 😀; a,b\tc'}
    for number in range(3)
]
BREAKS: Final = {"LF": "\n", "CRLF": "\r\n", "CR": "\r"}
ENCODINGS: Final[dict[str, tuple[bytes, str]]] = {
    "UTF-8": (b"", "utf-8"),
    "UTF-8 with BOM": (codecs.BOM_UTF8, "utf-8"),
    "UTF-16 LE with BOM": (codecs.BOM_UTF16_LE, "utf-16-le"),
    "UTF-16 BE with BOM": (codecs.BOM_UTF16_BE, "utf-16-be"),
    "UTF-16 LE without BOM": (b"", "utf-16-le"),
    "UTF-16 BE without BOM": (b"", "utf-16-be"),
}
PACKED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": zstd.compress,
}


def table(delimiter: str, end: str) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["CreationDate", "AuditData"])
    writer.writerows(["2026-08-01", json.dumps(record, ensure_ascii=False)] for record in RECORDS)
    return text.getvalue()


CONTAINERS: Final[dict[str, Callable[[str], str]]] = {
    "lines": lambda end: "".join(json.dumps(record, ensure_ascii=False) + end for record in RECORDS),
    "lines between empty ones": lambda end: end + (end * 3).join(map(json.dumps, RECORDS)),
    "array": lambda end: json.dumps(RECORDS, ensure_ascii=False, indent=1).replace("\n", end),
    "page": lambda end: json.dumps({"value": RECORDS}, indent=1).replace("\n", end),
    "CSV with commas": lambda end: table(",", end),
    "CSV with semicolons": lambda end: table(";", end),
    "CSV with tabs": lambda end: table("\t", end),
    "CSV with PowerShell's type": lambda end: "#TYPE System.Object" + end + table(",", end),
}


@pytest.mark.parametrize("packed", PACKED)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", BREAKS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_records_come_back(container: str, end: str, encoding: str, packed: str, tmp_path: Path) -> None:
    mark, codec = ENCODINGS[encoding]
    path = tmp_path / "evidence"
    path.write_bytes(PACKED[packed](mark + CONTAINERS[container](BREAKS[end]).encode(codec)))
    prepared = prepare(path, workdir=tmp_path / "work")
    assert (prepared.kind, prepared.records, prepared.quarantined) == ("audit_records", len(RECORDS), 0)
    assert rows_of(prepared) == RECORDS


@pytest.mark.parametrize("place", ["before", "behind", "as line", "in text"])
def test_nul_bytes_cost_at_most_their_own_record(place: str, tmp_path: Path) -> None:
    lines = [json.dumps(record).encode() for record in RECORDS]
    faults: dict[str, list[bytes]] = {
        "before": [lines[0], b"\0\0" + lines[1], lines[2]],
        "behind": [lines[0], lines[1] + b"\0", lines[2]],
        "as line": [lines[0], b"\0\0\0\0", lines[2]],
        "in text": [lines[0], lines[1].replace(b"Send", b"Se\0nd"), lines[2]],
    }
    path = tmp_path / "evidence"
    path.write_bytes(b"\n".join(faults[place]))
    prepared = prepare(path, workdir=tmp_path / "work")
    rows: list[Any] = rows_of(prepared)
    assert [row["Id"] for row in rows] == ["0", "2"]
    assert (prepared.records, prepared.quarantined) == (3, 1)


def test_blank_lines_by_the_million_before_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "evidence"
    path.write_bytes(b"\n" * 1_200_000 + json.dumps(RECORDS[0]).encode())
    assert rows_of(prepare(path, workdir=tmp_path / "work")) == RECORDS[:1]

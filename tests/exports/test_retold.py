"""What is spelled otherwise becomes Microsoft's own spelling, row for row; the cases are in retold.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from m365audit.exports import prepare
from m365audit.exports.moments import in_iso

from .test_formats import rows_of

CASES: Final[list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "retold.yml").read_text(encoding="utf-8"))


def packed(case: dict[str, Any]) -> bytes:
    text: str = case["text"]
    return b"\xff\xfe" + text.encode("utf-16-le") if case.get("pack") == "utf-16-le" else text.encode("utf-8")


@pytest.mark.parametrize("careful", [False, True], ids=["fast", "careful"])
@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path, *, careful: bool) -> None:
    path = tmp_path / case.get("file", "export.dat")
    path.write_bytes(packed(case))
    prepared = prepare(path, workdir=tmp_path / "work", careful=careful)
    assert (prepared.kind, prepared.enveloped) == (case["kind"], case["enveloped"])
    assert rows_of(prepared) == case["rows"]
    notes = Path(prepared.quarantine).read_text(encoding="utf-8").splitlines() if prepared.quarantine else []
    found = [json.loads(note) for note in notes]
    wanted = case.get("bad", [])
    assert [(note["record"], note["line"]) for note in found] == [(record, line) for record, line, _ in wanted]
    assert all(reason in note["reason"] for note, (_, _, reason) in zip(found, wanted, strict=True)), found
    assert prepared.records == len(case["rows"]) + len(wanted)
    assert prepared.has_broken_end == case.get("broken_end", False)
    assert prepared.has_next_page == case.get("next_page", False)
    assert prepared.is_retold == (case.get("told") != "first-hand")


TIMES: Final = {
    "7/16/2026, 1:05:02.123 PM": "2026-07-16T13:05:02.123Z",
    "7/16/2026, 12:05:02 AM": "2026-07-16T00:05:02Z",
    "12/1/2026 12:00 PM": "2026-12-01T12:00:00Z",
    "16.7.2026, 13:05:02,1234567": "2026-07-16T13:05:02.1234567Z",
    "16-07-2026 13:05:02": "2026-07-16T13:05:02Z",
    "16/07/2026, 13:05:02": "2026-07-16T13:05:02Z",
    "7/16/2026, 13:05:02": "2026-07-16T13:05:02Z",
    "16/07/2026, 1:05:02 pm": "2026-07-16T13:05:02Z",
    "5/5/2026, 13:05:02": "2026-05-05T13:05:02Z",
    # Day and month could stand for each other, or it is no time at all: left as it is.
    "6/7/2026, 13:05:02": "6/7/2026, 13:05:02",
    "6/7/2026, 1:05:02 pm": "6/7/2026, 1:05:02 pm",
    "31/31/2026, 13:05:02": "31/31/2026, 13:05:02",
    "30.2.2026, 13:05:02": "30.2.2026, 13:05:02",
    "7/16/2026, 13:05:02 PM": "7/16/2026, 13:05:02 PM",
    "2026-07-16T13:05:02.1234567Z": "2026-07-16T13:05:02.1234567Z",
    "yesterday": "yesterday",
    "": "",
}


@pytest.mark.parametrize("text", TIMES)
def test_times_for_people(text: str) -> None:
    assert in_iso(text) == TIMES[text]

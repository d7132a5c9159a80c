"""What is spelled otherwise becomes Microsoft's own spelling, row for row; the cases are in retold.yml."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from m365audit.exports import limits, prepare
from m365audit.exports.moments import in_iso
from m365audit.resources import yaml_values

from .test_formats import rows_of

CASES: Final[list[dict[str, Any]]] = yaml_values((Path(__file__).parent / "retold.yml").read_text(encoding="utf-8"))


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


def long_answer(rows: list[object], end: str = "]}]}") -> str:
    columns = [
        {"name": name, "type": "string"} for name in ("TimeGenerated", "RequestId", "RequestUri", "RequestMethod")
    ]
    start = json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": []}]}).removesuffix("]}]}")
    return start + ",\n".join(json.dumps(row) for row in rows) + end


LONG_ROWS: Final[list[object]] = [["2026-07-16T13:05:02Z", f"r{n}", "/v1.0/me", "GET"] for n in range(2000)]


@pytest.mark.parametrize(
    ("text", "good", "bad", "is_cut"),
    [
        (long_answer(LONG_ROWS), 2000, [], False),
        (long_answer([*LONG_ROWS[:1000], ["short"], 7, *LONG_ROWS[1000:]]), 2000, [(1001, 1001), (1002, 1002)], False),
        (long_answer(LONG_ROWS, '],"x":1}],"error":{"code":"PartialError"}}'), 2000, [(2001, 2000)], True),
        (long_answer(LONG_ROWS, ']}],"error":{"code":"PartialError"}}'), 2000, [], True),
        (long_answer(LONG_ROWS, ']},{"name":"b","columns":[],"rows":[]}]}'), 2000, [(2001, 2000)], False),
        (long_answer(LONG_ROWS, ',["2026-07-16T13'), 2000, [(2001, 2000)], True),
        (long_answer(LONG_ROWS, "]"), 2000, [], True),
    ],
    ids=["whole", "rows that are none", "odd end", "says it is not whole", "two tables", "cut in a row", "cut"],
)
def test_long_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, good: int, bad: list[tuple[int, int]], *, is_cut: bool
) -> None:
    monkeypatch.setattr(limits, "MAX_RECORD_BYTES", 10_000)
    path = tmp_path / "answer.json"
    path.write_text(text, encoding="utf-8")
    prepared = prepare(path, workdir=tmp_path / "work")
    assert (prepared.kind, prepared.records, prepared.quarantined) == ("graph_activity", good + len(bad), len(bad))
    assert len(rows_of(prepared)) == good
    notes = Path(prepared.quarantine).read_text(encoding="utf-8").splitlines() if prepared.quarantine else []
    assert [(json.loads(note)["record"], json.loads(note)["line"]) for note in notes] == bad
    assert prepared.has_broken_end == is_cut


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

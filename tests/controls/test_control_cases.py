"""Every case of tests/controls/*.yml: rows in, the outcome of one control out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from .world import catalogue, judge_together, read_cases

FOLDER: Final = Path(__file__).parent


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(FOLDER.glob("*.yml")):
        for case in read_cases(path):
            yield f"{path.stem}: {case['name']}", case


CASES: Final = tuple(cases())


@pytest.fixture(scope="module")
def judged() -> list[list[dict[str, Any]]]:
    """Every case, evaluated together."""
    return judge_together([case.get("given") or {} for _, case in CASES])


@pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, _ in CASES])
def test_case(judged: list[list[dict[str, Any]]], number: int) -> None:
    case = CASES[number][1]
    rows = [row for row in judged[number] if row["control"] == case["control"]]
    (tenant,) = [row for row in rows if row["integration_name"] is None]
    assert tenant["outcome"] == case["expect"], tenant["sentence"]
    assert tenant["reason_code"] == case.get("reason"), tenant["sentence"]
    assert case.get("says", "") in tenant["sentence"]
    assert "?" not in tenant["sentence"]
    assert tenant["finding_ids"] == case.get("finding_ids", tenant["finding_ids"])
    for name, outcome in case.get("integrations", {}).items():
        (row,) = [row for row in rows if row["integration_name"] == name]
        assert row["outcome"] == outcome, row["sentence"]


def test_every_query_has_its_cases() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == {query.name for query in catalogue().queries} | {"rules"}


def test_every_control_with_a_query_is_in_a_case() -> None:
    named = {case["control"] for path in FOLDER.glob("*.yml") for case in read_cases(path)}
    asked = {control.control for control in catalogue().controls if control.query is not None}
    assert asked - named == set()

"""Every case of tests/controls/*.yml: rows in, the outcome of one control out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from .world import catalogue, fill, judge, read_cases

FOLDER: Final = Path(__file__).parent


def cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yml")):
        for case in read_cases(path):
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


@pytest.mark.parametrize("case", list(cases()))
def test_case(case: dict[str, Any]) -> None:
    given = case.get("given") or {}
    fill(given)
    rows = [row for row in judge(given) if row["control"] == case["control"]]
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

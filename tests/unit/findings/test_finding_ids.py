"""Thirty fixed ids, and what may and may not change one."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from m365audit.findings.identity import finding_id, with_finding_ids
from m365audit.resources import yaml_values

GOLDEN: list[dict[str, Any]] = yaml_values((Path(__file__).parent / "golden_ids.yml").read_text("utf-8"))
DATABASE = duckdb.connect(config={"threads": "1"})
SUBJECTS = st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), st.none() | st.text(max_size=40), max_size=5)


@pytest.mark.parametrize("golden", GOLDEN, ids=[row["id"] for row in GOLDEN])
def test_ids_are_fixed_for_ever(golden: dict[str, Any]) -> None:
    made = finding_id(golden["rule"], golden["key_version"], golden["tenant"], golden["subject"])
    assert made == golden["id"]


def test_thirty_subjects_have_thirty_ids() -> None:
    assert len(GOLDEN) == 30
    assert len({row["id"] for row in GOLDEN}) == 30


def test_the_id_is_what_the_page_says_it_is() -> None:
    text = '{"k":"m365audit.finding/1","rule":"r","rule_key_version":1,"subject":{"app_id":"x"},"tenant":"t"}'
    expected = "F1-" + base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()[:26]
    assert finding_id("r", 1, "t", {"app_id": "x"}) == expected


def test_the_case_of_a_guid_makes_no_difference() -> None:
    guid = "c0ffee00-0000-4000-8000-00000000000a"
    assert finding_id("r", 1, guid, {"app_id": guid}) == finding_id("r", 1, guid.upper(), {"app_id": guid.upper()})


def test_the_case_of_a_name_makes_one() -> None:
    assert finding_id("r", 1, "t", {"permission": "Mail.Read"}) != finding_id("r", 1, "t", {"permission": "mail.read"})


TEXTS = st.none() | st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["c0ffee00-0000-4000-8000-00000000000A", "C0FFEE00-0000-4000-8000-00000000000a\n", "\x00\x0b\x1f\x7f\"\\u000B'é😀"]
)  # fmt: skip


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True), TEXTS, min_size=1, max_size=4), TEXTS)
@settings(max_examples=60, deadline=None)
def test_a_million_ids_are_made_in_sql_as_one_is_here(subject: dict[str, str | None], tenant: str | None) -> None:
    assume(tenant is not None and "tenant_id" not in subject)
    columns = ", ".join(f'"{name}" VARCHAR' for name in subject)
    DATABASE.execute(f"CREATE OR REPLACE TABLE subjects (tenant_id VARCHAR, {columns})")
    marks = ", ".join("?" for _ in range(len(subject) + 1))
    DATABASE.execute(f"INSERT INTO subjects VALUES ({marks})", [tenant, *subject.values()])  # noqa: S608
    rows = DATABASE.execute(with_finding_ids("a-rule", 3, tuple(subject), "subjects")).fetchall()
    assert rows == [(tenant, *subject.values(), finding_id("a-rule", 3, str(tenant), subject))]


@pytest.mark.parametrize("golden", GOLDEN, ids=[row["id"] for row in GOLDEN])
def test_ids_made_in_sql_are_fixed_for_ever(golden: dict[str, Any]) -> None:
    names = tuple(golden["subject"])
    columns = ", ".join(f'${name}::VARCHAR AS "{name}"' for name in ("tenant_id", *names))
    given_row = {"tenant_id": golden["tenant"], **golden["subject"]}
    DATABASE.execute(f"CREATE OR REPLACE TABLE subjects AS SELECT {columns}", given_row)
    rows = DATABASE.execute(with_finding_ids(golden["rule"], golden["key_version"], names, "subjects")).fetchall()
    assert rows[0][-1] == golden["id"]


@given(SUBJECTS)
def test_the_order_of_a_subject_makes_no_difference(subject: dict[str, str | None]) -> None:
    backwards = dict(reversed(list(subject.items())))
    assert finding_id("r", 1, "t", backwards) == finding_id("r", 1, "t", subject)


@given(SUBJECTS)
def test_an_id_has_one_shape(subject: dict[str, str | None]) -> None:
    assert re.fullmatch(r"F1-[A-Z2-7]{26}", finding_id("r", 1, "t", subject))


@given(SUBJECTS, SUBJECTS)
def test_another_subject_is_another_finding(one: dict[str, str | None], other: dict[str, str | None]) -> None:
    assert (finding_id("r", 1, "t", one) == finding_id("r", 1, "t", other)) == (one == other)


def test_nothing_and_an_empty_text_are_two_subjects() -> None:
    assert len({finding_id("r", 1, "t", {"app_id": value}) for value in (None, "", "null")}) == 3

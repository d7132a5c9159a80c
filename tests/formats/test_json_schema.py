"""The JSON form against its published schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from report.reader import QueryReader, pieces

from m365audit.report import Document, render
from m365audit.report.document import SCHEMA
from m365audit.resources import data_dir

from .packed import rotating, slim
from .test_hostile_forms import STRINGS


@pytest.fixture(scope="module")
def published() -> Draft202012Validator:
    schema = json.loads((data_dir("config") / "schemas" / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_form_is_as_its_schema_says(published: Draft202012Validator, reader: QueryReader) -> None:
    form: dict[str, Any] = json.loads(b"".join(pieces(reader, "json")))
    assert [error.message[:200] for error in published.iter_errors(form)] == []
    assert form["schema"] == SCHEMA == "m365audit.report/2"


def test_the_schema_would_see_a_mistake(published: Draft202012Validator, document: Document) -> None:
    form = json.loads(render(slim(document), "json"))
    assert not published.is_valid(form | {"score": 7})
    assert not published.is_valid({name: value for name, value in form.items() if name != "answer"})
    assert not published.is_valid(form | {"schema": "m365audit.report/1"})
    assert not published.is_valid(form | {"findings_total": None})


def test_hostile_texts_are_texts(published: Draft202012Validator, document: Document) -> None:
    form = json.loads(render(rotating(slim(document), STRINGS, 0), "json"))
    assert published.is_valid(form)

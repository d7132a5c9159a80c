"""Records that are put together: nothing of Microsoft's is touched, and nothing passes that is no record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.graph.failures import CollectionError
from m365audit.graph.feeds.composing import read, text_of, with_members
from m365audit.graph.feeds.listing import few, in_turn, spoken

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.dictionaries(st.text(min_size=1), VALUES, max_size=5), st.text(), st.sampled_from([None, 1]))
def test_what_was_there_keeps_its_bytes(members: dict[str, object], team: str, indent: int | None) -> None:
    written = json.dumps(members, indent=indent)
    composed = with_members(written.encode(), {"teamId": team, "members": [b"{}", b"1.0"], "roleDefinition": b"{}"})
    assert b"\n" not in composed
    added = {"teamId": team, "members": [{}, 1.0], "roleDefinition": {}}
    assert json.loads(composed) == {**added, **members}
    if indent is None:
        assert composed.startswith(written[:-1].encode())


def test_a_key_that_stands_twice_stays_twice() -> None:
    """Whoever reads the record next must see that it has two meanings."""
    composed = with_members(b'{"id": "a", "id": "b"}', {"teamId": "t"})
    assert composed == b'{"id": "a", "id": "b","teamId":"t"}'


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"text"', b"{", b"<html>", b'{"a": 1} {', b"[" * 100_000])
def test_what_is_no_object_is_an_error(body: bytes) -> None:
    with pytest.raises(CollectionError):
        with_members(body, {"teamId": "t"})


@pytest.mark.parametrize("value", [1, None, [], {"a": 1}, True])
def test_text_is_text_or_nothing(value: object) -> None:
    assert not text_of(read(json.dumps({"id": value}).encode()), "id")


def test_everybody_has_a_turn() -> None:
    ids = [str(number) for number in range(20)]
    begin = datetime(2026, 9, 1, tzinfo=UTC)
    seen = {each for day in range(60) for each in in_turn(ids, begin + timedelta(days=day))[:3]}
    assert seen == set(ids)
    assert in_turn(ids, begin) == in_turn(ids[::-1], begin), "a run that is repeated looks at the same ones"


def test_words() -> None:
    assert spoken(1, "team") == "1 team"
    assert spoken(1_234, "team") == "1,234 teams"
    assert few(["a", "b", "c", "d", "e"]) == "a, b, c and 2 more"

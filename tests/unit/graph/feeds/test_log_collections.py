"""What the collections of logs say of themselves, and how an audit query's row becomes the record that it wraps."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m365audit.graph.feeds.audit_queries import bare_record
from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.model import EXPORT_KINDS, LOG_FEEDS
from m365audit.resources import data_dir

LOGS = [each for each in COLLECTIONS.values() if each.window is not None]
APIS = {"graph": "microsoft_graph", "manage": "office365_management"}


def known_roles() -> set[tuple[str, str, str]]:
    """Application permissions of the catalogue: API, name, app role id."""
    file = data_dir("config") / "catalogue" / "permissions.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return {(row[0], row[2], row[4]) for row in csv.reader(lines) if len(row) > 4 and row[3] == "application"}


@pytest.mark.parametrize("collection", LOGS, ids=lambda each: each.name)
def test_a_collection_fills_feeds_that_there_are(collection: Collection) -> None:
    assert COLLECTIONS[collection.name] is collection
    assert set(collection.feeds) <= set(LOG_FEEDS)
    assert collection.kind in EXPORT_KINDS


@pytest.mark.parametrize("collection", LOGS, ids=lambda each: each.name)
def test_a_collection_names_its_facts(collection: Collection) -> None:
    assert collection.window is not None
    assert collection.window >= timedelta(hours=1)
    assert collection.unassessable
    assert not collection.unassessable[0].isupper()
    assert collection.key
    assert collection.permissions
    if collection.kind != "graph_activity":
        assert collection.reach
        assert "microsoft.com" in collection.limits or "reference" in collection.limits


@pytest.mark.parametrize("collection", LOGS, ids=lambda each: each.name)
def test_permissions_have_the_ids_of_the_catalogue(collection: Collection) -> None:
    roles = known_roles()
    assert roles
    for permission in collection.permissions:
        if permission.api in APIS:
            assert (APIS[permission.api], permission.name, permission.app_role_id) in roles
            assert "Write" not in permission.name


def test_every_log_feed_is_filled() -> None:
    filled = {feed for each in LOGS for feed in each.feeds}
    assert filled >= set(LOG_FEEDS) - {"graph_activity"}


def test_what_one_source_forgets_another_has() -> None:
    for each in LOGS:
        if each.continued_by:
            after = COLLECTIONS[each.continued_by]
            assert set(each.feeds) <= set(after.feeds)
            assert each.reach is not None
            assert after.older_than <= each.reach
            assert after.takes_over is not None
            assert after.takes_over >= each.reach  # before, the better source settles it itself


# --- rows of audit queries ---

INNER = b'{"CreationTime":"2026-09-01T10:00:00","Id":"r1","Size":1.50,"Folders":[{"Path":"\\\\Inbox"}]}'


def wrapped(inner: bytes) -> bytes:
    return b'{"id":"r1","createdDateTime":"2026-09-01T10:00:00Z","auditData":' + inner + b',"service":"Exchange"}'


@pytest.mark.parametrize(
    "note",
    [b'"@odata.type":"#microsoft.graph.security.defaultAuditData",', b' "@odata.type" : "#x" , ', b""],
)
def test_the_wrapped_record_keeps_its_bytes(note: bytes) -> None:
    assert bare_record(wrapped(b"{" + note + INNER[1:])) == INNER


def test_notes_in_the_middle_go_as_well() -> None:
    inner = b'{"CreationTime":"2026-09-01T10:00:00","@odata.type":"#x","Id":"r1","Size":1.50}'
    assert bare_record(wrapped(inner)) == b'{"CreationTime":"2026-09-01T10:00:00","Id":"r1","Size":1.50}'


def test_a_record_that_is_wrapped_as_text_is_taken_out() -> None:
    assert bare_record(wrapped(json.dumps(INNER.decode()).encode())) == INNER


@pytest.mark.parametrize("inner", [b"null", b"7", b'"no json"', b"{}", b'{"Id":"x"}', b"[]", b'{"@odata.type":"#x"}'])
def test_a_row_that_wraps_no_record_stays_for_somebody_to_judge(inner: bytes) -> None:
    assert bare_record(wrapped(inner)) == wrapped(inner)


@pytest.mark.parametrize("row", [b"7", b"null", b'{"auditData"', b"{}"])
def test_a_row_that_is_none_stays_too(row: bytes) -> None:
    assert bare_record(row) == row


@given(st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(), max_size=5))
def test_whatever_a_record_holds_comes_out_of_its_row(members: dict[str, Any]) -> None:
    record = {"Id": "x", "CreationTime": "2026-09-01T10:00:00"} | members
    inner = json.dumps({"@odata.type": "#x"} | record).encode()
    expected = {name: value for name, value in record.items() if not name.startswith("@odata.")}
    assert json.loads(bare_record(wrapped(inner))) == expected

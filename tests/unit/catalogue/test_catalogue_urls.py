"""Real-looking request URIs as data: what each of them is (verdicts.md, *What a logged call is*)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from m365audit.catalogue import match_shapes, path_sql, segment_sql, shape_sql
from m365audit.resources import yaml_values

CASES: list[list[Any]] = yaml_values((Path(__file__).parent / "urls.yml").read_text(encoding="utf-8"))
HOST = "https://graph.microsoft.com"


@pytest.fixture(scope="module")
def db() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return connection


def normalised(db: duckdb.DuckDBPyConnection, uri: str | None) -> tuple[Any, Any]:
    sql = f"SELECT path, {shape_sql('path')} FROM (SELECT {path_sql('uri')} AS path FROM (SELECT ?::VARCHAR AS uri))"  # noqa: S608
    row = db.execute(sql, [uri]).fetchone()
    assert row is not None
    return row


def judged(db: duckdb.DuckDBPyConnection, method: str, uri: str) -> list[Any]:
    path, shape = normalised(db, uri)
    (found,) = match_shapes([(method, shape)])
    if found["template"] is None:
        return ["unmapped", None, None, None]
    segment = found["resource_segment"]
    cut = db.execute(f"SELECT {segment_sql('?', '?')}", [segment, path, segment]).fetchone()
    assert cut is not None
    return [found["workload"] or "?", found["operation"], found["resource_kind"], "@" if segment == 0 else cut[0]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[1]}"[:90])
def test_each_uri_is_what_it_is_said_to_be(db: duckdb.DuckDBPyConnection, case: list[Any]) -> None:
    method, uri, *expected = case
    assert judged(db, method, HOST + uri if uri else "") == expected


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 150


@pytest.mark.parametrize(
    "origin",
    ["", "https://graph.microsoft.us", "HTTPS://Graph.Microsoft.Com:443", "https://microsoftgraph.chinacloudapi.cn"],
)
def test_every_cloud_and_a_relative_uri_are_the_same_call(db: duckdb.DuckDBPyConnection, origin: str) -> None:
    assert normalised(db, f"{origin}/v1.0/me/messages?$top=1") == ("/me/messages", "/me/messages")


def test_null_stays_null(db: duckdb.DuckDBPyConnection) -> None:
    assert normalised(db, None) == (None, None)


def test_ids_of_every_kind_share_one_shape(db: duckdb.DuckDBPyConnection) -> None:
    ids = [
        "44444444-4444-4444-8444-444444444444",
        "anna@contoso.com",
        "AAMkAGI2THVSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "A" * 152,
        "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2",
        "b!AbCdEfGhIj",
        "1615971548136",
    ]
    assert {normalised(db, f"{HOST}/v1.0/users/{x}/events/{x}")[1] for x in ids} == {"/users/~/events/~"}


def test_a_file_path_makes_no_new_shape(db: duckdb.DuckDBPyConnection) -> None:
    uris = [f"{HOST}/v1.0/me/drive/root:/Customers/{name}/a.pdf:/content" for name in ("Jansen", "Müller%20AG")]
    assert {normalised(db, uri)[1] for uri in uris} == {"/me/drive/root/~"}


def test_shapes_stay_bounded(db: duckdb.DuckDBPyConnection) -> None:
    _, shape = normalised(db, HOST + "/v1.0/me/messages" + "/x" * 10_000)
    assert len(shape) < 200
    (found,) = match_shapes([("GET", shape)])
    assert (found["workload"], found["template"]) == ("mail", "/me/messages/**")

"""Sends request URIs through the SQL that logs go through and asks the catalogue; states nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import duckdb

from m365audit.catalogue import match_shapes, path_sql, shape_sql

if TYPE_CHECKING:
    from collections.abc import Sequence


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    return connection


def normalised(uris: Sequence[str]) -> list[tuple[str, str]]:
    """Return path and shape of each URI."""
    sql = f"SELECT path, {shape_sql('path')} FROM (SELECT {path_sql('uri')} AS path FROM (SELECT unnest(?) AS uri))"  # noqa: S608
    return _connection().execute(sql, [list(uris)]).fetchall()


def answers(calls: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the catalogue's answer for each method and URI, with the URI's normalised ``path``."""
    found = normalised([uri for _, uri in calls])
    matched = match_shapes((method, shape) for (method, _), (_, shape) in zip(calls, found, strict=True))
    return [{**answer, "path": path} for answer, (path, _) in zip(matched, found, strict=True)]


def resource(answer: dict[str, Any]) -> str | None:
    """Return the resource that the answer cuts out of its path, ``@`` for the actor."""
    segment = answer["resource_segment"]
    return "@" if segment == 0 else answer["path"].split("/")[segment] if segment else None

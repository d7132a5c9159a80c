"""Measures how much of Microsoft's own calls the catalogue knows; changes nothing."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import duckdb

from m365audit.catalogue import endpoint_rows, match_shapes, path_sql, shape_sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HOST = "https://graph.microsoft.com"
_ID = "44444444-4444-4444-8444-444444444444"


def answers(calls: Iterable[tuple[str, str]]) -> Iterator[dict[str, object]]:
    """Yield the catalogue's answer for each method and request URI, through the SQL that real logs go through."""
    given = list(calls)
    connection = duckdb.connect()
    shape = shape_sql("path")
    sql = f"SELECT {shape} FROM (SELECT {path_sql('uri')} AS path FROM (SELECT unnest(?) AS uri))"  # noqa: S608
    shapes = [row[0] for row in connection.execute(sql, [[uri for _, uri in given]]).fetchall()]
    yield from match_shapes((method, shape) for (method, _), shape in zip(given, shapes, strict=True))


def real_uri(version: str, path: str) -> str:
    """Return a URI as it would be logged: placeholders filled with an id."""
    return f"{HOST}/{version}/{re.sub(r'[{][^}]*[}]', _ID, path).lstrip('/')}"


def coverage_lines(samples: Sequence[dict[str, str]]) -> list[str]:
    """Return the table of coverage; the samples' keys: version, method, uri, workload."""
    seen: Counter[tuple[str, str]] = Counter()
    mapped: Counter[tuple[str, str]] = Counter()
    agreeing: Counter[tuple[str, str]] = Counter()
    for sample, answer in zip(samples, answers((s["method"], s["uri"]) for s in samples), strict=True):
        key = (sample["workload"], sample["version"])
        seen[key] += 1
        mapped[key] += answer["template"] is not None
        agreeing[key] += (answer["workload"] or "unknown") == sample["workload"]
    templates, permissions = _catalogue_sizes()
    head = ("workload", "version", "calls", "mapped", "agree", "unmapped", "templates", "permissions")
    lines = ["{:14} {:7} {:>6} {:>6} {:>6} {:>8} {:>9} {:>11}".format(*head)]
    for (workload, version), count in sorted(seen.items()):
        key = (workload, version)
        lost = 100 * (count - mapped[key]) / count
        lines.append(f"{workload:14} {version:7} {count:6} {mapped[key]:6} {agreeing[key]:6} {lost:7.2f}% "
                     f"{templates[workload]:9} {len(permissions[workload]):11}")  # fmt: skip
    return lines


def _catalogue_sizes() -> tuple[Counter[str], dict[str, set[str]]]:
    templates: Counter[str] = Counter()
    permissions: dict[str, set[str]] = defaultdict(set)
    for row in endpoint_rows():
        workload = row["workload"] or "unknown"
        templates[workload] += 1
        permissions[workload] |= {*(row["permissions_application"] or ()), *(row["permissions_delegated"] or ())}
    return templates, permissions

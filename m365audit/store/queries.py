"""Query files: one SELECT with a YAML header in its first comment; reading and the conventions they all share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from m365audit.errors import RuleError
from m365audit.resources import data_dir, yaml_values

_HEADER: Final = re.compile(r"\A\s*/\*---\n(?P<header>.*?)\n---\*/\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class QueryFile:
    """One file of ``queries/``.

    Attributes:
        name: file name without number and suffix, e.g. ``access_events``.
        path: where it is.
        header: the YAML mapping of its first comment.
        sql: the statement as DuckDB runs it, header included (error lines stay true), no final semicolon.
    """

    name: str
    path: Path
    header: dict[str, Any]
    sql: str


def read_query(path: Path) -> QueryFile:
    """Read one query file.

    Raises:
        RuleError: there is no header, it is not a mapping, or the body is not one SELECT.
    """
    text = path.read_text(encoding="utf-8")
    match = _HEADER.match(text)
    if match is None:
        raise RuleError(
            "has no /*--- … ---*/ header", file=str(path), line=1, hint="begin the file with its YAML header"
        )
    try:
        header = yaml_values(match["header"])
    except yaml.YAMLError as error:
        raise RuleError(f"the header is not YAML: {error}", file=str(path), hint="mend the header") from error
    if not isinstance(header, dict):
        raise RuleError("the header is not a mapping", file=str(path), line=1, hint="write key: value lines")
    body = text[match.end() :].strip().rstrip(";").rstrip()
    if not re.match(r"(?i)(select|with|from)\b", body):
        raise RuleError("the body is not a SELECT", file=str(path), hint="a query file holds exactly one SELECT")
    return QueryFile(re.sub(r"^\d+_", "", path.stem), path, header, text[: match.end()] + body)


@cache
def read_queries(folder: str) -> tuple[QueryFile, ...]:
    """Return the query files of ``queries/<folder>`` in the order of their file names."""
    return tuple(read_query(path) for path in sorted((data_dir("queries") / folder).glob("*.sql")))

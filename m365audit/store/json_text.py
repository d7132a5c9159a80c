"""JSON text made inside of DuckDB, sign by sign as Python's ``json`` makes it. Knows neither tables nor meaning.

DuckDB's own ``to_json`` writes some control characters in another case; a hash over the text would differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_SHORT: Final = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}
_NEEDS_ESCAPE: Final = r"""[\x00-\x1f"\\]"""


def literal(text: str) -> str:
    """Return ``text`` as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def json_string(expression: str) -> str:
    """Return SQL that gives a VARCHAR expression as a JSON string, ``null`` when it is NULL.

    Escaped are quotes, backslashes and ASCII's control characters, and nothing else.
    """
    return (
        f"CASE WHEN {expression} IS NULL THEN 'null' "
        f"WHEN regexp_matches({expression}, '{_NEEDS_ESCAPE}') THEN '\"' || {_escaped(expression)} || '\"' "
        f"ELSE '\"' || {expression} || '\"' END"
    )


def json_object(members: Mapping[str, str]) -> str:
    """Return SQL that gives a JSON object without white space: key → SQL that gives the member's JSON, keys sorted."""
    pairs = [f"{literal(_key(name))} || {members[name]}" for name in sorted(members)]
    return "'{' || " + " || ',' || ".join(pairs) + " || '}'" if pairs else "'{}'"


def _key(name: str) -> str:
    return f'"{name}":'


def _escaped(expression: str) -> str:
    made = f"replace(replace({expression}, '\\', '\\\\'), '\"', '\\\"')"
    for code in range(32):
        made = f"replace({made}, chr({code}), '{_SHORT.get(code, f'{chr(92)}u{code:04x}')}')"
    return made

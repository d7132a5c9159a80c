"""Reads SQL as text: its tokens and what may not stand in a rule. Owns no database and proves nothing by itself.

The database's own parser decides what a statement is; these checks come before it, so that a file that writes, reads a
file or asks for the time of day is refused with a sentence a rule's author understands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

_TOKEN: Final = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<line_comment>--[^\n]*)
    | (?P<block_comment>/\*.*?\*/)
    | (?P<escape_string>[eExX]'(?:[^'\\]|\\.|'')*')
    | (?P<string>'(?:[^']|'')*')
    | (?P<quoted>"(?:[^"]|"")*")
    | (?P<dollar_quote>\$(?:[A-Za-z_]\w*)?\$)
    | (?P<parameter>\$\w+|\?)
    | (?P<word>[A-Za-z_]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<arrow>->>?)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_WRITING: Final = frozenset(
    {
        *("insert", "update", "delete", "merge", "truncate", "copy", "create", "drop", "alter", "vacuum", "checkpoint"),
        *("attach", "detach", "use", "install", "load", "export", "import", "pragma", "set", "reset", "call"),
        *("begin", "commit", "rollback", "execute", "prepare", "deallocate"),
    }
)
"""Words that only statements other than SELECT need; quote a column that has to be called so."""

_CLOCK_WORDS: Final = frozenset({"current_timestamp", "current_date", "current_time", "localtime", "localtimestamp"})
_CLOCK_FUNCTIONS: Final = frozenset(
    {
        *("now", "today", "get_current_timestamp", "get_current_time", "transaction_timestamp"),
        *("current_localtime", "current_localtimestamp"),
        *("random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "nextval"),
    }
)
_OUTSIDE_FUNCTIONS: Final = frozenset(
    {"glob", "getenv", "getvariable", "current_setting", "query", "query_table", "sniff_csv"}
)
_OUTSIDE_PREFIXES: Final = ("read_", "parquet_", "duckdb_", "pragma_", "sqlite_", "postgres_", "mysql_", "iceberg_")


class Token(NamedTuple):
    """One token: ``kind`` (a group of the pattern), its ``text`` and its 1-based ``line``."""

    kind: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that may not stand in a rule's SQL: 1-based line of the text, what, what to do, name of the check."""

    line: int
    what: str
    todo: str
    code: str


def tokens(sql: str) -> tuple[Token, ...]:
    """Return the tokens of ``sql`` without white space and comments."""
    return tuple(t for t in _scan(sql) if t.kind not in ("space", "line_comment", "block_comment"))


def parameters(sql: str) -> frozenset[str]:
    """Return the names of the ``$name`` parameters in ``sql``, without the dollar sign."""
    return frozenset(t.text[1:] for t in tokens(sql) if t.kind == "parameter" and t.text != "?")


def faults(sql: str) -> tuple[Fault, ...]:
    """Return everything in ``sql`` that may not stand in a rule or a hunt, in the order of the text."""
    found = list(_comment_faults(sql))
    stream = tokens(sql)
    for place, token in enumerate(stream):
        following = stream[place + 1].text if place + 1 < len(stream) else ""
        fault = _token_fault(token, is_call=following == "(")
        if fault is not None:
            found.append(fault)
    if not stream:
        found.append(Fault(1, "there is no SELECT after the header", "write one", "no_statement"))
    elif stream[0].text.lower() not in ("select", "with", "from", "("):
        found.append(Fault(stream[0].line, "the file is not a SELECT", "begin with SELECT or WITH", "not_a_select"))
    return tuple(sorted(found, key=lambda fault: fault.line))


@lru_cache(maxsize=4)  # several checks ask about the same text, one after the other
def _scan(sql: str) -> tuple[Token, ...]:
    line, found = 1, []
    for match in _TOKEN.finditer(sql):
        text = match.group()
        found.append(Token(match.lastgroup or "other", text, line))
        line += text.count("\n")
    return tuple(found)


def _comment_faults(sql: str) -> Iterator[Fault]:
    for token in _scan(sql):
        if token.kind == "block_comment" and "/*" in token.text[2:]:
            yield Fault(token.line, "a comment stands inside a comment", "close the first one", "nested_comment")


def _token_fault(token: Token, *, is_call: bool) -> Fault | None:
    by_kind = {
        "dollar_quote": ("a dollar-quoted text", "use single quotes", "dollar_quote"),
        "escape_string": ("a text with escapes", "use plain single quotes", "escape_string"),
        "arrow": ("an arrow, which not every supported DuckDB reads as a lambda", "write lambda x: …", "arrow"),
    }
    if token.kind in by_kind:
        return Fault(token.line, *by_kind[token.kind])
    if token.kind == "parameter" and (token.text == "?" or token.text[1].isdigit()):
        return Fault(token.line, f"the parameter {token.text} has no name", "write $name", "unnamed_parameter")
    if token.kind == "other":
        return _sign_fault(token)
    return _word_fault(token, is_call=is_call) if token.kind == "word" else None


def _sign_fault(token: Token) -> Fault | None:
    if token.text == ";":
        return Fault(token.line, "a semicolon", "leave one SELECT, without a semicolon", "semicolon")
    if token.text in "'\"":
        return Fault(token.line, "a quotation mark that is never closed", "close it", "unclosed")
    return None


def _word_fault(token: Token, *, is_call: bool) -> Fault | None:
    word = token.text.lower()
    if word in _WRITING:
        return Fault(token.line, f"the word {token.text}: rules only read", "leave one SELECT", "writes")
    if word in _CLOCK_WORDS or (is_call and word in _CLOCK_FUNCTIONS):
        todo = "use times of the evidence, so that running again changes nothing"
        return Fault(token.line, f"{token.text} gives another answer at another time", todo, "not_repeatable")
    if is_call and (word in _OUTSIDE_FUNCTIONS or word.startswith(_OUTSIDE_PREFIXES)):
        return Fault(token.line, f"{token.text} reads outside of the tables", "read published tables only", "outside")
    return None

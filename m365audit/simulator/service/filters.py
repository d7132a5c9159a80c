"""Owns the small part of OData's ``$filter`` that audit endpoints take. Must never fetch what it filters."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from m365audit.simulator.served import Record
from m365audit.simulator.service.clock import ticks

Test = Callable[[Record], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<any>[\w/]+)/any\(\s*(?P<var>\w+)\s*:\s*(?P=var)(?:/(?P<sub>\w+))?\s+eq\s+'(?P<value>(?:[^']|'')*)'\s*\)"
    r"|(?P<starts>startswith)\(\s*(?P<of>[\w/]+)\s*,\s*'(?P<prefix>(?:[^']|'')*)'\s*\)"
    r"|(?P<name>[\w/]+)\s+(?P<op>eq|ne|ge|gt|le|lt)\s+(?P<literal>'(?:[^']|'')*'|[^\s()]+)"
    r"|(?P<word>and|or|not)\b|(?P<bracket>[()]))",
    re.IGNORECASE,
)
_LOWEST: Final = 0
_HIGHEST: Final = 1 << 62


class FilterError(Exception):
    """A filter cannot be read; the text says how Microsoft would word it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read.

    Attributes:
        test: whether a record passes, times left aside where they became bounds.
        begin: first tick that may pass.
        end: first tick that may not pass any more.
        names: properties that it names.
        is_trivial: every record within the bounds passes.
    """

    test: Test
    begin: int = _LOWEST
    end: int = _HIGHEST
    names: frozenset[str] = frozenset()
    is_trivial: bool = True


@dataclass(slots=True)
class _Reader:
    """A recursive descent over the tokens of one filter."""

    time_property: str
    tokens: list[re.Match[str]]
    place: int = 0
    depth: int = 0
    begin: int = _LOWEST
    end: int = _HIGHEST
    names: set[str] = field(default_factory=set)

    def alternatives(self) -> list[Test]:
        """Read ``a or b``; a list of one is a conjunction."""
        tests = [self.conjunction()]
        while self.word("or"):
            if (self.begin, self.end) != (_LOWEST, _HIGHEST):
                raise FilterError("Invalid filter clause: a time within 'or' is not supported.")
            tests.append(self.conjunction())
        return tests

    def conjunction(self) -> Test:
        tests = [self.term()]
        while self.word("and"):
            tests.append(self.term())
        found = [test for test in tests if test is not _everything]
        return _everything if not found else lambda record: all(test(record) for test in found)

    def term(self) -> Test:
        if self.word("not"):
            inner = self.term()
            return lambda record: not inner(record)
        token = self.next()
        if token.group("bracket") == "(":
            inner = _any(self.alternatives())
            if self.next().group("bracket") != ")":
                raise FilterError("Invalid filter clause: ')' expected.")
            return inner
        return self.comparison(token)

    def comparison(self, token: re.Match[str]) -> Test:
        if token.group("any"):
            return self.member(token)
        if token.group("starts"):
            self.names.add(token.group("of"))
            name, prefix = token.group("of"), _unquoted(token.group("prefix"))
            return lambda record: str(value_at(record, name) or "").lower().startswith(prefix.lower())
        if not token.group("name"):
            raise FilterError("Invalid filter clause.")
        name, operator, literal = token.group("name"), token.group("op").lower(), token.group("literal")
        self.names.add(name)
        if name == self.time_property:
            return self.time(operator, literal)
        return _compared(name, operator, literal)

    def member(self, token: re.Match[str]) -> Test:
        name, sub, wanted = token.group("any"), token.group("sub"), _unquoted(token.group("value"))
        self.names.add(name)

        def test(record: Record) -> bool:
            items = value_at(record, name) or []
            return any((value_at(item, sub) if sub else item) == wanted for item in items)

        return test

    def time(self, operator: str, literal: str) -> Test:
        moment = ticks(literal.strip("'"))
        if moment is None:
            raise FilterError(f"Invalid filter clause: The DateTimeOffset text '{literal[:60]}' is not valid.")
        if operator in {"ge", "gt", "eq"}:
            self.begin = max(self.begin, moment + (operator == "gt"))
        if operator in {"le", "lt", "eq"}:
            self.end = min(self.end, moment + (operator != "lt"))
        if operator == "ne":
            raise FilterError("Invalid filter clause: 'ne' is not supported here.")
        return _everything

    def word(self, word: str) -> bool:
        if self.place < len(self.tokens) and (self.tokens[self.place].group("word") or "").lower() == word:
            self.place += 1
            return True
        return False

    def next(self) -> re.Match[str]:
        if self.place >= len(self.tokens):
            raise FilterError("Invalid filter clause: more was expected.")
        self.place += 1
        return self.tokens[self.place - 1]


def read_filter(text: str, time_property: str) -> Filter:
    """Return a filter that was read from ``$filter``.

    Raises:
        FilterError: it cannot be read.
    """
    tokens, place = [], 0
    while place < len(text.rstrip()):
        match = _TOKEN.match(text, place)
        if match is None:
            raise FilterError(f"Invalid filter clause: syntax error at position {place}.")
        tokens.append(match)
        place = match.end()
    reader = _Reader(time_property, tokens)
    test = _any(reader.alternatives())
    if reader.place != len(tokens):
        raise FilterError("Invalid filter clause: something follows that was not expected.")
    return Filter(test, reader.begin, reader.end, frozenset(reader.names), is_trivial=test is _everything)


def _everything(_record: Record) -> bool:
    return True


NO_FILTER: Final = Filter(_everything)


def _any(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    return lambda record: any(test(record) for test in tests)


def value_at(record: Any, name: str) -> Any:
    """Return a property by its path (``status/errorCode``)."""
    for part in name.split("/"):
        if not isinstance(record, dict):
            return None
        record = record.get(part)
    return record


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


def _compared(name: str, operator: str, literal: str) -> Test:
    if operator not in {"eq", "ne"}:
        moment = ticks(literal.strip("'"))
        if moment is None:
            raise FilterError(f"Unsupported operator '{operator}' for '{name}'.")
        return lambda record: _in_order(ticks(str(value_at(record, name))), operator, moment)
    wanted = _literal(literal)
    if operator == "eq":
        return lambda record: _same(value_at(record, name), wanted)
    return lambda record: not _same(value_at(record, name), wanted)


def _in_order(found: int | None, operator: str, moment: int) -> bool:
    if found is None:
        return False
    return {"ge": found >= moment, "gt": found > moment, "le": found <= moment, "lt": found < moment}[operator]


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, str) and isinstance(wanted, str):
        return found.lower() == wanted.lower()
    return found == wanted


def _literal(text: str) -> str | bool | int | None:
    if text.startswith("'"):
        return _unquoted(text[1:-1])
    if text in {"true", "false", "null"}:
        return {"true": True, "false": False, "null": None}[text]
    return int(text) if text.lstrip("-").isdecimal() else text

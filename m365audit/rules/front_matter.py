"""Splits a query file into its YAML header and its SELECT. Owns the form of the header, not the meaning of its keys."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.constructor import SafeConstructor

from m365audit.model import Problem

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C, where the wheel has it
_HEADER: Final = re.compile(r"\A\s*/\*---[ \t]*\r?\n(?P<yaml>.*?)\r?\n---\*/", re.DOTALL)

Check = Callable[[object], str | None]
"""Says what is wrong with a header value, or None when it is right."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """Header and SELECT of one file.

    Attributes:
        values: header keys and their YAML values.
        lines: 1-based line in the file of every header key.
        body: the SELECT that follows the header.
        body_line: 1-based line in the file of the first line of ``body``.
    """

    values: Mapping[str, object]
    lines: Mapping[str, int]
    body: str
    body_line: int


def read(file: str, text: str) -> tuple[FrontMatter | None, tuple[Problem, ...]]:
    """Split ``text``; the header's keys are unique, and YAML aliases are refused.

    Args:
        file: name used in problems.
        text: the whole file.
    """
    match = _HEADER.match(text)
    if match is None:
        problem = Problem(file, 1, "", "the header is missing", "begin with /*--- and end it with ---*/", "no_header")
        return None, (problem,)
    first = text[: match.start("yaml")].count("\n") + 1
    try:
        node = _compose(match["yaml"])
    except yaml.YAMLError as error:
        return None, (Problem(file, _error_line(error, first), "", f"not YAML: {_short(error)}", "mend it", "yaml"),)
    if not isinstance(node, yaml.MappingNode):
        return None, (Problem(file, first, "", "the header is not a list of keys", "write key: value", "yaml"),)
    body_line = text[: match.end()].count("\n") + 1
    return _split(file, node, first, text[match.end() :], body_line)


def check_keys(
    file: str, matter: FrontMatter, required: Mapping[str, Check], optional: Mapping[str, Check]
) -> tuple[Problem, ...]:
    """Check every header key: known, present when required, and of a value that its check accepts."""
    known = {**required, **optional}
    problems = [
        Problem(file, matter.lines[key], key, "unknown key", nearest(key, known), "unknown_key")
        for key in matter.values
        if key not in known
    ]
    problems += [
        Problem(file, 1, key, "the key is missing", "add it to the header", "missing_key")
        for key in required
        if key not in matter.values
    ]
    for key, value in matter.values.items():
        wrong = known[key](value) if key in known else None
        if wrong is not None:
            problems.append(Problem(file, matter.lines[key], key, wrong, "correct it", f"bad_{key}"))
    return tuple(problems)


def nearest(word: str, words: Iterable[str]) -> str:
    """Say which of ``words`` was probably meant by ``word``."""
    found = difflib.get_close_matches(word, list(words), n=1)
    return f"did you mean {found[0]}?" if found else f"known are {', '.join(sorted(words))}"


def is_text(value: object) -> str | None:
    """Accept a text that says something."""
    return None if isinstance(value, str) and value.strip() else "an empty text"


def is_flag(value: object) -> str | None:
    """Accept true and false."""
    return None if isinstance(value, bool) else "neither true nor false"


def is_version(value: object) -> str | None:
    """Accept a whole number from 1."""
    is_whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    return None if is_whole else "not a whole number from 1"


def is_question(value: object) -> str | None:
    """Accept a sentence that ends with a question mark."""
    return is_text(value) or (None if str(value).strip().endswith("?") else "not a question")


def is_name(value: object) -> str | None:
    """Accept an id of lower-case words joined by hyphens."""
    is_good = isinstance(value, str) and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", value) is not None
    return None if is_good else "not lower-case words joined by hyphens"


def is_list_of(each: Check, *, is_empty_allowed: bool = False) -> Check:
    """Accept a list without repetitions whose members ``each`` accepts."""

    def check(value: object) -> str | None:
        if not isinstance(value, list) or (not value and not is_empty_allowed):
            return "not a list with at least one member"
        wrong = [text for text in (each(member) for member in value) if text is not None]
        if wrong:
            return wrong[0]
        return "a member stands twice" if len(set(value)) < len(value) else None

    return check


def is_one_of(words: Sequence[str]) -> Check:
    """Accept one of ``words``; name the nearest for any other."""

    def check(value: object) -> str | None:
        return None if value in words else f"unknown: {value!r}; {nearest(str(value), words)}"

    return check


def _compose(text: str) -> yaml.Node | None:
    if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_LOADER)):
        raise yaml.YAMLError("aliases are not read")
    return yaml.compose(text, Loader=_LOADER)


def _split(
    file: str, node: yaml.MappingNode, first: int, body: str, body_line: int
) -> tuple[FrontMatter, tuple[Problem, ...]]:
    values: dict[str, object] = {}
    lines: dict[str, int] = {}
    problems = [
        Problem(file, first + line, key, "the key stands twice", "keep one", "duplicate_key")
        for key, line in _repeated(node)
    ]
    for key_node, value_node in node.value:
        key = str(key_node.value)
        values[key] = SafeConstructor().construct_document(value_node)
        lines[key] = first + key_node.start_mark.line
    return FrontMatter(values, lines, body.rstrip(), body_line), tuple(problems)


def _repeated(node: yaml.Node) -> list[tuple[str, int]]:
    if isinstance(node, yaml.SequenceNode):
        return [found for member in node.value for found in _repeated(member)]
    if not isinstance(node, yaml.MappingNode):
        return []
    seen: set[str] = set()
    found: list[tuple[str, int]] = []
    for key, value in node.value:
        name = str(key.value)
        if name in seen:
            found.append((name, key.start_mark.line))
        seen.add(name)
        found += _repeated(value)
    return found


def _error_line(error: yaml.YAMLError, first: int) -> int:
    mark = getattr(error, "problem_mark", None)
    return first + mark.line if mark is not None else first


def _short(error: yaml.YAMLError) -> str:
    return str(getattr(error, "problem", None) or error)

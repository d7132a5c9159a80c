"""What a hunt is: a named question of the security team with parameters. Reads text and values; never a database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from m365audit.errors import QueryError
from m365audit.model import Problem
from m365audit.rules import front_matter as fm
from m365audit.rules import sql_text
from m365audit.rules.rule import text_problems

Value = str | int | float | bool | datetime | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: ``name``, DuckDB ``type``, ``default`` (None: no restriction), and what it means."""

    name: str
    type: str
    default: Value
    description: str


@dataclass(frozen=True, slots=True)
class Hunt:
    """One hunt: ``id`` (also its file), ``title``, ``question``, ``parameters``, ``columns`` and its SELECT."""

    id: str
    title: str
    question: str
    parameters: tuple[Parameter, ...]
    columns: tuple[str, ...]
    file: str
    sql: str

    def bind(self, given: Mapping[str, str]) -> dict[str, Value]:
        """Return a value for every parameter, from what a user typed or the defaults.

        Raises:
            QueryError: a parameter that the hunt does not have, or a text that is not of its type.
        """
        names = [parameter.name for parameter in self.parameters]
        for name in given:
            if name not in names:
                raise QueryError(f"{self.id} has no parameter {name!r}", hint=_names_hint(name, names))
        return {p.name: _convert(self.id, p, given[p.name]) if p.name in given else p.default for p in self.parameters}


def read_hunt(file: str, text: str, *, name: str) -> tuple[Hunt | None, tuple[Problem, ...]]:
    """Read one hunt file's text: the hunt when its header is sound, and every problem of header and text."""
    matter, problems = fm.read(file, text)
    if matter is None:
        return None, problems
    problems += fm.check_keys(file, matter, _REQUIRED, {})
    if not problems and matter.values["id"] != name:
        what = f"the id is not the file's name ({name})"
        problems += (Problem(file, matter.lines["id"], "id", what, "rename one", "id_is_not_file_name"),)
    hunt = None if problems else _hunt(matter, file)
    problems += text_problems(file, matter)
    if hunt is not None:
        problems += _parameter_problems(file, matter, hunt)
    return hunt, problems


def _names_hint(name: str, names: list[str]) -> str:
    return fm.nearest(name, names) if names else "it takes none"


def _parameter_problems(file: str, matter: fm.FrontMatter, hunt: Hunt) -> tuple[Problem, ...]:
    declared = {parameter.name for parameter in hunt.parameters}
    used = sql_text.parameters(matter.body)
    undeclared = [
        Problem(file, matter.body_line, "", f"${name} is not declared", "declare it", "undeclared_parameter")
        for name in sorted(used - declared)
    ]
    unused = [
        Problem(file, matter.lines["parameters"], f"parameters.{name}", "never used", "remove it", "unused_parameter")
        for name in sorted(declared - used)
    ]
    return (*undeclared, *unused)


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _flag(text: str) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in words:
        raise ValueError(text)
    return words[text.lower()]


_TYPES: Final[dict[str, Callable[[str], Value]]] = {
    "VARCHAR": str,
    "BIGINT": int,
    "DOUBLE": float,
    "BOOLEAN": _flag,
    "TIMESTAMPTZ": _time,
}

_HOW: Final = {
    "BIGINT": "a whole number, e.g. 72",
    "DOUBLE": "a number, e.g. 0.5",
    "BOOLEAN": "true or false",
    "TIMESTAMPTZ": "a day like 2026-03-31, or a time with its zone like 2026-03-31T09:00:00Z",
}
"""How a value of a type is written; any text is a VARCHAR."""


def _convert(hunt: str, parameter: Parameter, text: str) -> Value:
    try:
        return _TYPES[parameter.type](text)
    except ValueError as error:
        hint = f"{parameter.description}; write {_HOW[parameter.type]}"
        raise QueryError(f"{hunt}: {parameter.name} cannot be {text!r}", hint=hint) from error


def _are_parameters(value: object) -> str | None:
    if not isinstance(value, dict):
        return "not a list of names"
    for name, spec in value.items():
        if not isinstance(name, str) or re.fullmatch(r"[a-z][a-z0-9_]*", name) is None:
            return f"{name!r} is not a name in snake_case"
        if not isinstance(spec, dict) or set(spec) != {"type", "default", "description"}:
            return f"{name} needs exactly type, default, description"
        wrong = fm.is_one_of(tuple(_TYPES))(spec["type"]) or fm.is_text(spec["description"])
        if wrong is not None:
            return f"{name}: {wrong}"
    return None


_REQUIRED: Final[dict[str, fm.Check]] = {
    "id": fm.is_name,
    "title": fm.is_text,
    "question": fm.is_question,
    "parameters": _are_parameters,
    "columns": fm.is_list_of(fm.is_text),
}


def _hunt(matter: fm.FrontMatter, file: str) -> Hunt:
    values = matter.values
    specs = cast(dict[str, dict[str, object]], values["parameters"])
    parameters = tuple(
        Parameter(name, str(spec["type"]), cast(Value, spec["default"]), str(spec["description"]))
        for name, spec in specs.items()
    )
    title, question = str(values["title"]), " ".join(str(values["question"]).split())
    columns = tuple(cast(list[str], values["columns"]))
    return Hunt(str(values["id"]), title, question, parameters, columns, file, matter.body)

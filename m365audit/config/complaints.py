"""Turning what pydantic found into problems with file, line, what is wrong and what to do; all of them at once.

Never shows an input value that a key's name marks as secret: only keys are named for refused and unknown keys.
"""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from typing import Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from m365audit.config.shapes import Refusal, Strict
from m365audit.config.spelling import shown, suggestion
from m365audit.config.yamlnodes import Document, Key, KeyPath

_Model = TypeVar("_Model", bound=Strict)
Words = tuple[str, str, str]
"""Code, what, todo."""

_TEXTS: Final = {"string_type"}
_BRANCHES: Final = {"union_tag_invalid", "union_tag_not_found"}
_LIST: Final = ("wrong_shape", "a list is expected here", "write [a, b], or one item per line, each after a hyphen")
_MAPPING: Final = ("wrong_shape", "keys with values are expected here", "write `key: value` lines, indented")
_FIXED: Final[dict[str, Words]] = {
    "string_type": ("wrong_shape", "text is expected here, not a list or mapping", "write one value"),
    "list_type": _LIST,
    "tuple_type": _LIST,
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "too_short": ("empty_list", "the list is empty", "name at least one"),
    "int_type": ("not_a_number", "this is not a whole number", "write digits without quotes"),
    "bool_type": ("not_a_truth_value", "this is neither true nor false", "write true or false without quotes"),
}


def check(model: type[_Model], document: Document, context: dict[str, Any] | None = None) -> _Model | None:
    """Validate a document's value; problems are noted in the document, None is returned when there are any."""
    try:
        return model.model_validate(document.value, context=context)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            _note(model, details, document)
    return None


def _note(model: type[Strict], details: ErrorDetails, document: Document) -> None:
    """Note one pydantic error as a problem, unless its place already has one."""
    if details["type"] == "too_short" and details["input"]:
        # Items with a problem of their own are not counted, so that the list seems too short as well.
        return
    path, models = _follow(model, details["loc"], document.value, is_missing=details["type"] == "missing")
    if document.is_broken(path):
        return
    if details["type"] in _BRANCHES and isinstance(details["input"], dict) and "kind" in details["input"]:
        path = (*path, "kind")
    code, what, todo = _words(details, path, models)
    document.problem(code, path, what, todo)


def _follow(
    model: type[Strict], loc: tuple[Key, ...], value: object, *, is_missing: bool
) -> tuple[KeyPath, list[type[Strict]]]:
    """Return the path in the file for pydantic's location, and the models that the last key may belong to.

    Pydantic puts the names of union branches between the keys; they are not in the file and narrow the models down.
    """
    path: KeyPath = ()
    models, owners = [model], [model]
    for position, key in enumerate(loc):
        is_last = position == len(loc) - 1
        if isinstance(value, list) and isinstance(key, int) and key < len(value):
            value, path = value[key], (*path, key)
        elif isinstance(value, dict) and isinstance(key, str) and (key in value or (is_last and is_missing)):
            value, path = value.get(key), (*path, key)
            owners, models = models, [inner for owner in models for inner in _models_under(owner, key)]
        else:
            models = [entry for entry in models if _is_branch(entry, key)] or models
            owners = models
    return path, owners


def _models_under(model: type[Strict], key: str) -> list[type[Strict]]:
    """Return the models that a key of a model may hold, directly or in a list."""
    for name, entry in model.model_fields.items():
        if key == (entry.alias or name):
            return list(_models_in(entry.annotation))
    return []


def _models_in(annotation: object) -> Iterable[type[Strict]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, Strict):
            yield annotation
        return
    if get_origin(annotation) is not None or get_origin(annotation) in {Union, types.UnionType}:
        for inner in get_args(annotation):
            yield from _models_in(inner)


def _is_branch(model: type[Strict], key: Key) -> bool:
    kind = model.model_fields.get("kind")
    return key == model.__name__ or (kind is not None and key in get_args(kind.annotation))


def _words(details: ErrorDetails, path: KeyPath, models: list[type[Strict]]) -> Words:
    """Return code, what and todo for one error."""
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    key = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return _unknown_key(key, models)
    if kind == "missing":
        return "missing_key", f"the key {key} is missing", _example(key, models)
    if value is None:
        return "empty_value", "nothing is written here", "fill it in, or leave the key out if it is optional"
    if "todo" in context:
        return kind, str(context["what"]), str(context["todo"])
    return _plain_words(kind, context, value)


def _plain_words(kind: str, context: dict[str, Any], value: object) -> Words:
    """Return the words for pydantic's own complaints about a value."""
    if kind in _BRANCHES:
        return _unknown_branch(context)
    if kind == "literal_error":
        return _unknown_word(value, re.findall(r"'([^']*)'", str(context.get("expected", ""))))
    if kind in _TEXTS and isinstance(value, bool | int | float):
        return _not_text(value)
    if kind in _FIXED:
        return _FIXED[kind]
    limits = ", ".join(f"{name} {limit}" for name, limit in context.items())
    return "out_of_range", f"{shown(value)} is not possible here", f"keep to: {limits or 'what the example shows'}"


def _unknown_key(key: str, models: list[type[Strict]]) -> Words:
    refusals: dict[str, Refusal] = {name: entry for model in models for name, entry in model.refused.items()}
    if key in refusals:
        return refusals[key].code, refusals[key].what, refusals[key].todo
    known = dict.fromkeys(entry.alias or name for model in models for name, entry in model.model_fields.items())
    return "unknown_key", f"the key {shown(key)} is not known here", suggestion(key, known)


def _example(key: str, models: list[type[Strict]]) -> str:
    for model in models:
        for name, entry in model.model_fields.items():
            if key == (entry.alias or name) and entry.examples:
                return f"add it, e.g. {key}: {entry.examples[0]}"
    return "add it"


def _unknown_branch(context: dict[str, Any]) -> Words:
    words = re.findall(r"'([^']*)'", str(context.get("expected_tags", "")))
    if "tag" not in context:
        return "missing_key", "the key kind is missing", "add kind, and the keys that belong to it"
    return _unknown_word(context["tag"], words)


def _unknown_word(value: object, words: list[str]) -> Words:
    if isinstance(value, dict | list):
        return "wrong_shape", "one word is expected here", f"write one of: {', '.join(words)}"
    todo = suggestion(value, words) if isinstance(value, str) else f"use one of: {', '.join(words)}"
    return "unknown_value", f"{shown(value)} is not a known value", todo


def _not_text(value: float) -> Words:
    is_truth = isinstance(value, bool)
    written = str(value).lower() if is_truth else str(value)
    what = f"{written} is read as a {'truth value' if is_truth else 'number'}, not as text"
    return "not_text", what, f'put it in quotes: "{written}"'

"""A copy of a document in which every text that comes from outside the product is another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

Value = TypeVar("Value")

VOCABULARY = frozenset({
    "schema", "tenant_id", "workload", "operation", "verdict", "recorded", "granted", "coverage", "state",
    "severity", "change", "outcome", "code", "section", "headline", "explanation", "register_state", "evidence_command",
    "decision", "language", "time_zone", "text_language",
})  # fmt: skip
"""Fields that only the product writes, from closed lists, or that rows are grouped by."""
_OF_ONE_TYPE = {
    ("Document", "title"), ("Document", "method"), ("Unknown", "what"), ("FeedCoverage", "feed"), ("Cell", "app_id"),
    ("Evidence", "feed"), ("UnmappedCall", "feed"), ("Mark", "kind"), ("Difference", "name"), ("ReviewEvent", "kind"),
    ("ReviewEvent", "state"), ("SubjectRequest", "kind"), ("Integration", "app_ids"), ("Gap", "feeds"),
}  # fmt: skip


def replaced(value: Value, change: Callable[[str], str]) -> Value:
    """Return ``value`` with every outside text changed."""
    result: Any = _replaced(value, change)
    return result  # type: ignore[no-any-return]


def _replaced(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_replaced(item, change) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        values = {
            field.name: _replaced(getattr(value, field.name), change)
            for field in dataclasses.fields(value)
            if field.name not in VOCABULARY and (kind, field.name) not in _OF_ONE_TYPE
        }
        return dataclasses.replace(value, **values)
    return value


def outside_fields(value: object) -> set[str]:
    """Return the names of the fields that ``replaced`` changes, as ``Type.field``."""
    found: set[str] = set()
    if isinstance(value, tuple):
        return found.union(*(outside_fields(item) for item in value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value).__name__
        for field in dataclasses.fields(value):
            inner = getattr(value, field.name)
            if field.name in VOCABULARY or (kind, field.name) in _OF_ONE_TYPE:
                continue
            if isinstance(inner, str) or (isinstance(inner, tuple) and any(isinstance(item, str) for item in inner)):
                found.add(f"{kind}.{field.name}")
            found |= outside_fields(inner)
    return found

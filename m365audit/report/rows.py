"""Owns the step from a query's rows to Python values of known types; never guesses, never fills in a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec

Row = dict[str, object]


class Reader(Protocol):
    """What the report needs of the published database."""

    def rows(self, query_name: str, **params: object) -> list[Row]:
        """Run the named query of ``queries/report`` and return its rows by column name.

        Times come as aware ``datetime``, lists as ``list``, NULL as None.
        """
        ...

    def batches(self, query_name: str, **params: object) -> Iterator[list[Row]]:
        """Run the named query and hand its rows out some thousands at a time; nothing else may be read meanwhile."""
        ...


def text(row: Row, name: str) -> str | None:
    """Return a text column, None when it is NULL."""
    value = row[name]
    return None if value is None else str(value)


def words(row: Row, name: str) -> str:
    """Return a text column that is never NULL in a sound database; empty where it is."""
    return text(row, name) or ""


def count(row: Row, name: str) -> int:
    """Return a count; NULL counts nothing."""
    value = row[name]
    if value is None:
        return 0
    if isinstance(value, (int, float, str)):
        return int(value)
    raise TypeError(f"column {name!r} is not a number but {type(value).__name__}")


def maybe_count(row: Row, name: str) -> int | None:
    """Return a count, None when it is NULL."""
    return None if row[name] is None else count(row, name)


def flag(row: Row, name: str) -> bool:
    """Return a truth value; NULL is false, so that nothing counts as judged by accident."""
    return row[name] is True


def texts(row: Row, name: str) -> tuple[str, ...]:
    """Return a list column as texts; NULL is the empty list."""
    value = row[name]
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)):
        raise TypeError(f"column {name!r} is not a list but {type(value).__name__}")
    return tuple("" if item is None else str(item) for item in value)


def moment(row: Row, name: str) -> datetime | None:
    """Return a time in UTC, None when it is NULL."""
    value = row[name]
    if value is None:
        return None
    if not isinstance(value, datetime):
        raise TypeError(f"column {name!r} is not a time but {type(value).__name__}")
    return value.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class TenantNames:
    """Tenant names by id; an id that has no row keeps its id as name."""

    by_id: dict[str, str]

    def of(self, row: Row) -> tuple[str, str]:
        """Return the row's tenant id and that tenant's name."""
        tenant = words(row, "tenant_id")
        return tenant, self.by_id.get(tenant, tenant)


def total(rows: Sequence[Row], column: str = "total") -> int:
    """Return a total that a bounded query repeats in every row; 0 without rows."""
    return count(rows[0], column) if rows else 0


def parts_of(subject: str) -> tuple[tuple[str, str], ...]:
    """Return the parts of a finding's subject; one that is no JSON object is one part, ``subject``."""
    try:
        parts = msgspec.json.decode(subject.encode("utf-8", "surrogatepass"), type=dict[str, object])
    except msgspec.DecodeError:
        return (("subject", subject),)
    return tuple(
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in parts.items()
    )

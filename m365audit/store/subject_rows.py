"""All rows of a person in a database: every column that can hold one is searched, and what hangs on such rows follows.

Reads; changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import duckdb

from m365audit.store.copying import find_rows
from m365audit.store.masks import Masks
from m365audit.store.other_people import OtherPeople
from m365audit.store.person_columns import person_columns

_FOLLOWS: Final = {"landed_forms": "landed_calls", "access_forms": "access_log"}
"""Calls share forms: who stands in a form made every call of it, or was reached by it."""
_AT_A_TIME: Final = 500

Rows = tuple[str, list[str], Iterator[dict[str, Any]]]


def subject_rows(
    connection: duckdb.DuckDBPyConnection, database: str, tenant: str, masks: Masks, others: OtherPeople
) -> Iterator[Rows]:
    """Yield table, columns and rows, without other people, of every table that holds the person.

    Args:
        connection: where the database is attached.
        database: its name.
        tenant: tenant id; rows of other tenants are left out.
        masks: the person.
        others: takes everybody else out.
    """
    for table, columns in person_columns(connection, database).items():
        given = f'{database}.main."{table}"'
        names = [row[0] for row in connection.execute(f"DESCRIBE {given}").fetchall()]
        kept = f"coalesce(tenant_id = '{tenant}', true)" if "tenant_id" in names else "true"
        numbers = [
            number
            for number, row in find_rows(connection, given, columns, masks.needles, kept)
            if masks.value(row) != row
        ]
        if numbers:
            yield table, names, _rows(connection, given, numbers, others)
        follower = _FOLLOWS.get(table)
        if numbers and follower:
            following = f"{database}.main.{follower}"
            names = [row[0] for row in connection.execute(f"DESCRIBE {following}").fetchall()]
            yield follower, names, _following(connection, given, following, numbers, others)


def _rows(
    connection: duckdb.DuckDBPyConnection, given: str, numbers: list[int], others: OtherPeople
) -> Iterator[dict[str, Any]]:
    for first in range(0, len(numbers), _AT_A_TIME):
        part = numbers[first : first + _AT_A_TIME]
        yield from _fetched(
            connection, f"SELECT * FROM {given} WHERE rowid IN (SELECT unnest($rows)) ORDER BY rowid", part, others
        )


def _following(
    connection: duckdb.DuckDBPyConnection, given: str, following: str, numbers: list[int], others: OtherPeople
) -> Iterator[dict[str, Any]]:
    sql = (
        f"SELECT * FROM {following} SEMI JOIN (SELECT tenant_id, form_no FROM {given} "
        "WHERE rowid IN (SELECT unnest($rows))) USING (tenant_id, form_no)"
    )
    yield from _fetched(connection, sql, numbers, others)


def _fetched(
    connection: duckdb.DuckDBPyConnection, sql: str, numbers: list[int], others: OtherPeople
) -> Iterator[dict[str, Any]]:
    cursor = connection.cursor()
    cursor.execute(sql, {"rows": numbers})
    names = [column[0] for column in cursor.description or ()]
    while rows := cursor.fetchmany(_AT_A_TIME):
        for row in rows:
            yield others.row(dict(zip(names, row, strict=True)))


def known_users(connection: duckdb.DuckDBPyConnection, tenant: str) -> set[str]:
    """Return the object ids of every user that the evidence of a tenant names."""
    rows = connection.execute(
        """
        SELECT DISTINCT lower(id) FROM (
            SELECT record_id AS id, tenant_id FROM landed_records WHERE feed = 'users'
            UNION ALL SELECT user_id, tenant_id FROM landed_forms
            UNION ALL SELECT record->>'$.userId', tenant_id FROM landed_records WHERE starts_with(feed, 'sign_ins')
            UNION ALL SELECT record->>'$.principalId', tenant_id FROM landed_records
            UNION ALL SELECT record->>'$.initiatedBy.user.id', tenant_id FROM landed_records
            UNION ALL SELECT unnest(record->>'$.targetResources[*].id'), tenant_id FROM landed_records
                WHERE feed = 'directory_audits'
            UNION ALL SELECT unnest(record->>'$.transitiveMembers[*].id'), tenant_id FROM landed_records
        ) WHERE tenant_id = ? AND id IS NOT NULL
        """,
        [tenant],
    ).fetchall()
    return {row[0] for row in rows}

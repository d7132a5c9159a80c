"""Evaluates every control for every tenant at once, on the candidate or on what is published. Changes no finding."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from m365audit.config.sentences import sentence
from m365audit.controls import concluding
from m365audit.controls import statements as sql
from m365audit.controls.catalogue import OUTCOMES, Catalogue, Control, ControlQuery
from m365audit.controls.query_tables import QUERY_TABLE_NAMES, QUERY_TABLES
from m365audit.errors import QueryError
from m365audit.model import FEEDS
from m365audit.store.review_tables import REVIEW_COLUMNS
from m365audit.store.schema_print import SCHEMA_PRINT

QUERY_SECONDS: Final = 300
"""How long one query may work for all tenants together; one that needs more is not assessable."""
_LONGEST_REASON: Final = 200

_COLUMNS: Final[dict[tuple[str, str], frozenset[str]]] = {}
"""Columns of the controls' queries, by schema and text."""
_MOST_COLUMNS: Final = 512
_SENTENCES: Final = {("control_sentences", "said"): "VARCHAR", ("control_sentences", "sentence"): "VARCHAR"}

REVIEW_TABLES: Final = ("attestations", "breach_cases", "subject_requests", "holds")
"""Tables of the journal that are read; a database that has none of them is read as one with an empty journal."""


class ControlDatabase(Protocol):
    """A database that can stop what takes too long (``m365audit.store.sandbox.LockedDatabase``)."""

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> Sequence[tuple[Any, ...]]:
        """Run one statement and return its rows."""

    def limited(self, seconds: float) -> AbstractContextManager[None]:
        """Stop every statement inside of the block that goes on for longer: it ends with QueryError."""


def evaluate(
    database: ControlDatabase, catalogue: Catalogue, *, now: datetime, roles: Sequence[Sequence[str]] = (),
    is_temporary: bool = False,
) -> int:  # fmt: skip
    """Make the table ``controls``: for every tenant a line for each control, and one for each integration it is about.

    Args:
        database: the candidate after the rules and their ledger, or a published database with today's decisions.
        catalogue: the controls (``load_controls``).
        now: for clocks that run on; UTC.
        roles: of each person who may decide, the roles that he or she has.
        is_temporary: make a temporary table, for a database that is only read.

    Returns:
        How many lines there are.

    Raises:
        QueryError: the database itself cannot be read (not: one query failed).
    """
    absent = _absent(database)
    try:
        for name in absent:
            columns = ", ".join(f'"{column}" {kind}' for column, kind in REVIEW_COLUMNS[name].items())
            database.execute(f"CREATE TEMP TABLE {name} ({columns})")
        _fill(database, catalogue, now, roles)
        _answer(database, catalogue)
        _write_sentences(database, catalogue)
        kind = "TEMP TABLE" if is_temporary else "TABLE"
        database.execute(f"CREATE OR REPLACE {kind} controls AS {concluding.CONTROLS}")
    finally:
        for name in (*QUERY_TABLE_NAMES, *sql.WORK_TABLES, "control_people", *absent):
            database.execute(f"DROP TABLE IF EXISTS temp.{name}")
    return int(database.execute("SELECT count(*) FROM controls")[0][0])


def _absent(database: ControlDatabase) -> list[str]:
    known = {str(row[0]) for row in database.execute(
        "SELECT table_name FROM duckdb_tables() UNION ALL SELECT view_name FROM duckdb_views()"
    )}  # fmt: skip
    return [name for name in REVIEW_TABLES if name not in known]


def _fill(database: ControlDatabase, catalogue: Catalogue, now: datetime, roles: Sequence[Sequence[str]]) -> None:
    """Make the tables that queries and statements read: the controls themselves, and what is known of rules."""
    for statement in sql.TABLES:
        database.execute(statement)
    database.execute("CREATE TEMP TABLE control_people (roles VARCHAR[])")
    rows: dict[str, list[Mapping[str, object]]] = {
        **_rows(catalogue),
        "control_people": [{"roles": sorted(held)} for held in roles],
        "control_moment": [{"moment": now.astimezone(UTC).isoformat()}],
    }
    types = _types(database, list(rows))
    for table, given in rows.items():
        _insert(database, table, given, types)


def _rows(catalogue: Catalogue) -> dict[str, list[Mapping[str, object]]]:
    facts = catalogue.rules.values()
    return {
        "control_list": [_row(catalogue, *each) for each in enumerate(catalogue.controls)],
        "control_rules": [
            {"control": control.control, "rule": use.rule, "means": use.means, "position": position}
            for control in catalogue.controls
            for position, use in enumerate(catalogue.rules_of(control))
        ],
        "rule_facts": [{"rule": rule.id, "needs_register": rule.needs_register} for rule in facts],
        "rule_feeds": [
            {"rule": rule.id, "feed": feed, "position": place}
            for rule in facts
            for place, feed in enumerate(rule.needs)
        ],
        "query_feeds": [
            {"query": query.name, "feed": feed, "position": place}
            for query in catalogue.queries
            for place, feed in enumerate(query.needs)
        ],
        "query_rules": [{"query": query.name, "rule": rule} for query in catalogue.queries for rule in query.rules],
    }


def _row(catalogue: Catalogue, position: int, control: Control) -> dict[str, object]:
    named = [rule.id for rule in catalogue.rules.values() if control.control in rule.controls]
    rules = [use.rule for use in catalogue.rules_of(control)] or sorted(named)
    return {
        "position": position,
        "control": control.control,
        "clause": control.clause,
        "title": control.title,
        "commitment": control.commitment,
        "severity": control.severity,
        "way": control.way,
        "reason_code": control.attestation or control.not_assessable,
        "object": control.object,
        "part_reason": control.part and control.part.reason,
        "part_object": control.part and control.part.object,
        "kinds": list(control.kinds),
        "is_each": control.integrations == "each",
        "attach": control.attach,
        "owner": control.owner,
        "gdpr": control.gdpr,
        "iso": control.iso,
        "rules": rules,
        "query": control.query,
        "gates": list(control.gates or ()),
    }


def _types(database: ControlDatabase, tables: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return the types of the columns of these temporary tables, asked for at once: looking is dear."""
    found = database.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE database_name = 'temp' AND list_contains($tables::VARCHAR[], table_name)",
        {"tables": list(tables)},
    )
    return {(str(table), str(column)): str(kind) for table, column, kind in found}


def _insert(
    database: ControlDatabase, table: str, rows: Sequence[Mapping[str, object]], types: Mapping[tuple[str, str], str]
) -> None:
    """Put rows into a temporary table, as one statement."""
    if not rows:
        return
    shape = json.dumps([{name: types[table, name] for name in rows[0]}])
    names = ", ".join(f'"{name}"' for name in rows[0])
    database.execute(
        f"INSERT INTO {table} ({names}) SELECT {names} FROM "  # noqa: S608  (names of this module's own tables)
        "(SELECT unnest(from_json($rows::JSON, $shape), recursive := true))",
        {"rows": json.dumps(list(rows)), "shape": shape},
    )


def _answer(database: ControlDatabase, catalogue: Catalogue) -> None:
    """Fill ``control_answers`` and take the best of it."""
    for statement in (sql.INTEGRATIONS, sql.SCOPES, sql.FINDINGS, sql.FINDING_INTEGRATIONS, sql.SCOPED_FINDINGS):
        database.execute(statement)
    database.execute(sql.FEED_STATES, {"feeds": list(FEEDS)})
    for statement in (sql.RULE_STATES, sql.ANSWER_FINDINGS, sql.ANSWER_RULES, sql.ANSWER_FIXED):
        database.execute(statement)
    for statement in QUERY_TABLES:
        database.execute(statement)
    database.execute(
        sql.QUERY_REGISTER, {"queries": [query.name for query in catalogue.queries if query.needs_register]}
    )
    schema = str(database.execute(SCHEMA_PRINT)[0][0])
    for query in catalogue.queries:
        _run_query(database, query, schema)
    for statement in (sql.QUERY_GAPS, sql.NO_INTEGRATION, *sql.NOT_APPLICABLE, sql.ANSWER_PARTS, concluding.NO_ANSWER):
        database.execute(statement)
    database.execute(concluding.BEST, {"outcomes": list(OUTCOMES)})
    database.execute(concluding.SAID)


def _run_query(database: ControlDatabase, query: ControlQuery, schema: str) -> None:
    """Take in what one query answers; one that fails leaves its controls not assessable."""
    try:
        with database.limited(QUERY_SECONDS):
            columns = _columns(database, query, schema)
            allowed = ["not_assessable"] if query.is_gate else list(OUTCOMES)
            database.execute(_insert_query(query, columns), {"query": query.name, "outcomes": allowed})
    except QueryError as error:
        line = next(iter(error.message.strip().splitlines()), "")[:_LONGEST_REASON]
        database.execute(sql.QUERY_FAILED, {"query": query.name, "reason": line or "the query failed"})


def _columns(database: ControlDatabase, query: ControlQuery, schema: str) -> frozenset[str]:
    """Return the names of a query's columns; asked once for a text and a schema."""
    key = schema, query.sql
    if key not in _COLUMNS:
        found = frozenset(str(row[0]) for row in database.execute(f"DESCRIBE {_wrapped(query)}"))
        if len(_COLUMNS) >= _MOST_COLUMNS:
            _COLUMNS.clear()
        _COLUMNS[key] = found
        return found
    return _COLUMNS[key]


def _wrapped(query: ControlQuery) -> str:
    return f"SELECT * FROM (\n{query.sql}\n)"  # noqa: S608  (the file has been checked to be one SELECT)


def _insert_query(query: ControlQuery, columns: frozenset[str]) -> str:
    """Return the statement that takes in a query: answers about lines that there are, and no others."""
    control = "AND q.control = s.control" if "control" in columns else ""
    integration = "q.integration_name" if "integration_name" in columns else "NULL"
    findings = "q.finding_ids" if "finding_ids" in columns else "[]"
    return f"""
        INSERT INTO control_answers
        SELECT s.tenant_id, s.control, s.integration_name, q.outcome, q.reason_code, q.says, q.facts, {findings}, 1
        FROM ({_wrapped(query)}) AS q
        INNER JOIN control_scopes AS s
            ON q.tenant_id = s.tenant_id {control} AND s.integration_name IS NOT DISTINCT FROM {integration}
        INNER JOIN control_list AS c ON s.control = c.control
        WHERE
            (c.query = $query OR list_contains(c.gates, $query))
            AND CASE WHEN list_contains($outcomes, q.outcome) THEN TRUE ELSE error('no outcome: ' || q.outcome) END
    """  # noqa: S608  (the file has been checked to be one SELECT)


def _write_sentences(database: ControlDatabase, catalogue: Catalogue) -> None:
    """Put everything that is said into words, once for all lines that say the same."""
    database.execute("CREATE TEMP TABLE control_sentences (said VARCHAR, sentence VARCHAR)")
    distinct = [str(row[0]) for row in database.execute("SELECT DISTINCT said FROM control_said")]
    told = [{"said": said, "sentence": sentence(said, catalogue)} for said in distinct]
    _insert(database, "control_sentences", told, _SENTENCES)

"""Owns the yardstick: the same file parsed by DuckDB alone into a table with explicit columns, and nothing else."""

from __future__ import annotations

from pathlib import Path

import duckdb

COLUMNS = """{
    time: 'VARCHAR', category: 'VARCHAR', tenantId: 'VARCHAR',
    properties: 'STRUCT(
        timeGenerated VARCHAR, requestId VARCHAR, operationId VARCHAR, clientRequestId VARCHAR, apiVersion VARCHAR,
        requestMethod VARCHAR, responseStatusCode INTEGER, tenantId VARCHAR, durationMs BIGINT,
        responseSizeBytes BIGINT, signInActivityId VARCHAR, appId VARCHAR, userId VARCHAR, servicePrincipalId VARCHAR,
        identityProvider VARCHAR,
        clientAuthMethod VARCHAR, wids VARCHAR, ipAddress VARCHAR, userAgent VARCHAR, requestUri VARCHAR,
        tokenIssuedAt VARCHAR, roles VARCHAR, scopes VARCHAR, location VARCHAR)'
}"""
"""The columns that an audit needs, in the envelope of a storage export."""

_STATEMENT = (
    "CREATE TABLE bare AS SELECT properties.*, time AS ingested_at "
    "FROM read_json(?, format = 'newline_delimited', columns = " + COLUMNS + ")"
)


def bare_parse(files: tuple[Path, ...], database: Path) -> int:
    """Parse the files into one table of a new database, make it durable, and return the rows."""
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(_STATEMENT, [[str(path) for path in files]])
        connection.execute("CHECKPOINT")
        row = connection.execute("SELECT count(*) FROM bare").fetchone()
    assert row
    return int(row[0])

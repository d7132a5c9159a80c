"""What SQL can be bound to in an open database, as one text: what was proven of a query holds while it is the same."""

from __future__ import annotations

from typing import Final

SCHEMA_PRINT: Final = """
SELECT sha256(coalesce(string_agg(said, chr(10) ORDER BY said), ''))
FROM (
    SELECT json_array(schema_name, table_name, column_index, column_name, data_type)::VARCHAR AS said
    FROM duckdb_columns()
    WHERE NOT internal
)
"""
"""Every table and view with the names, the order and the types of its columns.

Nothing in a candidate is a macro, and the settings of every sandbox are the same.
"""

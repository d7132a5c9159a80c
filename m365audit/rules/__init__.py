"""Rule and hunt files: reading, checking, running. Knows no DuckDB and keeps no finding's history."""

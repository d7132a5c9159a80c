"""The only room that speaks to DuckDB: landing, the candidate database, publishing, reading what was published."""

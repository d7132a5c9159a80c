/*---
query: report-present
grain: one row per table that there is
columns:
  table_name: its name
---*/
SELECT DISTINCT table_name FROM information_schema.tables

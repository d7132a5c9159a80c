/*---
table: call_shapes
temporary: true
grain: one way of calling, whoever calls
columns:
  shape_no: number of the row
  access_kind: as in event_calls
  workload: as in event_calls
  operation: as in event_calls
  permissions: as in event_calls
---*/
SELECT
    row_number() OVER () AS shape_no,
    *
FROM (
    SELECT DISTINCT
        access_kind,
        workload,
        operation,
        permissions
    FROM event_calls
) AS c

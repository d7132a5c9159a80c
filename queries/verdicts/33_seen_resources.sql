/*---
table: seen_resources
temporary: true
grain: >-
  one resource, one app of whose scopes some hold it at some time, and one period in which its class stands still; the
  periods of both leave no gap
columns:
  resource_no: row of event_resources
  app_no: row of registered_apps
  valid_from: start of the period
  valid_to: end of the period, exclusive
  class_id: row of resource_classes, or the class of what no scope holds (see answers)
---*/
WITH held AS (
    SELECT
        h.resource_no,
        h.app_no,
        h.valid_from,
        h.valid_to,
        c.class_id,
        CASE h.lacks WHEN 'id' THEN 1 WHEN 'name' THEN 2 WHEN 'all' THEN 3 ELSE 0 END AS stranger_id
    FROM held_resources AS h
    INNER JOIN resource_classes AS c ON h.app_no = c.app_no AND h.lacks = c.lacks AND h.scope_ids = c.scope_ids
),

around AS (
    SELECT
        resource_no,
        app_no,
        lag(valid_to, 1, TIMESTAMPTZ '-infinity') OVER line AS valid_from,
        valid_from AS valid_to,
        stranger_id
    FROM held
    WINDOW line AS (PARTITION BY resource_no, app_no ORDER BY valid_from)
    UNION ALL
    SELECT
        resource_no,
        app_no,
        max(valid_to),
        TIMESTAMPTZ 'infinity',
        any_value(stranger_id)
    FROM held
    GROUP BY resource_no, app_no
)

SELECT resource_no, app_no, valid_from, valid_to, class_id
FROM held
UNION ALL
SELECT resource_no, app_no, valid_from, valid_to, stranger_id
FROM around
WHERE valid_from < valid_to

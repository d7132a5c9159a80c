/*---
table: resource_classes
temporary: true
grain: one way in which the scopes of one app see a resource that some of them hold
columns:
  class_id: "number of the class, from 4 up; 0 to 3 are resources that no scope holds, by what they lack"
  app_no: row of registered_apps
  lacks: as in event_resources
  scope_ids: the scopes that hold the resource
---*/
SELECT
    3 + row_number() OVER () AS class_id,
    app_no,
    lacks,
    scope_ids
FROM (
    SELECT DISTINCT
        app_no,
        lacks,
        scope_ids
    FROM held_resources
) AS h

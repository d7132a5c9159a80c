/*---
table: seen_resources
temporary: true
grain: one row of held_resources
columns:
  resource_no: row of event_resources
  app_no: row of registered_apps
  valid_from: start of the period
  valid_to: end of the period, exclusive
  class_id: row of resource_classes
---*/
SELECT
    h.resource_no,
    h.app_no,
    h.valid_from,
    h.valid_to,
    c.class_id
FROM held_resources AS h
INNER JOIN resource_classes AS c ON h.app_no = c.app_no AND h.lacks = c.lacks AND h.scope_ids = c.scope_ids

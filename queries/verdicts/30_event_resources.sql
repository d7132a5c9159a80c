/*---
table: event_resources
temporary: true
grain: one resource as the events of one app write it, where the app's records look at resources
columns:
  tenant_id: the event's tenant
  app_id: the event's app
  resource_id: as in the event
  resource_name: as in the event
  resource_kind: as in the event
  ids: ids that the resource goes by, its own and the one that the directory ties to its name
  names: names that it goes by, likewise
  resource_no: number of the row
---*/
WITH selective_apps AS (
    SELECT DISTINCT tenant_id, app_id
    FROM candidates
    WHERE NOT covers_all
),

ties AS (
    SELECT DISTINCT tenant_id, lower(user_id) AS user_id, lower(user_name) AS user_name
    FROM directory_users
    WHERE user_id IS NOT NULL AND user_name IS NOT NULL
),

-- A name of two people, or an id with two names, ties nothing.
id_of_name AS (
    SELECT tenant_id, user_name, min(user_id) AS user_id
    FROM ties
    GROUP BY ALL
    HAVING count(*) = 1
),

name_of_id AS (
    SELECT tenant_id, user_id, min(user_name) AS user_name
    FROM ties
    GROUP BY ALL
    HAVING count(*) = 1
),

resources AS (
    SELECT DISTINCT e.tenant_id, e.app_id, e.resource_id, e.resource_name, e.resource_kind
    FROM access_events AS e
    SEMI JOIN selective_apps AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
)

SELECT
    r.*,
    list_distinct([lower(r.resource_id), i.user_id]) AS ids,
    list_distinct([lower(r.resource_name), n.user_name]) AS names,
    row_number() OVER () AS resource_no
FROM resources AS r
LEFT JOIN id_of_name AS i ON r.tenant_id = i.tenant_id AND lower(r.resource_name) = i.user_name
LEFT JOIN name_of_id AS n ON r.tenant_id = n.tenant_id AND lower(r.resource_id) = n.user_id

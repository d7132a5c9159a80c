/*---
table: event_resources
temporary: true
grain: one resource as the events of a tenant write it, where the records look at resources
columns:
  resource_no: number of the row
  tenant_id: the events' tenant
  resource_id: as in the events
  resource_name: as in the events
  resource_kind: as in the events
  ids: ids that the resource goes by, its own and the one that the directory ties to its name
  names: names that it goes by, likewise
  lacks: "what is not known of it: nothing, id, name (of what may be a user) or all"
---*/
WITH ties AS (
    SELECT DISTINCT
        tenant_id,
        lower(user_id) AS user_id,
        lower(user_name) AS user_name
    FROM directory_users
    WHERE user_id IS NOT NULL AND user_name IS NOT NULL
),

-- A name of two people, or an id with two names, ties nothing.
id_of_name AS (
    SELECT
        tenant_id,
        user_name,
        min(user_id) AS user_id
    FROM ties
    GROUP BY ALL
    HAVING count(*) = 1
),

name_of_id AS (
    SELECT
        tenant_id,
        user_id,
        min(user_name) AS user_name
    FROM ties
    GROUP BY ALL
    HAVING count(*) = 1
),

resources AS (
    SELECT DISTINCT
        e.tenant_id,
        e.resource_id,
        e.resource_name,
        e.resource_kind
    FROM access_forms AS e
    SEMI JOIN (
        SELECT
            tenant_id,
            app_id
        FROM registered_apps
        WHERE is_selective
    ) AS a
        ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
),

identified AS (
    SELECT
        r.*,
        list_distinct([lower(r.resource_id), i.user_id]) AS ids,
        list_distinct([lower(r.resource_name), n.user_name]) AS names
    FROM resources AS r
    LEFT JOIN id_of_name AS i ON r.tenant_id = i.tenant_id AND lower(r.resource_name) = i.user_name
    LEFT JOIN name_of_id AS n ON r.tenant_id = n.tenant_id AND lower(r.resource_id) = n.user_id
)

SELECT
    row_number() OVER () AS resource_no,
    *,
    CASE
        WHEN resource_id IS NULL AND resource_name IS NULL THEN 'all'
        WHEN len(ids) = 0 THEN 'id'
        WHEN len(names) = 0 AND coalesce(resource_kind, 'user') = 'user' THEN 'name'
        ELSE 'nothing'
    END AS lacks
FROM identified

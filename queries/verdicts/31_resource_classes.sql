/*---
table: resource_classes
temporary: true
grain: one resource of event_resources and one period in which the app's scopes see it the same way
columns:
  tenant_id: as in event_resources
  app_id: as in event_resources
  resource_id: as in event_resources
  resource_name: as in event_resources
  resource_kind: as in event_resources
  valid_from: start of the period
  valid_to: end of the period, exclusive
  class_id: number of the class; all resources of an app that are seen alike share one
  is_null: the event names no resource
  lacks_id: no id is known
  lacks_name: no name is known of what may be a user
  scope_ids: the app's scopes that hold the resource in the period
---*/
WITH app_scopes AS (
    SELECT DISTINCT c.tenant_id, c.app_id, c.scope_id, v.resource_ids, v.resource_groups
    FROM candidates AS c
    INNER JOIN compared_versions AS v ON c.tenant_id = v.tenant_id AND c.scope_id = v.scope_id
    WHERE NOT c.covers_all
),

scope_entries AS (
    SELECT tenant_id, app_id, scope_id, unnest(resource_ids) AS entry
    FROM app_scopes
),

scope_groups AS (
    SELECT tenant_id, app_id, scope_id, unnest(resource_groups) AS listed_group
    FROM app_scopes
),

resource_entries AS (
    SELECT resource_no, tenant_id, app_id, unnest(ids || names) AS entry
    FROM event_resources
),

resource_ids AS (
    SELECT resource_no, tenant_id, app_id, unnest(ids) AS member_id
    FROM event_resources
),

hits AS (
    SELECT r.resource_no, s.scope_id, TIMESTAMPTZ '-infinity' AS valid_from, TIMESTAMPTZ 'infinity' AS valid_to
    FROM resource_entries AS r
    INNER JOIN scope_entries AS s ON r.tenant_id = s.tenant_id AND r.app_id = s.app_id AND r.entry = s.entry
    UNION
    SELECT r.resource_no, s.scope_id, m.valid_from, m.valid_to
    FROM resource_ids AS r
    INNER JOIN listed_members AS m ON r.tenant_id = m.tenant_id AND r.member_id = m.member_id
    INNER JOIN scope_groups AS s
        ON r.tenant_id = s.tenant_id AND r.app_id = s.app_id AND m.listed_group = s.listed_group
),

bounds AS (
    SELECT resource_no, TIMESTAMPTZ '-infinity' AS valid_from FROM hits
    UNION
    SELECT resource_no, valid_from FROM hits
    UNION
    SELECT resource_no, valid_to FROM hits WHERE valid_to < TIMESTAMPTZ 'infinity'
),

periods AS (
    SELECT
        resource_no,
        valid_from,
        lead(valid_from, 1, TIMESTAMPTZ 'infinity') OVER (PARTITION BY resource_no ORDER BY valid_from) AS valid_to
    FROM bounds
),

held AS (
    SELECT
        p.resource_no,
        p.valid_from,
        p.valid_to,
        list_sort(list_distinct(list(h.scope_id))) AS scope_ids
    FROM periods AS p
    LEFT JOIN hits AS h
        ON p.resource_no = h.resource_no AND p.valid_from >= h.valid_from AND p.valid_from < h.valid_to
    GROUP BY ALL
),

seen AS (
    SELECT
        r.tenant_id,
        r.app_id,
        r.resource_id,
        r.resource_name,
        r.resource_kind,
        coalesce(h.valid_from, TIMESTAMPTZ '-infinity') AS valid_from,
        coalesce(h.valid_to, TIMESTAMPTZ 'infinity') AS valid_to,
        r.resource_id IS NULL AND r.resource_name IS NULL AS is_null,
        len(r.ids) = 0 AS lacks_id,
        len(r.names) = 0 AND coalesce(r.resource_kind, 'user') = 'user' AS lacks_name,
        coalesce(h.scope_ids, []) AS scope_ids
    FROM event_resources AS r
    LEFT JOIN held AS h ON r.resource_no = h.resource_no
),

classes AS (
    SELECT *, row_number() OVER () AS class_id
    FROM (SELECT DISTINCT tenant_id, app_id, is_null, lacks_id, lacks_name, scope_ids FROM seen)
)

SELECT
    s.tenant_id,
    s.app_id,
    s.resource_id,
    s.resource_name,
    s.resource_kind,
    s.valid_from,
    s.valid_to,
    c.class_id,
    s.is_null,
    s.lacks_id,
    s.lacks_name,
    s.scope_ids
FROM seen AS s
INNER JOIN classes AS c
    ON
        s.tenant_id = c.tenant_id
        AND s.app_id = c.app_id
        AND s.is_null = c.is_null
        AND s.lacks_id = c.lacks_id
        AND s.lacks_name = c.lacks_name
        AND s.scope_ids = c.scope_ids

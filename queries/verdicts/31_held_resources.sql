/*---
table: held_resources
temporary: true
grain: one resource, one app of whose scopes some hold it, and one period in which these are the same scopes
columns:
  resource_no: row of event_resources
  app_no: row of registered_apps
  valid_from: start of the period
  valid_to: end of the period, exclusive
  scope_ids: the app's scopes that hold the resource in the period
  lacks: as in event_resources
---*/
WITH app_scopes AS (
    SELECT DISTINCT
        c.tenant_id,
        c.app_no,
        c.scope_id,
        v.resource_ids,
        v.resource_groups
    FROM candidates AS c
    INNER JOIN compared_versions AS v ON c.tenant_id = v.tenant_id AND c.scope_id = v.scope_id
    WHERE NOT c.covers_all
),

scope_entries AS (
    SELECT
        tenant_id,
        app_no,
        scope_id,
        unnest(resource_ids) AS entry
    FROM app_scopes
),

scope_groups AS (
    SELECT
        tenant_id,
        app_no,
        scope_id,
        unnest(resource_groups) AS listed_group
    FROM app_scopes
),

resource_entries AS (
    SELECT
        resource_no,
        tenant_id,
        unnest(ids || names) AS entry
    FROM event_resources
),

resource_ids AS (
    SELECT
        resource_no,
        tenant_id,
        unnest(ids) AS member_id
    FROM event_resources
),

hits AS (
    SELECT
        r.resource_no,
        s.app_no,
        s.scope_id,
        TIMESTAMPTZ '-infinity' AS valid_from,
        TIMESTAMPTZ 'infinity' AS valid_to
    FROM resource_entries AS r
    INNER JOIN scope_entries AS s ON r.tenant_id = s.tenant_id AND r.entry = s.entry
    UNION
    SELECT
        r.resource_no,
        s.app_no,
        s.scope_id,
        m.valid_from,
        m.valid_to
    FROM resource_ids AS r
    INNER JOIN listed_members AS m ON r.tenant_id = m.tenant_id AND r.member_id = m.member_id
    INNER JOIN scope_groups AS s ON m.tenant_id = s.tenant_id AND m.listed_group = s.listed_group
),

bounds AS (
    SELECT
        resource_no,
        app_no,
        valid_from
    FROM hits
    UNION
    SELECT
        resource_no,
        app_no,
        valid_to
    FROM hits
),

periods AS (
    SELECT
        resource_no,
        app_no,
        valid_from,
        lead(valid_from) OVER (PARTITION BY resource_no, app_no ORDER BY valid_from) AS valid_to
    FROM bounds
),

held AS (
    SELECT
        p.resource_no,
        p.app_no,
        p.valid_from,
        p.valid_to,
        list_sort(list_distinct(list(h.scope_id))) AS scope_ids
    FROM periods AS p
    INNER JOIN hits AS h
        ON
            p.resource_no = h.resource_no
            AND p.app_no = h.app_no
            AND p.valid_from >= h.valid_from
            AND p.valid_from < h.valid_to
    GROUP BY ALL
)

SELECT
    h.*,
    r.lacks
FROM held AS h
INNER JOIN event_resources AS r ON h.resource_no = r.resource_no

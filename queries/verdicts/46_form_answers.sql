/*---
table: form_answers
temporary: true
grain: one form of access and one period in which its answer stands still
columns:
  tenant_id: the form's tenant
  form_no: row of access_forms
  valid_from: start of the period; accesses without a readable time have a period of their own before year 1
  valid_to: end of the period, exclusive
  code: row of answer_codes
  app_no: row of registered_apps; null when the code says all
  place: place of the process that is within or nearest, as in candidates; null when the code says all
---*/
WITH own_apps AS (
    SELECT DISTINCT lower(app_id) AS app_id
    FROM first_party_apps
),

-- Service principals whose app id is on the shipped list but which are not known to be Microsoft's.
foreign_apps AS (
    SELECT DISTINCT
        s.tenant_id,
        lower(s.app_id) AS app_id
    FROM service_principals AS s
    SEMI JOIN own_apps AS o ON lower(s.app_id) = o.app_id
    ANTI JOIN microsoft_tenants AS m ON lower(s.owner_tenant_id) = lower(m.tenant_id)
),

forms AS (
    SELECT
        e.tenant_id,
        e.form_no,
        e.accesses,
        e.untimed,
        e.first_at,
        e.last_at,
        a.app_no,
        s.shape_no,
        r.resource_no,
        CASE r.lacks WHEN 'id' THEN 1 WHEN 'name' THEN 2 WHEN 'all' THEN 3 ELSE 0 END AS stranger_id,
        -- What holds whatever the time, and what holds where there is one.
        CASE
            WHEN e.workload IS NOT NULL AND w.workload IS NULL THEN -1
            WHEN e.succeeded = FALSE THEN -1
            WHEN o.app_id IS NOT NULL AND f.app_id IS NULL THEN -1
            WHEN t.tenant_id IS NOT NULL THEN -2
        END AS settled,
        CASE WHEN e.app_id IS NULL THEN -4 WHEN a.app_no IS NULL THEN -5 END AS unplaced
    FROM access_forms AS e
    LEFT JOIN (SELECT DISTINCT workload FROM policy_workloads) AS w ON e.workload = w.workload
    LEFT JOIN own_apps AS o ON e.app_id = o.app_id
    LEFT JOIN foreign_apps AS f ON e.tenant_id = f.tenant_id AND e.app_id = f.app_id
    LEFT JOIN (SELECT DISTINCT tenant_id FROM tenants WHERE is_evaluated = FALSE) AS t ON e.tenant_id = t.tenant_id
    LEFT JOIN registered_apps AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
    LEFT JOIN call_shapes AS s
        ON
            e.access_kind IS NOT DISTINCT FROM s.access_kind
            AND e.workload IS NOT DISTINCT FROM s.workload
            AND e.operation IS NOT DISTINCT FROM s.operation
            AND e.permissions IS NOT DISTINCT FROM s.permissions
    LEFT JOIN event_resources AS r
        ON
            e.tenant_id = r.tenant_id
            AND e.resource_id IS NOT DISTINCT FROM r.resource_id
            AND e.resource_name IS NOT DISTINCT FROM r.resource_name
            AND e.resource_kind IS NOT DISTINCT FROM r.resource_kind
),

compared AS (
    SELECT
        f.tenant_id,
        f.form_no,
        f.app_no,
        c.call_id,
        coalesce(h.class_id, f.stranger_id) AS class_id,
        greatest(c.valid_from, h.valid_from, TIMESTAMPTZ '0001-01-01 00:00:00+00') AS valid_from,
        least(c.valid_to, h.valid_to) AS valid_to
    FROM forms AS f
    INNER JOIN call_periods AS c
        ON
            f.app_no = c.app_no
            AND f.shape_no = c.shape_no
            AND f.first_at < c.valid_to
            AND f.last_at >= c.valid_from
    LEFT JOIN seen_resources AS h
        ON
            f.resource_no = h.resource_no
            AND f.app_no = h.app_no
            AND f.first_at < h.valid_to
            AND f.last_at >= h.valid_from
            AND c.valid_from < h.valid_to
            AND c.valid_to > h.valid_from
    WHERE f.settled IS NULL AND f.unplaced IS NULL
)

SELECT
    c.tenant_id,
    c.form_no,
    c.valid_from,
    c.valid_to,
    n.code,
    c.app_no,
    n.place
FROM compared AS c
LEFT JOIN answers AS n ON c.call_id = n.call_id AND c.class_id = n.class_id
UNION ALL
SELECT
    tenant_id,
    form_no,
    TIMESTAMPTZ '0001-01-01 00:00:00+00',
    TIMESTAMPTZ 'infinity',
    coalesce(settled, unplaced),
    NULL,
    NULL
FROM forms
WHERE (settled IS NOT NULL OR unplaced IS NOT NULL) AND untimed < accesses
UNION ALL
SELECT
    tenant_id,
    form_no,
    TIMESTAMPTZ '-infinity',
    TIMESTAMPTZ '0001-01-01 00:00:00+00',
    coalesce(settled, -3),
    NULL,
    NULL
FROM forms
WHERE untimed > 0

/*---
table: verdicts
grain: one access event, out of scope included
columns:
  tenant_id: the event's tenant
  feed: the event's feed
  event_id: the event's id
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the six dimensions; empty for within and out_of_scope
  record: the consent record that is within or nearest
  process: its process
  access: when, by which app, in which kind, on which workload, with which operation; copied from access_events, so that rules need not join millions of rows
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

settled AS (
    SELECT
        e.tenant_id,
        e.feed,
        e.event_id,
        struct_pack(
            occurred_at := e.occurred_at,
            app_id := e.app_id,
            access_kind := e.access_kind,
            workload := e.workload,
            operation := e.operation
        ) AS access,
        CASE
            WHEN e.workload IS NOT NULL AND w.workload IS NULL THEN -1
            WHEN e.succeeded = FALSE THEN -1
            WHEN o.app_id IS NOT NULL AND f.app_id IS NULL THEN -1
            WHEN t.tenant_id IS NOT NULL THEN -2
            WHEN e.occurred_at IS NULL THEN -3
            WHEN e.app_id IS NULL THEN -4
            WHEN a.app_no IS NULL THEN -5
            ELSE n.code
        END AS code,
        a.app_no,
        n.place
    FROM access_events AS e
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
    LEFT JOIN call_periods AS c
        ON
            a.app_no = c.app_no
            AND s.shape_no = c.shape_no
            AND e.occurred_at >= c.valid_from
            AND e.occurred_at < c.valid_to
    LEFT JOIN event_resources AS r
        ON
            e.tenant_id = r.tenant_id
            AND e.resource_id IS NOT DISTINCT FROM r.resource_id
            AND e.resource_name IS NOT DISTINCT FROM r.resource_name
            AND e.resource_kind IS NOT DISTINCT FROM r.resource_kind
    LEFT JOIN seen_resources AS h
        ON
            r.resource_no = h.resource_no
            AND a.app_no = h.app_no
            AND e.occurred_at >= h.valid_from
            AND e.occurred_at < h.valid_to
    LEFT JOIN answers AS n
        ON
            c.call_id = n.call_id
            AND n.class_id = coalesce(
                h.class_id, CASE r.lacks WHEN 'id' THEN 1 WHEN 'name' THEN 2 WHEN 'all' THEN 3 ELSE 0 END
            )
),

places AS (
    SELECT DISTINCT
        app_no,
        place,
        record,
        process
    FROM candidates
)

SELECT
    s.tenant_id,
    s.feed,
    s.event_id,
    coalesce(c.verdict, error('an access event has no verdict: register_segments has a gap')) AS verdict,
    c.reasons,
    p.record,
    p.process,
    s.access
FROM settled AS s
LEFT JOIN answer_codes AS c ON s.code = c.code
LEFT JOIN places AS p ON s.code >= 0 AND s.app_no = p.app_no AND s.place = p.place

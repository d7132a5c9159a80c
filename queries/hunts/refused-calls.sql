/*---
id: refused-calls
title: Calls that were refused
question: Which app tried what it may not do, how often, and did it succeed afterwards?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  since: {type: TIMESTAMPTZ, default: null, description: "only attempts from this time on (UTC)"}
  status: {type: BIGINT, default: null, description: "only this HTTP status, e.g. 403"}
columns: [tenant_id, app_id, app_name, endpoint, workload, operation, status_code, attempts, resources, addresses, first_at, last_at, succeeded_after, first_success_at]
---*/
WITH refused AS (
    SELECT
        tenant_id,
        app_id,
        max(app_name) AS app_name,
        endpoint,
        workload,
        operation,
        status_code,
        count(*) AS attempts,
        count(DISTINCT lower(coalesce(resource_id, resource_name))) AS resources,
        count(DISTINCT ip_address) AS addresses,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM access_events
    WHERE
        NOT succeeded
        AND ($app_id::VARCHAR IS NULL OR app_id = lower($app_id))
        AND ($since::TIMESTAMPTZ IS NULL OR occurred_at >= $since)
        AND ($status::BIGINT IS NULL OR status_code = $status)
    GROUP BY tenant_id, app_id, endpoint, workload, operation, status_code
),

allowed AS (
    SELECT r.tenant_id, r.app_id, r.endpoint, r.status_code, count(*) AS times, min(e.occurred_at) AS first_success_at
    FROM refused AS r
    INNER JOIN access_events AS e
        ON
            r.tenant_id = e.tenant_id AND r.app_id = e.app_id AND r.endpoint = e.endpoint
            AND e.succeeded AND e.occurred_at > r.first_at
    GROUP BY r.tenant_id, r.app_id, r.endpoint, r.status_code
)

SELECT
    r.tenant_id,
    r.app_id,
    r.app_name,
    r.endpoint,
    r.workload,
    r.operation,
    r.status_code,
    r.attempts,
    r.resources,
    r.addresses,
    r.first_at,
    r.last_at,
    coalesce(a.times, 0) AS succeeded_after,
    a.first_success_at
FROM refused AS r
LEFT JOIN allowed AS a
    ON
        r.tenant_id = a.tenant_id AND r.app_id = a.app_id AND r.endpoint = a.endpoint
        AND r.status_code IS NOT DISTINCT FROM a.status_code
ORDER BY r.attempts DESC, r.tenant_id, r.app_id, r.endpoint, r.status_code, r.workload, r.operation

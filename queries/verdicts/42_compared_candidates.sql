/*---
table: compared_candidates
temporary: true
grain: one row of call_periods and one resource scope
columns:
  call_id: row of call_periods
  scope_id: the resource scope
  covers_all: the scope holds every resource
  is_unobserved: the scope's groups are not known in full in this period
  nearness: >-
    the scope's nearest candidate before the resource is looked at, in one number, the smaller the nearer: from bit 40
    up 8 * mismatches + unknowns, from bit 12 the candidate's place, below that its answers (see answer_reasons)
---*/
WITH dimensions AS (
    SELECT
        c.call_id,
        c.tenant_id,
        c.judged_at,
        k.place,
        k.scope_id,
        k.covers_all,
        CASE k.period_reason
            WHEN 'before_start' THEN 1
            WHEN 'invalidated' THEN 2
            WHEN 'after_withdrawal' THEN 3
            WHEN 'after_expiry' THEN 4
            ELSE 0
        END AS period,
        CASE WHEN c.workload IS NULL THEN 2 WHEN c.workload = v.workload THEN 0 ELSE 1 END AS workload,
        CASE WHEN c.operation IS NULL THEN 2 WHEN list_contains(v.operations, c.operation) THEN 0 ELSE 1 END AS operation,
        CASE
            WHEN c.access_kind IS NULL THEN 2
            WHEN c.access_kind = 'application' AND len(v.application_names) > 0 THEN 0
            WHEN c.access_kind = 'delegated' AND len(v.delegated_names) > 0 THEN 0
            ELSE 1
        END AS access_kind,
        CASE
            WHEN c.permissions IS NULL THEN 0
            WHEN c.access_kind IS NULL AND list_has_any(v.permission_names, c.permissions) THEN 0
            WHEN c.access_kind = 'application' AND list_has_any(v.application_names, c.permissions) THEN 0
            WHEN c.access_kind = 'delegated' AND list_has_any(v.delegated_names, c.permissions) THEN 0
            ELSE 1
        END AS permission
    FROM call_periods AS c
    INNER JOIN candidates AS k
        ON
            c.tenant_id = k.tenant_id
            AND c.app_id = k.app_id
            AND c.judged_at >= k.valid_from
            AND c.judged_at < k.valid_to
    INNER JOIN compared_versions AS v
        ON k.tenant_id = v.tenant_id AND k.record = v.record AND k.process = v.process AND k.version = v.version
    WHERE c.step = 'candidates'
),

-- All candidates of one scope get the same answer about the resource, so the nearest stays the nearest.
nearest AS (
    SELECT
        call_id,
        tenant_id,
        judged_at,
        scope_id,
        covers_all,
        min(
            (
                8 * ((period > 0)::BIGINT + (workload = 1)::BIGINT + (operation = 1)::BIGINT
                    + (access_kind = 1)::BIGINT + permission)
                + (workload = 2)::BIGINT + (operation = 2)::BIGINT + (access_kind = 2)::BIGINT
            ) * 1099511627776
            + place * 4096
            + period * 512 + workload * 128 + operation * 32 + access_kind * 8 + permission * 4
        ) AS nearness
    FROM dimensions
    GROUP BY ALL
)

SELECT
    n.call_id,
    n.scope_id,
    n.covers_all,
    EXISTS (
        SELECT 1
        FROM unobserved_scopes AS u
        WHERE u.tenant_id = n.tenant_id AND u.scope_id = n.scope_id
            AND u.valid_from <= n.judged_at AND u.valid_to > n.judged_at
    ) AS is_unobserved,
    n.nearness
FROM nearest AS n

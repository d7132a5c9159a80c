/*---
table: compared_candidates
temporary: true
grain: one row of call_periods and one resource scope
columns:
  call_id: row of call_periods
  app_no: as in call_periods
  scope_id: the resource scope
  covers_all: the scope holds every resource
  is_unobserved: the scope's groups are not known in full in this period
  nearness: >-
    the scope's nearest candidate before the resource is looked at, in one number, the smaller the nearer: from bit 40
    up 8 * mismatches + unknowns, from bit 12 the candidate's place, below that the code of answer_codes
---*/
WITH compared AS (
    SELECT
        c.call_id,
        c.app_no,
        c.judged_at,
        s.access_kind,
        s.workload,
        s.operation,
        s.permissions,
        k.tenant_id,
        k.place,
        k.period_reason,
        k.scope_id,
        k.covers_all,
        v.workload AS process_workload,
        v.operations,
        CASE s.access_kind
            WHEN 'application' THEN v.application_names
            WHEN 'delegated' THEN v.delegated_names
        END AS names_of_kind,
        v.permission_names
    FROM call_periods AS c
    INNER JOIN call_shapes AS s ON c.shape_no = s.shape_no
    INNER JOIN candidates AS k
        ON c.app_no = k.app_no AND c.judged_at >= k.valid_from AND c.judged_at < k.valid_to
    INNER JOIN compared_versions AS v
        ON k.tenant_id = v.tenant_id AND k.record = v.record AND k.process = v.process AND k.version = v.version
),

-- 0 match, 1 mismatch (the period: which), 2 unknown
dimensions AS (
    SELECT
        call_id,
        app_no,
        judged_at,
        tenant_id,
        place,
        scope_id,
        covers_all,
        CASE period_reason
            WHEN 'before_start' THEN 1
            WHEN 'invalidated' THEN 2
            WHEN 'after_withdrawal' THEN 3
            WHEN 'after_expiry' THEN 4
            ELSE 0
        END AS period,
        CASE WHEN workload IS NULL THEN 2 WHEN workload = process_workload THEN 0 ELSE 1 END AS workload,
        CASE WHEN operation IS NULL THEN 2 WHEN list_contains(operations, operation) THEN 0 ELSE 1 END AS operation,
        CASE WHEN access_kind IS NULL THEN 2 WHEN len(names_of_kind) > 0 THEN 0 ELSE 1 END AS access_kind,
        CASE
            WHEN permissions IS NULL THEN 0
            WHEN access_kind IS NULL AND list_has_any(permission_names, permissions) THEN 0
            WHEN access_kind IS NOT NULL AND list_has_any(names_of_kind, permissions) THEN 0
            ELSE 1
        END AS permission
    FROM compared
),

-- All candidates of one scope get the same answer about the resource, so the nearest stays the nearest.
nearest AS (
    SELECT
        call_id,
        app_no,
        judged_at,
        tenant_id,
        scope_id,
        covers_all,
        min(
            (
                8 * (
                    (period > 0)::BIGINT + (workload = 1)::BIGINT + (operation = 1)::BIGINT
                    + (access_kind = 1)::BIGINT + permission
                )
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
    n.app_no,
    n.scope_id,
    n.covers_all,
    exists(
        SELECT 1
        FROM unobserved_scopes AS u
        WHERE
            u.tenant_id = n.tenant_id
            AND u.scope_id = n.scope_id
            AND u.valid_from <= n.judged_at
            AND u.valid_to > n.judged_at
    ) AS is_unobserved,
    n.nearness
FROM nearest AS n

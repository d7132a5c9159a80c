/*---
table: compared_candidates
temporary: true
grain: one row of call_periods and one resource scope, with the scope's nearest candidate before the resource is looked at
columns:
  call_id: row of call_periods
  scope_id: the resource scope
  covers_all: the scope holds every resource
  distance: "8 * mismatches + unknowns, then the candidate's place: the smaller, the nearer"
  record: the candidate's record
  process: the candidate's process
  mismatches: its mismatch reasons, in the order of the dimensions
  unknowns: its unknown dimensions, likewise
  is_unobserved: the scope's groups are not known in full in this period
---*/
WITH
-- All candidates of one scope get the same answer about the resource, so the nearest stays the nearest.
dimensions AS (
    SELECT
        c.call_id,
        c.tenant_id,
        c.judged_at,
        k.record,
        k.process,
        k.place,
        k.scope_id,
        k.covers_all,
        list_filter([
            k.period_reason,
            CASE WHEN c.workload <> v.workload THEN 'workload' END,
            CASE WHEN NOT list_contains(v.operations, c.operation) THEN 'operation' END,
            CASE
                WHEN c.access_kind = 'application' AND len(v.application_names) > 0 THEN NULL
                WHEN c.access_kind = 'delegated' AND len(v.delegated_names) > 0 THEN NULL
                WHEN c.access_kind IS NOT NULL THEN 'access_kind'
            END,
            CASE
                WHEN c.permissions IS NULL THEN NULL
                WHEN c.access_kind IS NULL AND list_has_any(v.permission_names, c.permissions) THEN NULL
                WHEN c.access_kind = 'application' AND list_has_any(v.application_names, c.permissions) THEN NULL
                WHEN c.access_kind = 'delegated' AND list_has_any(v.delegated_names, c.permissions) THEN NULL
                ELSE 'permission'
            END
        ], lambda reason: reason IS NOT NULL) AS mismatches,
        list_filter([
            CASE WHEN c.workload IS NULL THEN 'workload_unknown' END,
            CASE WHEN c.operation IS NULL THEN 'operation_unknown' END,
            CASE WHEN c.access_kind IS NULL THEN 'access_kind_unknown' END
        ], lambda reason: reason IS NOT NULL) AS unknowns
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

measured AS (
    SELECT *, (8 * len(mismatches) + len(unknowns)) * 4294967296 + place AS distance
    FROM dimensions
),

nearest AS (
    SELECT
        call_id,
        tenant_id,
        judged_at,
        scope_id,
        covers_all,
        min(distance) AS distance,
        arg_min(
            struct_pack(record := record, process := process, mismatches := mismatches, unknowns := unknowns),
            distance
        ) AS candidate
    FROM measured
    GROUP BY ALL
)

SELECT
    n.call_id,
    n.scope_id,
    n.covers_all,
    n.distance,
    n.candidate.record,
    n.candidate.process,
    n.candidate.mismatches,
    n.candidate.unknowns,
    EXISTS (
        SELECT 1
        FROM unobserved_scopes AS u
        WHERE u.tenant_id = n.tenant_id AND u.scope_id = n.scope_id
            AND u.valid_from <= n.judged_at AND u.valid_to > n.judged_at
    ) AS is_unobserved
FROM nearest AS n

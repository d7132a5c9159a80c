/*---
id: used-without-grant
version: 2
severity: medium
title: "{app_id} did {operation} on {workload} without a grant for it ({access_kind})"
question: Which apps used what was agreed to although Microsoft shows no grant that allows it?
identity: [app_id, access_kind, workload, operation]
needs: [graph_activity, app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  Recorded accesses for which the app holds none of the permissions that would allow the call, in the kind it was made
  with: neither now nor at the time of the call. The reason says whether a grant had ended, or is of the other kind.
misses: >
  Accesses without a list of allowing permissions (audit records) or of unknown kind; those that a grant inside one team or
  chat may allow, where these were not read. A grant given and removed between two observations. Whether a delegated grant
  was for this very person, one of a team for this very team. Roles inside Exchange that were not read look like no grant.
advice: >
  Look for a token that still lives (revoke the sessions), a role inside Exchange, or a grant that was removed and came
  back; then bring the record and the grant together.
control: [C07-6]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 5(2)", "Policy §7"]
---*/
WITH observed AS (
    SELECT DISTINCT
        tenant_id,
        CASE feed WHEN 'app_role_assignments' THEN 'application' ELSE 'delegated' END AS kind
    FROM coverage
    WHERE feed IN ('app_role_assignments', 'delegated_permission_grants') AND state <> 'gap'
),
recorded_calls AS (
    SELECT
        v.tenant_id,
        v.feed,
        v.event_id,
        v.occurred_at,
        v.app_id,
        v.access_kind,
        v.workload,
        v.operation,
        v.permissions,
        v.record,
        v.process
    FROM judged_accesses AS v
    INNER JOIN observed AS o ON v.tenant_id = o.tenant_id AND v.access_kind = o.kind
    WHERE
        (v.verdict = 'within' OR (v.verdict = 'not_assessable' AND v.record IS NOT NULL))
        AND len(v.permissions) > 0
        -- Names that end so are given inside one team or chat.
        AND (
            v.tenant_id IN (SELECT c.tenant_id FROM coverage AS c WHERE c.feed = 'rsc_grants' AND c.state <> 'gap')
            OR NOT list_bool_or(list_transform(v.permissions, LAMBDA p: regexp_matches(p, '\.(Group|Chat)$')))
        )
),
call_kinds AS (
    -- One row for every way of calling, so that grants are compared a few times and not once for every call.
    SELECT DISTINCT
        tenant_id,
        app_id,
        access_kind,
        workload,
        operation,
        permissions,
        list_transform(permissions, LAMBDA p: lower(p)) AS names
    FROM recorded_calls
),
allowing AS (
    SELECT c.tenant_id, c.app_id, c.access_kind, c.workload, c.operation, c.permissions, g.kind, g.permission, g.is_current,
        g.last_seen_at
    FROM call_kinds AS c
    INNER JOIN grants AS g
        ON
            c.tenant_id = g.tenant_id AND c.app_id = g.app_id
            AND (list_contains(c.names, lower(g.permission)) OR g.permission IS NULL)
    UNION
    -- What a role of Exchange allows, it allows beside Microsoft's list.
    SELECT c.tenant_id, c.app_id, c.access_kind, c.workload, c.operation, c.permissions, g.kind, g.permission, g.is_current,
        g.last_seen_at
    FROM call_kinds AS c
    INNER JOIN grants AS g
        ON c.tenant_id = g.tenant_id AND c.app_id = g.app_id AND g.source = 'exchange_rbac'
    INNER JOIN permission_reach AS r
        ON
            r.resource_app_id = g.resource_app_id AND lower(r.permission) = lower(g.permission) AND r.kind = g.kind
            AND r.workload = c.workload AND list_contains(r.operations, c.operation)
),
held AS (
    SELECT
        c.tenant_id,
        c.app_id,
        c.access_kind,
        c.workload,
        c.operation,
        c.permissions,
        -- A permission whose name is not known may be the one.
        coalesce(bool_or(g.kind = c.access_kind AND (g.is_current OR g.permission IS NULL)), FALSE) AS is_held,
        max(g.last_seen_at) FILTER (WHERE g.kind = c.access_kind) AS held_until,
        coalesce(bool_or(g.kind <> c.access_kind AND g.is_current), FALSE) AS is_other_kind
    FROM call_kinds AS c
    LEFT JOIN allowing AS g
        ON
            c.tenant_id = g.tenant_id AND c.app_id = g.app_id
            AND c.access_kind = g.access_kind AND c.permissions = g.permissions
            AND c.workload IS NOT DISTINCT FROM g.workload AND c.operation IS NOT DISTINCT FROM g.operation
    GROUP BY c.tenant_id, c.app_id, c.access_kind, c.workload, c.operation, c.permissions
)
SELECT
    c.tenant_id,
    c.app_id,
    c.access_kind,
    c.workload,
    c.operation,
    c.feed,
    c.event_id,
    c.occurred_at,
    [
        CASE
            WHEN h.held_until IS NOT NULL THEN 'grant_ended'
            WHEN h.is_other_kind THEN 'grant_of_other_kind'
            ELSE 'no_grant'
        END
    ] AS reasons,
    c.record,
    c.process
FROM recorded_calls AS c
INNER JOIN held AS h
    ON
        c.tenant_id = h.tenant_id AND c.app_id = h.app_id
        AND c.access_kind = h.access_kind AND c.permissions = h.permissions
        AND c.workload IS NOT DISTINCT FROM h.workload AND c.operation IS NOT DISTINCT FROM h.operation
WHERE NOT h.is_held AND coalesce(c.occurred_at > h.held_until, TRUE)

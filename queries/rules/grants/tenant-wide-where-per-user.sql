/*---
id: tenant-wide-where-per-user
version: 2
severity: high
title: "{app_id} holds {permission} for all users, {record}/{process} agrees to some"
question: Which apps may act for everybody although we agreed to some people only?
identity: [app_id, resource_app_id, permission, record, process]
needs: [delegated_permission_grants]
needs_register: true
evidence: >
  A current delegated grant of a recorded permission that is held for all users (or of which nobody knows for whom), where
  the recorded process that lists it was limited to named people or groups when the grant was last seen, and no other
  process in force lists the permission for everything.
misses: >
  Application permissions: they reach every mailbox unless Exchange limits them, and no listing shows that limit. Whether an
  app that may act for everybody has done so: used-not-recorded says that. Users to whom the app was not assigned.
advice: >
  Take back the tenant-wide grant and let the agreed people in one by one, or require assignment; else amend the record.
control: [C12-4]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §5"]
---*/
WITH wide AS (
    SELECT g.tenant_id, g.app_id, g.resource_app_id, g.permission, g.grant_id, g.granted_for, g.first_seen_at, g.last_seen_at
    FROM grants AS g
    WHERE
        g.is_current AND g.kind = 'delegated' AND g.source IS DISTINCT FROM 'rsc' AND (g.granted_for IS NULL OR g.granted_for = 'all_users')
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
        )
),
agreed AS (
    -- The record is asked about the moment at which the grant was last seen.
    SELECT
        w.tenant_id,
        w.app_id,
        w.resource_app_id,
        w.permission,
        w.grant_id,
        w.granted_for,
        w.first_seen_at,
        w.last_seen_at,
        s.record,
        s.process,
        v.covers_all,
        s.valid_from
    FROM wide AS w
    INNER JOIN register_apps AS a ON w.tenant_id = a.tenant_id AND w.app_id = a.app_id
    INNER JOIN register_segments AS s
        ON
            a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
            AND coalesce(w.last_seen_at >= s.valid_from, TRUE) AND coalesce(w.last_seen_at < s.valid_to, TRUE)
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
    WHERE list_contains(
        list_transform(v.permissions, LAMBDA p: lower(p.name) || '/' || p.kind), lower(w.permission) || '/delegated'
    )
)
SELECT
    g.tenant_id,
    g.app_id,
    g.resource_app_id,
    g.permission,
    'delegated_permission_grants' AS feed,
    g.grant_id AS event_id,
    greatest(g.first_seen_at, g.valid_from) AS occurred_at,
    g.last_seen_at,
    [CASE WHEN g.granted_for IS NULL THEN 'granted_for_unknown' ELSE 'all_users' END] AS reasons,
    g.record,
    g.process
FROM agreed AS g
-- A permission that one process lists for everything is agreed to for everything.
WHERE NOT EXISTS (
    SELECT 1 FROM agreed AS o
    WHERE o.tenant_id = g.tenant_id AND o.grant_id = g.grant_id AND o.covers_all
)

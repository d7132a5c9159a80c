/*---
id: granted-not-recorded
version: 2
severity: medium
title: "{app_id} holds {permission} ({kind}), which no record agrees to"
question: Which apps may reach mail, calendars, chats or calls although nobody agreed to it?
identity: [app_id, resource_app_id, permission, kind]
needs: [app_role_assignments, delegated_permission_grants, rsc_grants, exchange_role_assignments]
needs_register: true
evidence: >
  A current grant (in Entra, inside one team or chat, or inside Exchange) to an app that is not Microsoft's, of a permission that reaches an audited workload (or whose name could
  not be found out), which no recorded process in force when the grant was last seen lists.
misses: >
  Teams and chats that were not asked for their grants, and permissions the catalogue does not know by name. Names are
  compared exactly: a record of Mail.ReadWrite does not agree to Mail.Read, nor one of Mail.Read to a role inside Exchange
  (Application Mail.Read). The API a record names is not compared.
advice: >
  Remove the permission if the app works without it; else record the process that needs it.
control: [C12-2]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §5"]
---*/
WITH reach AS (
    SELECT DISTINCT resource_app_id, lower(permission) AS permission, kind
    FROM permission_reach
    WHERE workload IN (SELECT p.workload FROM policy_workloads AS p)
),
held AS (
    SELECT
        g.tenant_id,
        g.app_id,
        g.resource_app_id,
        g.permission,
        g.app_role_id,
        g.kind,
        g.grant_id,
        g.source,
        g.first_seen_at,
        g.last_seen_at
    FROM grants AS g
    WHERE
        g.is_current
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
        )
        AND (
            g.workload IN (SELECT p.workload FROM policy_workloads AS p)
            OR EXISTS (
                SELECT 1 FROM reach AS r
                WHERE
                    r.permission = lower(g.permission) AND r.kind = g.kind
                    AND coalesce(r.resource_app_id = g.resource_app_id, TRUE)
            )
            OR (
                -- A role of Graph or Exchange (or of an API that is not known) without a name may reach anything;
                -- only the default access, all zeros, is known to allow nothing.
                g.permission IS NULL
                AND coalesce(g.app_role_id <> '00000000-0000-0000-0000-000000000000', TRUE)
                AND coalesce(
                    g.resource_app_id IN (
                        '00000003-0000-0000-c000-000000000000', '00000002-0000-0ff1-ce00-000000000000'
                    ),
                    TRUE
                )
            )
        )
),
declared AS (
    SELECT
        a.tenant_id,
        a.app_id,
        s.record,
        s.process,
        lower(u.permission.name) AS permission,
        u.permission.kind,
        s.valid_from,
        s.valid_to,
        s.period_reason
    FROM register_apps AS a
    INNER JOIN register_segments AS s ON a.tenant_id = s.tenant_id AND a.record = s.record
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
    CROSS JOIN unnest(v.permissions) AS u (permission)
),
compared AS (
    -- The record is asked about the moment at which the grant was last seen.
    SELECT
        h.tenant_id,
        h.app_id,
        h.resource_app_id,
        h.permission,
        h.app_role_id,
        h.kind,
        h.grant_id,
        h.source,
        h.first_seen_at,
        h.last_seen_at,
        count(d.record) AS processes,
        coalesce(bool_or(d.period_reason IS NULL) FILTER (WHERE d.record IS NOT NULL), FALSE) AS is_active,
        coalesce(bool_or(d.period_reason <> 'before_start'), FALSE) AS has_ended,
        min(d.record) AS record,
        min(d.process) AS process
    FROM held AS h
    LEFT JOIN declared AS d
        ON
            h.tenant_id = d.tenant_id AND h.app_id = d.app_id
            AND lower(h.permission) = d.permission AND h.kind = d.kind
            AND coalesce(h.last_seen_at >= d.valid_from, TRUE) AND coalesce(h.last_seen_at < d.valid_to, TRUE)
    GROUP BY ALL
)
SELECT
    c.tenant_id,
    c.app_id,
    c.resource_app_id,
    coalesce(c.permission, c.app_role_id, 'unknown') AS permission,
    c.kind,
    CASE c.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE c.source
    END AS feed,
    c.grant_id AS event_id,
    c.first_seen_at AS occurred_at,
    c.last_seen_at,
    [
        CASE
            WHEN c.app_id IS NULL THEN 'app_unknown'
            WHEN c.permission IS NULL THEN 'permission_unresolved'
            WHEN c.processes > 0 THEN 'before_start'
            WHEN r.app_id IS NULL THEN 'no_record'
            ELSE 'permission'
        END
    ] AS reasons,
    c.record,
    c.process
FROM compared AS c
LEFT JOIN (SELECT DISTINCT tenant_id, app_id FROM register_apps) AS r
    ON c.tenant_id = r.tenant_id AND c.app_id = r.app_id
-- A grant that outlived its process is granted-after-end.
WHERE NOT c.is_active AND NOT c.has_ended

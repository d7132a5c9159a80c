/*---
id: granted-after-end
version: 2
severity: high
title: "{app_id} still holds {permission} ({kind}) after the agreement ended"
question: Which permissions were left behind when an agreement ended?
identity: [app_id, resource_app_id, permission, kind]
needs: [app_role_assignments, delegated_permission_grants, rsc_grants, exchange_role_assignments]
needs_register: true
evidence: >
  A current grant of a permission that a recorded process listed, where every process that lists it had been withdrawn,
  had run out or was declared invalid when the grant was last seen.
misses: >
  Teams and chats that were not asked for their grants. A permission that a newer version of a process no
  longer lists is granted-not-recorded.
advice: >
  Remove the grant; where people granted it themselves, remove every one of them. Then look at used-after-end.
control: [C12-6, C08-3, C09-7]
references: ["GDPR Art. 7(3)", "GDPR Art. 28(3)(a)", "GDPR Art. 32(1)(b)", "Policy §4"]
---*/
WITH declared AS (
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
    SELECT
        g.tenant_id,
        g.app_id,
        g.resource_app_id,
        g.permission,
        g.kind,
        g.grant_id,
        g.source,
        g.last_seen_at,
        g.first_seen_at,
        bool_or(d.period_reason IS NULL) AS is_active,
        min(d.valid_from) FILTER (WHERE d.period_reason <> 'before_start') AS ended_at,
        list_sort(
            list(DISTINCT d.period_reason) FILTER (WHERE d.period_reason <> 'before_start')
        ) AS reasons,
        min(d.record) FILTER (WHERE d.period_reason <> 'before_start') AS record,
        first(d.process ORDER BY d.record, d.process) FILTER (WHERE d.period_reason <> 'before_start') AS process
    FROM grants AS g
    INNER JOIN declared AS d
        ON
            g.tenant_id = d.tenant_id AND g.app_id = d.app_id
            AND lower(g.permission) = d.permission AND g.kind = d.kind
            AND coalesce(g.last_seen_at >= d.valid_from, TRUE) AND coalesce(g.last_seen_at < d.valid_to, TRUE)
    WHERE
        g.is_current
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
        )
    GROUP BY ALL
)
SELECT
    c.tenant_id,
    c.app_id,
    c.resource_app_id,
    c.permission,
    c.kind,
    CASE c.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE c.source
    END AS feed,
    c.grant_id AS event_id,
    -- From the later of the two on, the grant had no agreement.
    greatest(c.first_seen_at, c.ended_at) AS occurred_at,
    c.last_seen_at,
    c.reasons,
    c.record,
    c.process
FROM compared AS c
WHERE NOT c.is_active AND len(c.reasons) > 0

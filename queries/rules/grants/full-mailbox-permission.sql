/*---
id: full-mailbox-permission
version: 2
severity: high
title: "{app_id} may open whole mailboxes by {permission} ({kind}), unrecorded"
question: Which apps may open whole mailboxes although no agreement names that right?
identity: [app_id, resource_app_id, permission, kind]
needs: [app_role_assignments, delegated_permission_grants, exchange_role_assignments]
needs_register: true
evidence: >
  A current grant, to an app that is not Microsoft's, of a permission on the dated list of those that open mailboxes whole
  or by a door without a log of calls (full_access_as_app, EWS, IMAP, POP, SMTP, Exchange administration, and application
  permissions such as Mail.ReadWrite; a role inside Exchange where it has no scope), which no recorded process of the app in force when the grant was last seen names
  exactly. It is the gravest part of granted-not-recorded.
misses: >
  Permissions that are not on the list, and those whose name is not known (granted-not-recorded). An application access
  policy, by which Exchange limits an app, is not seen; a role within a scope is left to granted-not-recorded.
advice: >
  Take the permission back today, or replace it by one for single mailboxes (RBAC for Applications); then record what is
  left. Ask the processor what it read through it: IMAP, POP and EWS show in no log of calls.
control: [C12-2, C07-6, C12-9]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §5"]
---*/
WITH held AS (
    SELECT
        g.tenant_id,
        g.app_id,
        g.resource_app_id,
        g.permission,
        g.kind,
        g.grant_id,
        g.source,
        g.first_seen_at,
        g.last_seen_at
    FROM grants AS g
    WHERE
        g.is_current
        AND (g.source <> 'exchange_rbac' OR g.granted_for IS NULL)
        AND EXISTS (
            SELECT 1 FROM full_mailbox_permissions AS f
            WHERE
                lower(f.permission) = lower(g.permission) AND f.kind = g.kind
                -- An API that is not known is not known to be another one.
                AND coalesce(f.resource_app_id = g.resource_app_id, TRUE)
        )
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
        )
),
named AS (
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
)
SELECT
    h.tenant_id,
    h.app_id,
    h.resource_app_id,
    h.permission,
    h.kind,
    CASE h.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE h.source
    END AS feed,
    h.grant_id AS event_id,
    h.first_seen_at AS occurred_at,
    h.last_seen_at,
    [CASE WHEN h.app_id IS NULL THEN 'app_unknown' WHEN r.app_id IS NULL THEN 'no_record' ELSE 'permission' END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM held AS h
LEFT JOIN (SELECT DISTINCT tenant_id, app_id FROM register_apps) AS r
    ON h.tenant_id = r.tenant_id AND h.app_id = r.app_id
WHERE NOT EXISTS (
    -- Named and in force; or it was and has ended: that is granted-after-end.
    SELECT 1 FROM named AS n
    WHERE
        n.tenant_id = h.tenant_id AND n.app_id = h.app_id
        AND n.permission = lower(h.permission) AND n.kind = h.kind
        AND coalesce(h.last_seen_at >= n.valid_from, TRUE) AND coalesce(h.last_seen_at < n.valid_to, TRUE)
        AND n.period_reason IS DISTINCT FROM 'before_start'
)

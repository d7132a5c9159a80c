/*---
id: auditor-holds-too-much
version: 1
severity: high
title: "The auditor itself holds {permission}"
question: Could the auditor read our people's data, or change anything?
identity: [app_id, permission]
needs: [app_role_assignments, delegated_permission_grants, exchange_role_assignments]
needs_collection: true
evidence: >
  Permissions in the auditor's newest token, and current grants to its application, that open mail, calendars, contacts,
  chats, meetings, files or notes, or whose name is not that of a permission to read (table auditor_permissions). One piece of evidence for the token
  and for each grant.
misses: >
  Roles in the directory and in Azure that were given to the auditor's service principal. What people with the same
  credential do elsewhere.
advice: >
  Take the permission back; `m365audit doctor` lists the few that the auditor needs. Find out who gave it, and when.
control: [C07-6]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §7"]
---*/
WITH held AS (
    SELECT
        a.tenant_id,
        a.app_id,
        split_part(u.permission, '/', -1) AS permission,
        'collector' AS feed,
        coalesce(a.app_id, 'auditor') AS event_id,
        a.signed_in_at AS occurred_at,
        a.signed_in_at AS last_seen_at,
        'token' AS reason
    FROM auditor AS a
    -- Names without a full stop (openid, profile) say who somebody is, and open nothing.
    CROSS JOIN unnest(list_concat(a.permissions, list_filter(a.scopes, LAMBDA s: contains(s, '.')))) AS u (permission)
    UNION ALL
    SELECT
        g.tenant_id,
        g.app_id,
        coalesce(g.permission, g.app_role_id, 'unknown') AS permission,
        CASE g.source
            WHEN 'app_role_assignment' THEN 'app_role_assignments'
            WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
            WHEN 'rsc' THEN 'rsc_grants'
            WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
            ELSE g.source
        END AS feed,
        g.grant_id AS event_id,
        g.first_seen_at AS occurred_at,
        g.last_seen_at,
        'grant' AS reason
    FROM grants AS g
    INNER JOIN auditor AS a ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
    WHERE g.is_current AND coalesce(contains(g.permission, '.') OR g.source = 'exchange_rbac', TRUE)
)
SELECT
    h.tenant_id,
    h.app_id,
    h.permission,
    h.feed,
    h.event_id,
    h.occurred_at,
    h.last_seen_at,
    [h.reason] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM held AS h
WHERE
    -- Of names that Microsoft invents later, nobody knows: only what is named as reading counts as reading.
    NOT EXISTS (
        SELECT 1 FROM auditor_permissions AS p
        WHERE p.what = 'reading' AND regexp_full_match(h.permission, p.name_part)
    )
    OR EXISTS (
        SELECT 1 FROM auditor_permissions AS p WHERE p.what = 'role' AND starts_with(h.permission, p.name_part)
    )
    -- What may be held although a shorter beginning may not has a longer beginning of its own.
    OR EXISTS (
        SELECT 1 FROM auditor_permissions AS p
        WHERE p.what = 'name' AND starts_with(h.permission, p.name_part)
        HAVING arg_max(p.opens, len(p.name_part)) <> ''
    )

/*---
table: grant_events
temporary: true
grain: one row per audited grant or removal of one permission; attempts that did not succeed are none
columns:
  tenant_id: tenant
  event_id: the audit record's own id
  ordinal: grant inside the record, from 1
  occurred_at: event time
  is_removal: the permission was taken away
  app_id: the client's application id
  sp_id: the client's service principal
  resource_app_id: the API's application id, where known
  resource_sp_id: the API's service principal, where known
  permission: permission name; NULL when only the role's id is known
  kind: application or delegated
  granted_for: all_users or one_user; NULL for application permissions, or when not written
  principal_id: the user, for one_user
  app_role_id: id of the app role, where known
---*/
WITH succeeded AS (
    SELECT c.*, f.said, f.said_before, starts_with(lower(c.activity), 'remove') AS is_removal
    FROM directory_changes AS c
    INNER JOIN audit_facts AS f ON c.tenant_id = f.tenant_id AND c.feed = f.feed AND c.event_id = f.event_id
    WHERE c.result = 'success' AND c.kind IS NOT NULL
),

scopes AS (
    SELECT
        *,
        list_filter(
            list_distinct(string_split_regex(said_before['delegatedpermissiongrant.scope'], '\s+')), LAMBDA s: s <> ''
        ) AS permissions_before
    FROM succeeded
    WHERE kind = 'delegated' AND lower(activity) <> 'consent to application'
),

told AS (
    SELECT
        tenant_id, event_id, 1 AS ordinal, occurred_at, is_removal, app_id, sp_id, resource_app_id, resource_sp_id,
        permissions[1] AS permission, kind, NULL AS granted_for, NULL AS principal_id,
        lower(said['approle.id']) AS app_role_id
    FROM succeeded
    WHERE kind = 'application' AND len(permissions) = 1
    UNION ALL
    SELECT
        tenant_id, event_id, 1, occurred_at, is_removal, app_id, sp_id, resource_app_id, resource_sp_id,
        unnest(permissions), kind, scope_for, CASE WHEN scope_for = 'one_user' THEN principal_id END, NULL
    FROM scopes
    UNION ALL
    -- A grant that was rewritten with fewer scopes.
    SELECT
        tenant_id, event_id, 1, occurred_at, TRUE, app_id, sp_id, resource_app_id, resource_sp_id,
        unnest(list_filter(permissions_before, LAMBDA s: NOT list_contains(permissions, s))), kind, scope_for,
        CASE WHEN scope_for = 'one_user' THEN principal_id END, NULL
    FROM scopes
    WHERE NOT is_removal
    UNION ALL
    SELECT
        c.tenant_id, c.event_id, g.ordinal, c.occurred_at, FALSE, c.app_id, coalesce(g.client_sp_id, c.sp_id), NULL,
        g.resource_sp_id, unnest(g.permissions), 'delegated', g.scope_for,
        CASE WHEN g.scope_for = 'one_user' THEN g.principal_id END, NULL
    FROM succeeded AS c
    INNER JOIN consented_grants AS g ON c.tenant_id = g.tenant_id AND c.feed = g.feed AND c.event_id = g.event_id
),

principals AS (
    SELECT tenant_id, app_id, min(sp_id) AS sp_id
    FROM service_principals
    WHERE app_id IS NOT NULL
    GROUP BY ALL
),

named AS (
    SELECT
        t.* EXCLUDE (sp_id, resource_app_id, resource_sp_id, permission),
        coalesce(t.sp_id, client.sp_id) AS sp_id,
        coalesce(t.resource_app_id, api.app_id) AS resource_app_id,
        coalesce(t.resource_sp_id, api_by_app.sp_id) AS resource_sp_id,
        -- A role that nothing names stands in the changes by its id.
        CASE WHEN coalesce(lower(t.permission) <> t.app_role_id, TRUE) THEN t.permission END AS permission
    FROM told AS t
    LEFT JOIN principals AS client ON t.tenant_id = client.tenant_id AND t.app_id = client.app_id
    LEFT JOIN principals AS api_by_app ON t.tenant_id = api_by_app.tenant_id AND t.resource_app_id = api_by_app.app_id
    LEFT JOIN service_principals AS api ON t.tenant_id = api.tenant_id AND t.resource_sp_id = api.sp_id
),

role_ids AS (
    SELECT tenant_id, resource_sp_id, lower(permission) AS permission, min(app_role_id) AS app_role_id
    FROM app_roles
    GROUP BY ALL
),

known_ids AS (
    SELECT resource_app_id, lower(permission) AS permission, min(permission_id) AS app_role_id
    FROM permission_ids
    WHERE kind = 'application'
    GROUP BY ALL
)

SELECT
    n.tenant_id,
    n.event_id,
    n.ordinal,
    n.occurred_at,
    n.is_removal,
    n.app_id,
    n.sp_id,
    n.resource_app_id,
    n.resource_sp_id,
    n.permission,
    n.kind,
    n.granted_for,
    n.principal_id,
    CASE WHEN n.kind = 'application' THEN coalesce(n.app_role_id, declared.app_role_id, known.app_role_id) END AS app_role_id
FROM named AS n
LEFT JOIN role_ids AS declared
    ON
        n.tenant_id = declared.tenant_id
        AND n.resource_sp_id = declared.resource_sp_id
        AND lower(n.permission) = declared.permission
LEFT JOIN known_ids AS known ON n.resource_app_id = known.resource_app_id AND lower(n.permission) = known.permission

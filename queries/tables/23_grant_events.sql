/*---
table: grant_events
temporary: true
grain: one row per audited grant or removal of one permission; failed attempts are none
columns:
  tenant_id: tenant
  event_id: the audit record's own id
  occurred_at: event time
  is_removal: the permission was taken away
  app_id: the client's application id
  sp_id: the client's service principal
  resource_app_id: the API's application id, where known
  resource_sp_id: the API's service principal, where known
  permission: permission name
  kind: application or delegated
  granted_for: all_users or one_user; NULL for application permissions
  principal_id: the user, for one_user
  app_role_id: id of the app role, where written
---*/
WITH succeeded AS (
    SELECT *
    FROM directory_changes
    WHERE result IN ('success', 'succeeded', 'true') AND len(permissions) > 0
)

SELECT
    c.tenant_id,
    c.event_id,
    c.occurred_at,
    starts_with(lower(c.activity), 'remove') AS is_removal,
    coalesce(c.app_id, client.app_id) AS app_id,
    coalesce(c.sp_id, client_by_app.sp_id) AS sp_id,
    coalesce(api.app_id, c.resource_app_id) AS resource_app_id,
    c.resource_sp_id,
    p.permission,
    c.kind,
    CASE WHEN c.kind = 'delegated' THEN coalesce(c.scope_for, CASE WHEN c.principal_id IS NOT NULL THEN 'one_user' END) END
        AS granted_for,
    CASE WHEN c.scope_for IS DISTINCT FROM 'all_users' THEN c.principal_id END AS principal_id,
    CASE WHEN c.kind = 'application' THEN lower(r.app_role_id) END AS app_role_id
FROM succeeded AS c
CROSS JOIN unnest(c.permissions) AS p (permission)
LEFT JOIN service_principals AS client ON c.tenant_id = client.tenant_id AND c.sp_id = client.sp_id
LEFT JOIN (
    SELECT tenant_id, app_id, min(sp_id) AS sp_id FROM service_principals GROUP BY ALL
) AS client_by_app ON c.tenant_id = client_by_app.tenant_id AND c.app_id = client_by_app.app_id
LEFT JOIN service_principals AS api ON c.tenant_id = api.tenant_id AND c.resource_sp_id = api.sp_id
LEFT JOIN app_roles AS r
    ON c.tenant_id = r.tenant_id AND c.resource_sp_id = r.resource_sp_id AND p.permission = r.permission
WHERE c.kind IS NOT NULL AND p.permission IS NOT NULL

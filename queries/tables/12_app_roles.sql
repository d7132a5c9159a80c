/*---
table: app_roles
temporary: true
grain: one row per app role that a resource of the tenant declares
columns:
  tenant_id: tenant
  resource_sp_id: object id of the resource's service principal
  app_role_id: id of the role; unique only inside its resource
  permission: the role's value, e.g. Mail.Read
---*/
SELECT
    s.tenant_id,
    s.object_id AS resource_sp_id,
    lower(r.role ->> '$.id') AS app_role_id,
    r.role ->> '$.value' AS permission
FROM state_objects AS s, unnest(CAST(s.record -> '$.appRoles' AS JSON [])) AS r (role)
WHERE
    s.feed = 'service_principals'
    AND json_type(s.record, '$.appRoles') = 'ARRAY'
    AND (r.role ->> '$.id') IS NOT NULL
    AND (r.role ->> '$.value') <> ''
QUALIFY row_number() OVER (
    PARTITION BY s.tenant_id, s.object_id, lower(r.role ->> '$.id') ORDER BY s.observed_at DESC, r.role ->> '$.value'
) = 1

/*---
table: apps
grain: one application of a tenant that was seen, granted something, or recorded
columns:
  tenant_id: tenant
  app_id: application id
  app_name: display name in the tenant, chosen by whoever registered it
  sp_id: its service principal, where seen
  owner_tenant_id: tenant that owns it, where read
  publisher: publisher's name, where read
  is_first_party: Microsoft's own (on the shipped list, and owned by one of Microsoft's tenants where that is known)
  is_recorded: a consent record lists it
  integration_kind: kind of the integration that lists it
  integration_name: its name
  first_seen_at: first access or sign-in in the evidence
  last_seen_at: last access or sign-in in the evidence
---*/
WITH seen AS (
    SELECT tenant_id, app_id, min(first_at) AS first_seen_at, max(last_at) AS last_seen_at, max(app_name) AS app_name
    FROM (
        SELECT tenant_id, app_id, first_at, last_at, app_name FROM access_forms
        UNION ALL
        SELECT tenant_id, app_id, occurred_at AS first_at, occurred_at AS last_at, app_name FROM sign_ins
    )
    WHERE app_id IS NOT NULL
    GROUP BY ALL
),

principals AS (
    SELECT *
    FROM service_principals
    WHERE app_id IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY tenant_id, app_id ORDER BY observed_at DESC, sp_id ASC) = 1
),

recorded AS (
    SELECT a.tenant_id, a.app_id, min(r.integration_kind) AS integration_kind, min(r.integration_name) AS integration_name
    FROM register_apps AS a
    INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
    GROUP BY ALL
),

everyone AS (
    SELECT tenant_id, app_id FROM seen
    UNION
    SELECT tenant_id, app_id FROM principals
    UNION
    SELECT tenant_id, app_id FROM recorded
    UNION
    SELECT tenant_id, app_id FROM grants WHERE app_id IS NOT NULL
)

SELECT
    e.tenant_id,
    e.app_id,
    coalesce(p.app_name, s.app_name) AS app_name,
    p.sp_id,
    p.owner_tenant_id,
    p.publisher,
    f.app_id IS NOT NULL AND (p.sp_id IS NULL OR m.tenant_id IS NOT NULL) AS is_first_party,
    r.app_id IS NOT NULL AS is_recorded,
    r.integration_kind,
    r.integration_name,
    s.first_seen_at,
    s.last_seen_at
FROM everyone AS e
LEFT JOIN seen AS s ON e.tenant_id = s.tenant_id AND e.app_id = s.app_id
LEFT JOIN principals AS p ON e.tenant_id = p.tenant_id AND e.app_id = p.app_id
LEFT JOIN recorded AS r ON e.tenant_id = r.tenant_id AND e.app_id = r.app_id
LEFT JOIN first_party_apps AS f ON e.app_id = f.app_id
LEFT JOIN microsoft_tenants AS m ON p.owner_tenant_id = m.tenant_id

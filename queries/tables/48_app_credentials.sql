/*---
table: app_credentials
grain: one secret or certificate that an app may sign in with, as last observed
columns:
  tenant_id: tenant
  app_id: application (client) id
  place: >-
    application (registered in the tenant itself) or service_principal (added to it in the tenant); what another tenant's app
    holds at home shows nowhere
  object_id: object id of the application or service principal
  kind: secret or certificate
  key_id: id of the secret or certificate, lower-case
  starts_at: first moment; NULL when not written
  ends_at: first moment after it; NULL when not written
  observed_at: when this was last observed
---*/
WITH newest AS (
    SELECT tenant_id, feed, object_id, record, observed_at
    FROM state_objects
    WHERE feed IN ('applications', 'service_principals')
    QUALIFY row_number() OVER (PARTITION BY tenant_id, feed, object_id ORDER BY observed_at DESC) = 1
),

held AS (
    SELECT n.tenant_id, n.feed, n.object_id, n.record ->> '$.appId' AS app_id, n.observed_at, 'secret' AS kind, c.credential
    FROM newest AS n, unnest(CAST(n.record -> '$.passwordCredentials' AS JSON [])) AS c (credential)
    WHERE json_type(n.record, '$.passwordCredentials') = 'ARRAY'
    UNION ALL
    SELECT n.tenant_id, n.feed, n.object_id, n.record ->> '$.appId' AS app_id, n.observed_at, 'certificate' AS kind, c.credential
    FROM newest AS n, unnest(CAST(n.record -> '$.keyCredentials' AS JSON [])) AS c (credential)
    WHERE json_type(n.record, '$.keyCredentials') = 'ARRAY'
)

SELECT
    tenant_id,
    lower(app_id) AS app_id,
    CASE feed WHEN 'applications' THEN 'application' ELSE 'service_principal' END AS place,
    object_id,
    kind,
    lower(coalesce(nullif(credential ->> '$.keyId', ''), md5(credential::VARCHAR))) AS key_id,
    TRY_CAST(credential ->> '$.startDateTime' AS TIMESTAMPTZ) AS starts_at,
    TRY_CAST(credential ->> '$.endDateTime' AS TIMESTAMPTZ) AS ends_at,
    observed_at
FROM held
QUALIFY row_number() OVER (
    PARTITION BY tenant_id, object_id, kind, key_id ORDER BY ends_at DESC NULLS LAST, starts_at ASC
) = 1

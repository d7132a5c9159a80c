/*---
table: privacy_statements
grain: one address of a privacy statement that an app, or the tenant itself, was seen to show
columns:
  tenant_id: tenant
  shown_by: app or tenant
  app_id: the app; NULL for the tenant itself
  url: the address, as written
  first_seen_at: first time that the evidence shows it
  last_seen_at: last time that the evidence shows it
  is_current: the newest evidence shows it
---*/
WITH seen AS (
    SELECT
        tenant_id,
        CASE feed WHEN 'service_principals' THEN 'app' ELSE 'tenant' END AS shown_by,
        CASE feed WHEN 'service_principals' THEN lower(record ->> '$.appId') END AS app_id,
        nullif(trim(coalesce(record ->> '$.info.privacyStatementUrl', record ->> '$.privacyProfile.statementUrl')), '') AS url,
        observed_at
    FROM state_objects
    WHERE
        (feed = 'service_principals' AND json_exists(record, '$.info'))
        OR (feed = 'organization' AND json_exists(record, '$.privacyProfile'))
),

dated AS (
    SELECT *, observed_at = max(observed_at) OVER (PARTITION BY tenant_id, shown_by, app_id) AS is_newest
    FROM seen
)

SELECT
    tenant_id,
    shown_by,
    app_id,
    url,
    min(observed_at) AS first_seen_at,
    max(observed_at) AS last_seen_at,
    bool_or(is_newest) AS is_current
FROM dated
WHERE url IS NOT NULL
GROUP BY ALL

/*---
query: report-records-ending
grain: one row per recorded process in force that ends within so many days, the first to end on top
params:
  now: present time
  days: how many days ahead
  limit: how many at most
columns:
  tenant_id: tenant
  record: consent record
  process: process
  integration_name: integration
  ends_at: agreed end
  total: such processes in all, beyond the limit too
---*/
WITH newest AS (
    SELECT
        tenant_id,
        record,
        process,
        effective_until AS ends_at,
        ended_at
    FROM register_versions
    QUALIFY row_number() OVER (PARTITION BY tenant_id, record, process ORDER BY version DESC) = 1
),
ending AS (
    SELECT * FROM newest
    WHERE
        ended_at IS NULL
        AND ends_at > CAST($now AS TIMESTAMPTZ)
        AND ends_at <= CAST($now AS TIMESTAMPTZ) + to_days(CAST($days AS INTEGER))
),
names AS (
    SELECT tenant_id, record, any_value(integration_name) AS integration_name
    FROM register_records
    GROUP BY tenant_id, record
)
SELECT
    e.tenant_id,
    e.record,
    e.process,
    n.integration_name,
    e.ends_at,
    (SELECT count(*) FROM ending) AS total
FROM ending AS e
LEFT JOIN names AS n ON e.tenant_id = n.tenant_id AND e.record = n.record
ORDER BY e.ends_at, e.tenant_id, e.record, e.process
LIMIT CAST($limit AS BIGINT)

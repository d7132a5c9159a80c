/*---
table: candidates
temporary: true
grain: one candidate process of one app, and one period in which it is compared in one version
columns:
  tenant_id: the record's tenant
  app_id: an app that the record's integration lists
  app_no: number of (tenant_id, app_id)
  record: the consent record
  process: the process inside the record
  place: place of (record, process) among the app's candidates, by code point; settles ties
  valid_from: start of the period, -infinity when there is none
  valid_to: end of the period, exclusive, infinity when there is none
  version: the version compared
  period_reason: why the process is not active in the period; null when it is
  scope_id: the version's resource scope
  covers_all: the version covers every resource
---*/
WITH apps AS (
    SELECT DISTINCT
        tenant_id,
        record,
        lower(app_id) AS app_id
    FROM register_apps
    WHERE app_id IS NOT NULL
)

SELECT
    a.tenant_id,
    a.app_id,
    dense_rank() OVER (ORDER BY a.tenant_id, a.app_id) AS app_no,
    s.record,
    s.process,
    dense_rank() OVER (PARTITION BY a.tenant_id, a.app_id ORDER BY s.record, s.process) AS place,
    coalesce(s.valid_from, TIMESTAMPTZ '-infinity') AS valid_from,
    coalesce(s.valid_to, TIMESTAMPTZ 'infinity') AS valid_to,
    s.version,
    s.period_reason,
    v.scope_id,
    v.covers_all
FROM apps AS a
INNER JOIN register_segments AS s ON a.tenant_id = s.tenant_id AND a.record = s.record
INNER JOIN compared_versions AS v
    ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version

/*---
query: report-days
grain: one row per tenant, app and day with use that is in scope, of the apps asked for
params:
  apps: tenant id, a bar, and app id, for each app
columns:
  tenant_id: tenant
  app_id: app
  day: day in UTC
  within: uses within the record
  outside: uses outside the record
  not_assessable: uses that could not be judged
---*/
SELECT
    tenant_id,
    app_id,
    day,
    coalesce(sum(accesses) FILTER (WHERE verdict = 'within'), 0)::BIGINT AS within,
    coalesce(sum(accesses) FILTER (WHERE verdict = 'outside'), 0)::BIGINT AS outside,
    coalesce(sum(accesses) FILTER (WHERE verdict = 'not_assessable'), 0)::BIGINT AS not_assessable
FROM daily_use
WHERE
    verdict <> 'out_of_scope'
    AND tenant_id || '|' || coalesce(app_id, '') IN (SELECT unnest(CAST($apps AS VARCHAR [])))
GROUP BY tenant_id, app_id, day
ORDER BY tenant_id, app_id, day

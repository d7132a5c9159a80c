/*---
table: kept_use
grain: one day (UTC) of use whose accesses retention has removed; counts only, without person and address
columns:
  tenant_id: tenant whose data was touched
  day: the day in UTC
  feed: log that showed it
  app_id: application that called
  workload: mail, calendar, …
  operation: read, write, send or delete
  verdict: verdict when it was removed
  accesses: logged accesses of this day
---*/
SELECT
    tenant_id,
    day,
    feed,
    app_id,
    workload,
    operation,
    verdict,
    accesses
FROM kept_use

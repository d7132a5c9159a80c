/*---
query: report-cell-totals
grain: one row per tenant that has a cell; counts all of its cells, however many are listed
columns:
  tenant_id: tenant
  cells: cells of the matrix
  used_cells: of these, with use in scope
  outside_cells: of these, with use outside the record
  apps: apps with a cell, an unnamed one included
  apps_outside: of these, with use outside the record
  events: access events in scope
  outside_events: of these, outside the record
---*/
SELECT
    tenant_id,
    count(*) AS cells,
    count(*) FILTER (WHERE used > 0) AS used_cells,
    count(*) FILTER (WHERE outside > 0) AS outside_cells,
    count(DISTINCT coalesce(app_id, '')) AS apps,
    count(DISTINCT coalesce(app_id, '')) FILTER (WHERE outside > 0) AS apps_outside,
    coalesce(sum(used), 0)::BIGINT AS events,
    coalesce(sum(outside), 0)::BIGINT AS outside_events
FROM cells
GROUP BY tenant_id
ORDER BY tenant_id

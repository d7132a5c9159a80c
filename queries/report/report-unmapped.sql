/*---
query: report-unmapped
grain: one row per tenant, feed, method and shape of call that the catalogue does not know
params:
  limit: how many at most, the most frequent first; NULL for all
columns:
  tenant_id: tenant
  feed: feed
  method: HTTP method, NULL for an audited operation
  shape: masked path or operation
  calls: how many
  first_at: first call
  last_at: last call
  total: unmapped calls in all, beyond the limit too
  kinds: rows in all, beyond the limit too
---*/
SELECT
    tenant_id,
    feed,
    method,
    shape,
    calls,
    first_at,
    last_at,
    (SELECT sum(u.calls) FROM unmapped_calls AS u)::BIGINT AS total,
    (SELECT count(*) FROM unmapped_calls) AS kinds
FROM (SELECT * FROM unmapped_calls ORDER BY calls DESC, tenant_id, feed, method, shape LIMIT CAST($limit AS BIGINT)) AS most
ORDER BY tenant_id, calls DESC, feed, method, shape

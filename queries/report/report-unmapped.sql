/*---
query: report-unmapped
grain: one row per tenant, feed, method and shape of call that the catalogue does not know
params:
  limit: how many per tenant at most, the most frequent first
columns:
  tenant_id: tenant
  feed: feed
  method: HTTP method, NULL for an audited operation
  shape: masked path or operation
  calls: how many
  first_at: first call
  last_at: last call
  total: unmapped calls in all, beyond the limit too
---*/
SELECT
    tenant_id,
    feed,
    method,
    shape,
    calls,
    first_at,
    last_at,
    (SELECT sum(u.calls) FROM unmapped_calls AS u)::BIGINT AS total
FROM unmapped_calls
QUALIFY
    row_number() OVER (PARTITION BY tenant_id ORDER BY calls DESC, feed, method, shape) <= CAST($limit AS BIGINT)
ORDER BY tenant_id, calls DESC, feed, method, shape

/*---
query: report-tenants
grain: one row per tenant
columns:
  tenant_id: tenant
  name: its name in the configuration
  is_evaluated: whether its events were judged
  not_evaluated_reason: why not
  watched_from: begin of the hull of all its coverage
  watched_to: end of it
  access_events: access events, out of scope included
  unmapped_events: of these, calls that the catalogue does not know
  out_of_scope: verdicts out_of_scope
  within: verdicts within
  outside: verdicts outside
  not_assessable: verdicts not_assessable
  unreadable_grants: current grants of a permission that has no known name
---*/
WITH judged AS (
    SELECT
        tenant_id,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'out_of_scope'), 0)::BIGINT AS out_of_scope,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'within'), 0)::BIGINT AS within,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'outside'), 0)::BIGINT AS outside,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'not_assessable'), 0)::BIGINT AS not_assessable
    FROM judged_forms
    GROUP BY tenant_id
),
unreadable AS (
    SELECT tenant_id, count(*) AS grants
    FROM grants
    WHERE is_current AND permission IS NULL
    GROUP BY tenant_id
)
SELECT
    t.tenant_id,
    t.name,
    t.is_evaluated,
    t.not_evaluated_reason,
    t.watched_from,
    t.watched_to,
    t.access_events,
    t.unmapped_events,
    coalesce(j.out_of_scope, 0) AS out_of_scope,
    coalesce(j.within, 0) AS within,
    coalesce(j.outside, 0) AS outside,
    coalesce(j.not_assessable, 0) AS not_assessable,
    coalesce(u.grants, 0) AS unreadable_grants
FROM tenants AS t
LEFT JOIN judged AS j ON t.tenant_id = j.tenant_id
LEFT JOIN unreadable AS u ON t.tenant_id = u.tenant_id
ORDER BY t.name, t.tenant_id

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
SELECT
    t.tenant_id,
    t.name,
    t.is_evaluated,
    t.not_evaluated_reason,
    t.watched_from,
    t.watched_to,
    t.access_events,
    t.unmapped_events,
    count(*) FILTER (WHERE v.verdict = 'out_of_scope') AS out_of_scope,
    count(*) FILTER (WHERE v.verdict = 'within') AS within,
    count(*) FILTER (WHERE v.verdict = 'outside') AS outside,
    count(*) FILTER (WHERE v.verdict = 'not_assessable') AS not_assessable,
    (
        SELECT count(*) FROM grants AS g
        WHERE g.tenant_id = t.tenant_id AND g.is_current AND g.permission IS NULL
    ) AS unreadable_grants
FROM tenants AS t
LEFT JOIN verdicts AS v ON t.tenant_id = v.tenant_id
GROUP BY ALL
ORDER BY t.name, t.tenant_id

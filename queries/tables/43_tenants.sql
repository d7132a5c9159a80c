/*---
table: tenants
grain: one tenant of the configuration, or with evidence
columns:
  tenant_id: tenant
  name: name from the configuration
  is_evaluated: false when nothing could be judged
  not_evaluated_reason: why not, in words; NULL when it was
  watched_from: beginning of the period that any log of the tenant covers
  watched_to: its end
  access_events: logged accesses
  unmapped_events: accesses that the catalogue does not know
  untimed_events: accesses whose time could not be read
  is_collected: the auditor itself read something from it, or was sent elsewhere by it; false when all is from files
---*/
WITH collected AS (
    SELECT tenant_id FROM sign_in_states WHERE signed_in_at IS NOT NULL
    UNION
    SELECT tenant_id FROM collection_windows
    UNION
    SELECT tenant_id FROM collection_listings
    UNION
    SELECT tenant_id FROM collection_events WHERE kind = 'link_refused'
)

SELECT
    t.tenant_id,
    t.name,
    t.not_evaluated_reason IS NULL AS is_evaluated,
    t.not_evaluated_reason,
    p.watched_from,
    p.watched_to,
    coalesce(e.events, 0) AS access_events,
    coalesce(e.unmapped, 0) AS unmapped_events,
    coalesce(e.untimed, 0) AS untimed_events,
    t.tenant_id IN (SELECT c.tenant_id FROM collected AS c) AS is_collected
FROM configured_tenants AS t
LEFT JOIN watched_periods AS p ON t.tenant_id = p.tenant_id
LEFT JOIN (
    SELECT
        tenant_id,
        sum(accesses)::BIGINT AS events,
        coalesce(sum(accesses) FILTER (WHERE NOT is_mapped), 0)::BIGINT AS unmapped,
        sum(untimed)::BIGINT AS untimed
    FROM access_forms
    GROUP BY ALL
) AS e ON t.tenant_id = e.tenant_id

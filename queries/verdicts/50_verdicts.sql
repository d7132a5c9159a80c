/*---
table: verdicts
grain: one access event, out of scope included
columns:
  tenant_id: the event's tenant
  feed: the event's feed
  event_id: the event's id
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the six dimensions; empty for within and out_of_scope
  record: the consent record that is within or nearest
  process: its process
---*/
SELECT
    e.tenant_id,
    e.feed,
    e.event_id,
    coalesce(a.verdict, error('an access event has no verdict: register_segments has a gap')) AS verdict,
    a.reasons,
    a.record,
    a.process
FROM access_events AS e
LEFT JOIN call_periods AS c
    ON
        e.tenant_id = c.tenant_id
        AND e.app_id IS NOT DISTINCT FROM c.app_id
        AND e.access_kind IS NOT DISTINCT FROM c.access_kind
        AND e.workload IS NOT DISTINCT FROM c.workload
        AND e.operation IS NOT DISTINCT FROM c.operation
        AND e.permissions IS NOT DISTINCT FROM c.permissions
        AND e.succeeded IS NOT DISTINCT FROM c.succeeded
        AND (e.occurred_at IS NOT NULL) = c.is_timed
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') >= c.valid_from
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') < c.valid_to
LEFT JOIN resource_classes AS r
    ON
        e.tenant_id = r.tenant_id
        AND e.app_id = r.app_id
        AND e.resource_id IS NOT DISTINCT FROM r.resource_id
        AND e.resource_name IS NOT DISTINCT FROM r.resource_name
        AND e.resource_kind IS NOT DISTINCT FROM r.resource_kind
        AND e.occurred_at >= r.valid_from
        AND e.occurred_at < r.valid_to
LEFT JOIN answers AS a
    ON c.call_id = a.call_id AND a.class_id = CASE WHEN c.needs_resource THEN r.class_id ELSE 0 END

/*---
id: outside-accesses
title: Accesses outside of every record
question: Which single accesses were outside, and why?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  reason: {type: VARCHAR, default: null, description: "only accesses with this reason, e.g. after_withdrawal"}
  since: {type: TIMESTAMPTZ, default: null, description: "only accesses from this time on (UTC)"}
  rows: {type: BIGINT, default: 1000, description: "how many rows at most, newest first"}
columns: [tenant_id, occurred_at, app_id, app_name, workload, operation, actor_name, resource_name, reasons, record, process, endpoint, ip_address, country, feed, event_id]
---*/
SELECT
    e.tenant_id,
    e.occurred_at,
    e.app_id,
    e.app_name,
    e.workload,
    e.operation,
    e.actor_name,
    e.resource_name,
    e.reasons,
    e.record,
    e.process,
    e.endpoint,
    e.ip_address,
    e.country,
    e.feed,
    e.event_id
FROM judged_accesses AS e
WHERE
    e.verdict = 'outside'
    AND ($app_id::VARCHAR IS NULL OR e.app_id = lower($app_id))
    AND ($reason::VARCHAR IS NULL OR list_contains(e.reasons, $reason))
    AND ($since::TIMESTAMPTZ IS NULL OR e.occurred_at >= $since)
ORDER BY e.occurred_at DESC NULLS LAST, e.tenant_id, e.event_id
LIMIT $rows::BIGINT

/*---
id: mailbox-readers
title: Apps by the mailboxes they touched
question: How many mailboxes did each app touch, doing what, and who agreed to it?
parameters:
  mailbox: {type: VARCHAR, default: null, description: "only this mailbox: an object id or an address"}
  since: {type: TIMESTAMPTZ, default: null, description: "only accesses from this time on (UTC)"}
columns: [tenant_id, app_id, app_name, access_kind, operation, mailboxes, accesses, items, outside, not_assessable, first_at, last_at]
---*/
SELECT
    e.tenant_id,
    e.app_id,
    max(e.app_name) AS app_name,
    e.access_kind,
    e.operation,
    count(DISTINCT lower(coalesce(e.resource_id, e.resource_name))) AS mailboxes,
    count(*) AS accesses,
    CAST(sum(e.item_count) AS BIGINT) AS items,
    count(*) FILTER (WHERE e.verdict = 'outside') AS outside,
    count(*) FILTER (WHERE e.verdict = 'not_assessable') AS not_assessable,
    min(e.occurred_at) AS first_at,
    max(e.occurred_at) AS last_at
FROM judged_accesses AS e
WHERE
    e.workload = 'mail'
    AND e.succeeded IS DISTINCT FROM FALSE
    AND ($since::TIMESTAMPTZ IS NULL OR e.occurred_at >= $since)
    AND (
        $mailbox::VARCHAR IS NULL
        OR lower(e.resource_id) = lower($mailbox)
        OR lower(e.resource_name) = lower($mailbox)
    )
GROUP BY e.tenant_id, e.app_id, e.access_kind, e.operation
ORDER BY mailboxes DESC, accesses DESC, e.tenant_id, e.app_id, e.access_kind, e.operation

/*---
id: sign-in-trail
title: One sign-in and what followed it
question: What did the app do after this sign-in, for the same user or as itself?
parameters:
  sign_in: {type: VARCHAR, default: null, description: "the sign-in's event_id; without it nothing is listed"}
  hours: {type: BIGINT, default: 24, description: "how long after the sign-in"}
  rows: {type: BIGINT, default: 1000, description: "how many rows at most, oldest first"}
columns: [tenant_id, occurred_at, what, minutes_after, app_id, actor, detail, resource_name, item_count, ip_address, is_same_address, country, verdict, feed, event_id]
---*/
-- Tied by tenant, app, actor and time: an access names no sign-in, so that another sign-in of the same actor to the same
-- app within these hours may be behind it as well. is_same_address is the stronger hint.
WITH chosen AS (
    SELECT
        *,
        coalesce(user_id, sp_id) AS actor_id,
        to_timestamp(epoch_us(occurred_at) / 1e6 + $hours::BIGINT * 3600) AS ends_at
    FROM sign_ins
    WHERE event_id = $sign_in::VARCHAR
),

lines AS (
    SELECT
        s.tenant_id,
        s.occurred_at,
        'sign-in' AS what,
        s.occurred_at AS begins_at,
        s.app_id,
        coalesce(s.user_name, s.actor_id) AS actor,
        concat_ws(' ', s.kind, CASE WHEN s.succeeded THEN 'succeeded' ELSE 'failed' END, s.error_code) AS detail,
        NULL AS resource_name,
        NULL AS item_count,
        s.ip_address,
        s.ip_address AS first_address,
        s.country,
        NULL AS verdict,
        s.feed,
        s.event_id
    FROM chosen AS s
    UNION ALL
    SELECT
        e.tenant_id, e.occurred_at, 'access', s.occurred_at AS begins_at, e.app_id, coalesce(e.actor_name, e.actor_id),
        concat_ws(' ', e.workload, e.operation, e.endpoint), coalesce(e.resource_name, e.resource_id), e.item_count,
        e.ip_address, s.ip_address AS first_address, e.country, e.verdict, e.feed, e.event_id
    FROM chosen AS s
    INNER JOIN judged_accesses AS e
        ON
            s.tenant_id = e.tenant_id AND s.app_id = e.app_id AND s.actor_id = e.actor_id
            AND e.occurred_at >= s.occurred_at AND e.occurred_at < s.ends_at
    UNION ALL
    SELECT
        d.tenant_id, d.occurred_at, 'directory change', s.occurred_at AS begins_at, d.app_id, coalesce(d.actor_name, d.actor_id),
        concat_ws(' ', d.activity, d.result), NULL, NULL, NULL, s.ip_address, NULL, NULL, d.feed, d.event_id
    FROM chosen AS s
    INNER JOIN directory_changes AS d
        ON
            s.tenant_id = d.tenant_id AND s.actor_id = d.actor_id
            AND d.occurred_at >= s.occurred_at AND d.occurred_at < s.ends_at
)

SELECT
    tenant_id,
    occurred_at,
    what,
    round((epoch_us(occurred_at) - epoch_us(begins_at)) / 6e7, 1) AS minutes_after,
    app_id,
    actor,
    detail,
    resource_name,
    item_count,
    ip_address,
    ip_address = first_address AS is_same_address,
    country,
    verdict,
    feed,
    event_id
FROM lines
ORDER BY tenant_id, occurred_at, what DESC, event_id
LIMIT $rows::BIGINT

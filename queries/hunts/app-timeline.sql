/*---
id: app-timeline
title: Everything one app did and was given, in order
question: What happened around this app, from its first grant to its last access?
parameters:
  app_id: {type: VARCHAR, default: null, description: "the app; without it nothing is listed"}
  rows: {type: BIGINT, default: 1000, description: "how many rows at most, newest first"}
columns: [tenant_id, occurred_at, what, detail, actor, verdict, ip_address, country, feed, event_id]
---*/
WITH lines AS (
    SELECT
        e.tenant_id,
        e.occurred_at,
        'access' AS what,
        concat_ws(' ', e.workload, e.operation, e.endpoint) AS detail,
        coalesce(e.actor_name, e.actor_id) AS actor,
        e.verdict,
        e.ip_address,
        e.country,
        e.feed,
        e.event_id
    FROM judged_accesses AS e
    WHERE e.app_id = lower($app_id::VARCHAR)
    UNION ALL
    SELECT
        tenant_id, occurred_at, 'sign-in', concat_ws(' ', kind, error_code), coalesce(user_name, sp_id), NULL,
        ip_address, country, 'sign_ins', event_id
    FROM sign_ins
    WHERE app_id = lower($app_id::VARCHAR)
    UNION ALL
    SELECT
        tenant_id, occurred_at, 'directory change', concat_ws(' ', activity, result, array_to_string(permissions, ' ')),
        coalesce(actor_name, actor_id), NULL, NULL, NULL, 'directory_audits', event_id
    FROM directory_changes
    WHERE app_id = lower($app_id::VARCHAR)
    UNION ALL
    SELECT
        tenant_id, first_seen_at, 'grant first seen', concat_ws(' ', permission, kind, granted_for), principal_id,
        NULL, NULL, NULL, source, grant_id
    FROM grants
    WHERE app_id = lower($app_id::VARCHAR)
)
SELECT tenant_id, occurred_at, what, detail, actor, verdict, ip_address, country, feed, event_id
FROM lines
ORDER BY occurred_at DESC NULLS LAST, tenant_id, what, event_id
LIMIT $rows::BIGINT

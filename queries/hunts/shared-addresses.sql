/*---
id: shared-addresses
title: Addresses that several apps or users come from
question: Which network addresses are used by more than one app, or by an app and by people?
parameters:
  apps: {type: BIGINT, default: 2, description: "at least so many apps"}
  address: {type: VARCHAR, default: null, description: "only this address"}
  since: {type: TIMESTAMPTZ, default: null, description: "only from this time on (UTC)"}
columns: [tenant_id, ip_address, countries, apps, app_ids, app_names, users, accesses, sign_ins, failed_sign_ins, outside, first_at, last_at]
---*/
-- Hosters and Microsoft's own relays stand behind many apps: a shared address is a question, not an answer.
WITH seen AS (
    SELECT
        e.tenant_id,
        e.ip_address,
        e.country,
        e.app_id,
        CASE WHEN e.access_kind = 'delegated' THEN e.actor_id END AS person,
        e.occurred_at,
        TRUE AS is_access,
        FALSE AS is_failed,
        e.verdict = 'outside' AS is_outside
    FROM judged_accesses AS e
    UNION ALL
    SELECT tenant_id, ip_address, country, app_id, user_id, occurred_at, FALSE, succeeded IS FALSE, FALSE
    FROM sign_ins
)

SELECT
    s.tenant_id,
    s.ip_address,
    list_sort(list(DISTINCT s.country) FILTER (WHERE s.country IS NOT NULL)) AS countries,
    count(DISTINCT s.app_id) AS apps,
    list_sort(list(DISTINCT s.app_id) FILTER (WHERE s.app_id IS NOT NULL)) AS app_ids,
    list_sort(list(DISTINCT a.app_name) FILTER (WHERE a.app_name IS NOT NULL)) AS app_names,
    count(DISTINCT s.person) AS users,
    count(*) FILTER (WHERE s.is_access) AS accesses,
    count(*) FILTER (WHERE NOT s.is_access) AS sign_ins,
    count(*) FILTER (WHERE s.is_failed) AS failed_sign_ins,
    count(*) FILTER (WHERE s.is_outside) AS outside,
    min(s.occurred_at) AS first_at,
    max(s.occurred_at) AS last_at
FROM seen AS s
LEFT JOIN apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
WHERE
    s.ip_address IS NOT NULL
    AND ($address::VARCHAR IS NULL OR s.ip_address = $address)
    AND ($since::TIMESTAMPTZ IS NULL OR s.occurred_at >= $since)
GROUP BY s.tenant_id, s.ip_address
HAVING count(DISTINCT s.app_id) >= $apps::BIGINT
ORDER BY apps DESC, accesses DESC, s.tenant_id, s.ip_address

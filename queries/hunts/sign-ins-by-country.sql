/*---
id: sign-ins-by-country
title: Sign-ins of apps by country
question: From which countries do apps and their users sign in, and how often without a second factor?
parameters:
  app_id: {type: VARCHAR, default: null, description: "only this app"}
  since: {type: TIMESTAMPTZ, default: null, description: "only sign-ins from this time on (UTC)"}
columns: [tenant_id, app_id, app_name, country, sign_ins, failed, without_mfa, addresses, first_at, last_at]
---*/
SELECT
    s.tenant_id,
    s.app_id,
    max(a.app_name) AS app_name,
    s.country,
    count(*) AS sign_ins,
    count(*) FILTER (WHERE NOT s.succeeded) AS failed,
    -- Where the log does not say it, nothing is counted as missing.
    count(*) FILTER (WHERE NOT s.is_mfa AND s.succeeded) AS without_mfa,
    count(DISTINCT s.ip_address) AS addresses,
    min(s.occurred_at) AS first_at,
    max(s.occurred_at) AS last_at
FROM sign_ins AS s
LEFT JOIN apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
WHERE
    ($app_id::VARCHAR IS NULL OR s.app_id = lower($app_id))
    AND ($since::TIMESTAMPTZ IS NULL OR s.occurred_at >= $since)
GROUP BY s.tenant_id, s.app_id, s.country
ORDER BY sign_ins DESC, s.tenant_id, s.app_id, s.country

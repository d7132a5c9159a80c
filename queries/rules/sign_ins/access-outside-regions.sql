/*---
id: access-outside-regions
version: 1
severity: high
title: "{app_id} was signed in to from {country}, which {record} does not allow"
question: From which countries was an app at work that the agreement does not name?
identity: [app_id, record, country]
needs: [sign_ins_interactive, sign_ins_non_interactive, sign_ins_service_principal]
needs_register: true
evidence: >
  Sign-ins, not refused, of the app itself or of people to it, from a country that none of the record's processes in force
  at that time names, where each of them names its countries. A sign-in without a country stands under the country
  "unknown" and counts as what it is: not known to be allowed.
misses: >
  Records that name no countries, or of which one process in force names none. Calls and audit records carry no country:
  only the sign-in before them does. The country is Microsoft's guess from the address; a rented address can be anywhere.
  Where the data goes afterwards.
advice: >
  Ask the processor from where it works. Block the country by a policy for workload identities; if the transfer is meant,
  record it with its safeguards.
control: [C10-1, C12-11]
references: ["GDPR Art. 44", "GDPR Art. 28(3)(a)", "GDPR Art. 30(1)(e)", "Policy §10"]
---*/
WITH limited AS (
    SELECT
        a.tenant_id,
        a.app_id,
        s.record,
        s.process,
        s.valid_from,
        s.valid_to,
        v.regions
    FROM register_apps AS a
    INNER JOIN register_segments AS s
        ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
),
suspects AS (
    -- Apps and countries are few: what every version allows is left out before single sign-ins are looked at.
    SELECT DISTINCT n.tenant_id, n.app_id, n.country
    FROM (SELECT DISTINCT tenant_id, app_id, country FROM sign_ins) AS n
    INNER JOIN limited AS l ON n.tenant_id = l.tenant_id AND n.app_id = l.app_id
    WHERE NOT coalesce(list_contains(l.regions, upper(n.country)), l.regions IS NULL)
),
places AS (
    SELECT i.tenant_id, i.feed, i.event_id, i.occurred_at, i.app_id, upper(i.country) AS country
    FROM sign_ins AS i
    INNER JOIN suspects AS s
        ON i.tenant_id = s.tenant_id AND i.app_id = s.app_id AND i.country IS NOT DISTINCT FROM s.country
    WHERE i.succeeded IS DISTINCT FROM FALSE
),
judged AS (
    SELECT
        p.tenant_id,
        p.feed,
        p.event_id,
        p.occurred_at,
        p.app_id,
        p.country,
        l.record,
        min(l.process) AS process
    FROM places AS p
    INNER JOIN limited AS l
        ON
            p.tenant_id = l.tenant_id AND p.app_id = l.app_id
            AND coalesce(p.occurred_at >= l.valid_from, TRUE) AND coalesce(p.occurred_at < l.valid_to, TRUE)
    GROUP BY ALL
    HAVING NOT bool_or(l.regions IS NULL OR coalesce(list_contains(l.regions, p.country), FALSE))
)
SELECT
    j.tenant_id,
    j.app_id,
    coalesce(j.country, 'unknown') AS country,
    j.feed,
    j.event_id,
    j.occurred_at,
    [CASE WHEN j.country IS NULL THEN 'country_unknown' ELSE 'region' END] AS reasons,
    j.record,
    j.process
FROM judged AS j

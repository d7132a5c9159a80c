/*---
id: telephony-outside-host-country
version: 1
severity: high
title: "{app_id} signed in from {country}, not from where {record} says it stands"
question: Does the telephone exchange work from the country where it is said to stand?
identity: [app_id, record, country]
needs: [sign_ins_service_principal]
needs_register: true
evidence: >
  Sign-ins, not refused, of a telephony app as itself from another country than the one in which its record says that the
  exchange stands, while a process of the record was in force. A sign-in without a country stands under "unknown".
misses: >
  Records that name no country of the exchange. Call content, recordings and call lists, which stay in the exchange. The
  country is Microsoft's guess from the address.
advice: >
  Ask the operator where the exchange stands and who signed in. Block other countries by a policy for workload identities.
control: [C12-11]
references: ["GDPR Art. 44", "GDPR Art. 28(3)(a)", "GDPR Art. 32(1)(b)", "Policy §12"]
---*/
WITH hosted AS (
    SELECT DISTINCT a.tenant_id, a.app_id, a.record, r.pbx_host_country, s.valid_from, s.valid_to
    FROM register_apps AS a
    INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
    INNER JOIN register_segments AS s
        ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
    WHERE r.pbx_host_country IS NOT NULL
)
SELECT DISTINCT
    i.tenant_id,
    i.app_id,
    h.record,
    coalesce(upper(i.country), 'unknown') AS country,
    i.feed,
    i.event_id,
    i.occurred_at,
    [CASE WHEN i.country IS NULL THEN 'country_unknown' ELSE 'host_country' END] AS reasons,
    cast(NULL AS VARCHAR) AS process
FROM sign_ins AS i
INNER JOIN hosted AS h
    ON
        i.tenant_id = h.tenant_id AND i.app_id = h.app_id
        AND coalesce(i.occurred_at >= h.valid_from, TRUE) AND coalesce(i.occurred_at < h.valid_to, TRUE)
WHERE
    i.feed = 'sign_ins_service_principal' AND i.succeeded IS DISTINCT FROM FALSE
    AND upper(i.country) IS DISTINCT FROM h.pbx_host_country

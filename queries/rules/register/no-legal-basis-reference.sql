/*---
id: no-legal-basis-reference
version: 1
severity: high
title: "{record}/{process} rests on {legal_basis} and names no proof of it"
question: Which agreements rest on a legal basis that nothing in the record proves?
identity: [record, process, legal_basis]
needs: []
needs_register: true
evidence: >
  Processes in force at the end of the watched time that rest on a legitimate interest without a reference to its balancing
  test, or on consent without saying where each person's consent is kept.
misses: >
  Whether the test is sound and the consents are there: the reference is looked at, not the document.
advice: >
  Put the balancing test (legitimate_interest_ref) or the place of the consents (consent_store) into the next entry of the
  record; where there is none, make it or stop.
control: [C04-1]
references: ["GDPR Art. 6(1)", "GDPR Art. 5(2)", "GDPR Art. 7(1)", "Policy §4"]
---*/
SELECT
    s.tenant_id,
    s.record,
    s.process,
    v.legal_basis,
    'register' AS feed,
    s.record || '/' || s.process AS event_id,
    v.recorded_at AS occurred_at,
    [CASE v.legal_basis WHEN 'consent' THEN 'no_consent_store' ELSE 'no_balancing_test' END] AS reasons,
    (SELECT min(a.app_id) FROM register_apps AS a WHERE a.tenant_id = s.tenant_id AND a.record = s.record) AS app_id
FROM tenants AS t
INNER JOIN register_segments AS s
    ON
        t.tenant_id = s.tenant_id AND s.period_reason IS NULL
        AND coalesce(t.watched_to >= s.valid_from, TRUE) AND coalesce(t.watched_to < s.valid_to, TRUE)
INNER JOIN register_versions AS v
    ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
WHERE
    (v.legal_basis = 'legitimate_interest' AND v.legitimate_interest_ref IS NULL)
    OR (v.legal_basis = 'consent' AND v.consent_store IS NULL)

/*---
id: employee-consent
version: 1
severity: medium
title: "{record}/{process} rests on the consent of employees"
question: Where do we rely on the consent of people who can hardly say no to us?
identity: [record, process]
needs: []
needs_register: true
evidence: >
  Processes in force at the end of the watched time that rest on consent and whose data subjects are, among others, employees.
misses: >
  Records that do not say whose data it is: the employees' own mailboxes may be meant all the same. Whether the consent can be
  refused without harm.
advice: >
  Look for another basis (a legitimate interest with its balancing test, or a contract), and ask the works council.
control: [C04-3]
references: ["GDPR Art. 7(4)", "GDPR Art. 6(1)(a)", "GDPR Art. 88(1)", "Policy §4"]
---*/
SELECT
    s.tenant_id,
    s.record,
    s.process,
    'register' AS feed,
    s.record || '/' || s.process AS event_id,
    v.recorded_at AS occurred_at,
    ['employees'] AS reasons,
    (SELECT min(a.app_id) FROM register_apps AS a WHERE a.tenant_id = s.tenant_id AND a.record = s.record) AS app_id
FROM tenants AS t
INNER JOIN register_segments AS s
    ON
        t.tenant_id = s.tenant_id AND s.period_reason IS NULL
        AND coalesce(t.watched_to >= s.valid_from, TRUE) AND coalesce(t.watched_to < s.valid_to, TRUE)
INNER JOIN register_versions AS v
    ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
WHERE v.legal_basis = 'consent' AND list_contains(v.data_subjects, 'employees')

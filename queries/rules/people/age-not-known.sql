/*---
id: age-not-known
version: 1
severity: info
title: "Nobody knows the age of accounts that are in scope ({how})"
question: Of whom could nobody say whether they are children?
identity: [how]
needs: [users]
needs_register: true
evidence: >
  Accounts of people, not switched off, without an age group in the directory, that a record covers, an app reached, or that
  signed in to an integration. The evidence names accounts; the finding names none.
misses: >
  Guests and accounts of no person (rooms, websites) have no age and are counted like others. Whom no listing of users showed.
advice: >
  Where only grown-ups are employed, explain the finding with that fact; where pupils have accounts, fill in the age group.
control: [C14-2]
references: ["GDPR Art. 8(2)", "GDPR Art. 24(1)", "Policy §14"]
---*/
SELECT
    u.tenant_id,
    p.how,
    'users' AS feed,
    u.user_id AS event_id,
    u.observed_at AS occurred_at,
    ['age_unknown'] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    min(p.record) AS record,
    cast(NULL AS VARCHAR) AS process
FROM directory_users AS u
INNER JOIN people_in_scope AS p ON u.tenant_id = p.tenant_id AND u.user_id = p.user_id
WHERE u.is_enabled IS DISTINCT FROM FALSE AND u.age_group IS NULL AND u.legal_age_group IS NULL
GROUP BY ALL

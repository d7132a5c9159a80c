/*---
id: minor-in-scope
version: 1
severity: critical
title: "Accounts of {age} are in scope"
question: Are there children among the people whose data the integrations use?
identity: [age]
needs: [users]
needs_register: true
evidence: >
  Accounts, not switched off, that the directory calls a minor's or not yet an adult's, and that a record covers, an app
  reached, or that signed in to an integration. The evidence names accounts; the finding names none.
misses: >
  Ages are rarely filled in: who has none is not known to be an adult (age-not-known). What the directory calls a minor
  follows the country's own rule, not the number 16: it proves minor, not below 16. Children in the mail of others.
advice: >
  Take the accounts out of the groups that are recorded, and out of the app's scope in Exchange; look at what was read of
  them; ask whether a parent agreed.
control: [C14-1]
references: ["GDPR Art. 8(1)", "GDPR Art. 5(1)(a)", "GDPR Art. 25(2)", "Policy §14"]
---*/
SELECT
    u.tenant_id,
    CASE
        WHEN u.age_group = 'minor' OR starts_with(u.legal_age_group, 'minor') THEN 'minors' ELSE 'people not yet adult'
    END AS age,
    'users' AS feed,
    u.user_id AS event_id,
    u.observed_at AS occurred_at,
    list_sort(list(DISTINCT p.how)) AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    min(p.record) AS record,
    cast(NULL AS VARCHAR) AS process
FROM directory_users AS u
INNER JOIN people_in_scope AS p ON u.tenant_id = p.tenant_id AND u.user_id = p.user_id
WHERE
    u.is_enabled IS DISTINCT FROM FALSE
    AND (
        u.age_group IN ('minor', 'notadult') OR starts_with(u.legal_age_group, 'minor') OR u.legal_age_group = 'notadult'
    )
GROUP BY ALL

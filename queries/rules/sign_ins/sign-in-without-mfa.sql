/*---
id: sign-in-without-mfa
version: 1
severity: high
title: "People signed in to {app_id} with one factor"
question: Which integrations do our people enter with a password alone?
identity: [app_id]
needs: [sign_ins_interactive, sign_ins_non_interactive, delegated_permission_grants]
needs_register: true
evidence: >
  Sign-ins of people, not refused, to an app that is not Microsoft's and that stands in a record or holds a right that
  reaches audited data, of which Entra required one factor only. The evidence names people; the finding names none.
misses: >
  What was required is written, not what was done: somebody may have given a second factor all the same. Sign-ins of which
  the log does not say what was required; sign-ins to Microsoft's own programs; a log-in of the integration's own, outside
  of Entra.
advice: >
  Require a second factor for the app by conditional access, or switch on security defaults; then look who is left.
control: [C07-2]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(f)", "Policy §7"]
---*/
WITH integrations AS (
    SELECT DISTINCT a.tenant_id, a.app_id, a.is_recorded
    FROM apps AS a
    LEFT JOIN grants AS g
        ON a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND g.is_current AND g.workload IS NOT NULL
    WHERE a.is_first_party IS DISTINCT FROM TRUE AND (a.is_recorded OR g.app_id IS NOT NULL)
),
records AS (
    SELECT tenant_id, app_id, min(record) AS record FROM register_apps GROUP BY ALL
)
SELECT
    s.tenant_id,
    s.app_id,
    s.feed,
    s.event_id,
    s.occurred_at,
    [CASE WHEN i.is_recorded THEN 'single_factor' ELSE 'no_record' END] AS reasons,
    r.record,
    cast(NULL AS VARCHAR) AS process
FROM sign_ins AS s
INNER JOIN integrations AS i ON s.tenant_id = i.tenant_id AND s.app_id = i.app_id
LEFT JOIN records AS r ON s.tenant_id = r.tenant_id AND s.app_id = r.app_id
WHERE
    s.feed IN ('sign_ins_interactive', 'sign_ins_non_interactive')
    AND s.user_id IS NOT NULL AND s.is_mfa = FALSE AND s.succeeded IS DISTINCT FROM FALSE

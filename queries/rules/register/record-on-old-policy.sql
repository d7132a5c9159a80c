/*---
id: record-on-old-policy
version: 1
severity: high
title: "{record} stands on policy {policy_version}; {newer} is materially newer"
question: Which agreements rest on a privacy policy that has changed since?
identity: [record, policy_version, newer]
needs: []
needs_register: true
evidence: >
  Processes in force at the end of the watched time whose entry names an older version of the policy than the newest one that
  is material, or names none, where the time to renew (clock policy.renewal) is over. One piece of evidence for each process.
misses: >
  Versions that nobody has marked as material, or whose first day is not written. What a version changed: every process of a
  record is asked, concerned or not.
advice: >
  Tell the customer what changed, have the agreement renewed, and add a renewed entry with the new version.
control: [C15-1]
references: ["GDPR Art. 7(1)", "GDPR Art. 13(3)", "Policy §15"]
---*/
WITH newest AS (
    SELECT t.tenant_id, t.watched_to, arg_max(v.version, v.effective_from) AS newer, max(v.effective_from) AS effective_from
    FROM tenants AS t
    INNER JOIN policy_versions AS v ON v.renew_by <= t.watched_to
    WHERE v.is_material
    GROUP BY ALL
)
SELECT
    s.tenant_id,
    s.record,
    coalesce(v.policy_version, 'unknown') AS policy_version,
    n.newer,
    'register' AS feed,
    s.record || '/' || s.process AS event_id,
    v.recorded_at AS occurred_at,
    [CASE WHEN v.policy_version IS NULL THEN 'version_not_recorded' ELSE 'older_version' END] AS reasons,
    (SELECT min(a.app_id) FROM register_apps AS a WHERE a.tenant_id = s.tenant_id AND a.record = s.record) AS app_id,
    s.process
FROM newest AS n
INNER JOIN register_segments AS s
    ON
        n.tenant_id = s.tenant_id AND s.period_reason IS NULL
        AND coalesce(n.watched_to >= s.valid_from, TRUE) AND coalesce(n.watched_to < s.valid_to, TRUE)
INNER JOIN register_versions AS v
    ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
LEFT JOIN policy_versions AS p ON v.policy_version = p.version
WHERE p.effective_from IS NULL OR p.effective_from < n.effective_from

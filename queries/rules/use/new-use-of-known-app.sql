/*---
id: new-use-of-known-app
version: 1
severity: info
title: "{app_id} has begun to use {workload}"
question: Which known apps have begun to use a kind of data that they had left alone?
identity: [app_id, workload]
needs: [graph_activity, audit_exchange, audit_teams]
needs_complete: true
needs_register: true
evidence: >
  Accesses of the first day (UTC) on which a recorded app used an audited workload within its record, after it had used
  other audited workloads only for at least 7 days, all of them watched, and after the record had agreed to this workload
  for at least 7 days.
misses: >
  A first use within the first 7 watched days of the app, or right after the agreement began. A first use outside of the
  record has other rules. Use before the watched time, and calls that could not be placed.
advice: >
  Nothing is wrong with it. See that the people were told about this use, that the assessment of its risks covers it, and
  that the purpose in the record is what really happens.
control: [C05-1]
references: ["GDPR Art. 13(1)(c)", "GDPR Art. 35(11)", "GDPR Art. 5(1)(b)", "Policy §5"]
---*/
WITH uses AS (
    SELECT
        v.tenant_id,
        v.app_id,
        v.workload,
        min(epoch_us(v.first_at)) AS first_us,
        min(epoch_us(v.first_at)) FILTER (WHERE v.verdict = 'within') AS first_within_us
    FROM judged_forms AS v
    WHERE v.verdict <> 'out_of_scope' AND v.app_id IS NOT NULL AND v.first_at IS NOT NULL
    GROUP BY ALL
),
beginnings AS (
    SELECT *, min(first_us) OVER (PARTITION BY tenant_id, app_id) AS app_first_us
    FROM uses
),
new_uses AS (
    SELECT b.tenant_id, b.app_id, b.workload, b.first_us
    FROM beginnings AS b
    WHERE
        b.first_us = b.first_within_us
        AND b.first_us >= b.app_first_us + 7 * 86400000000
        AND EXISTS (
            SELECT 1
            FROM register_apps AS a
            INNER JOIN register_versions AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
            WHERE
                a.tenant_id = b.tenant_id AND a.app_id = b.app_id AND r.workload = b.workload
                AND epoch_us(r.effective_from) + 7 * 86400000000 <= b.first_us
        )
        -- A call that could not be placed may have been this very use.
        AND NOT EXISTS (
            SELECT 1 FROM uses AS u
            WHERE u.tenant_id = b.tenant_id AND u.app_id = b.app_id AND u.workload IS NULL AND u.first_us < b.first_us
        )
)
SELECT
    v.tenant_id,
    v.app_id,
    v.workload,
    v.feed,
    v.event_id,
    v.occurred_at,
    ['new_use'] AS reasons,
    v.record,
    v.process
FROM judged_accesses AS v
INNER JOIN new_uses AS n
    ON v.tenant_id = n.tenant_id AND v.app_id = n.app_id AND v.workload = n.workload
WHERE
    v.verdict <> 'out_of_scope'
    AND epoch_us(v.occurred_at) // 86400000000 = n.first_us // 86400000000

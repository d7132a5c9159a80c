/*---
id: burst-above-habit
version: 1
severity: medium
title: "{app_id} did far more {operation} on {workload} in a day than it is used to"
question: Which apps suddenly did far more with our people's data than they are used to?
identity: [app_id, workload, operation]
needs: [graph_activity]
needs_complete: true
needs_register: true
evidence: >
  Successful Graph calls of a day (UTC) on which an app made at least 100 of one operation on one audited workload, more
  than three times the median of its earlier active days, and more than ten spreads above that median. Its habit are the
  last 30 days before it on which it did this at all, at least 7; the spread is 1.4826 times the median absolute
  deviation, but not less than a tenth of the median, nor less than 1. Within or outside of a record makes no difference.
misses: >
  A slow rise, a burst of fewer than 100 calls, and the first 7 active days. What repeats seldom, such as a monthly run,
  looks like a burst. Only Graph activity counts: audit logs gather many accesses into one record. A burst of many short
  calls and one of few large downloads look different; logs tell calls, not messages.
advice: >
  Ask the app's owner what ran that day: a first load, a repair, a new customer, or somebody copying all there is. Where
  there is no good answer, treat the app's credentials as stolen until it is explained.
control: [C05-3]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 32(1)(d)", "GDPR Art. 33(1)", "Policy §7"]
---*/
WITH days AS (
    SELECT
        v.tenant_id,
        v.app_id,
        v.workload,
        v.operation,
        v.day AS active_day,
        sum(v.accesses) AS calls
    FROM daily_use AS v
    WHERE
        v.feed = 'graph_activity'
        AND v.verdict <> 'out_of_scope'
        AND v.app_id IS NOT NULL
    GROUP BY ALL
),
compared AS (
    SELECT
        *,
        list(calls) OVER (
            PARTITION BY tenant_id, app_id, workload, operation
            ORDER BY active_day ROWS BETWEEN 30 PRECEDING AND 1 PRECEDING
        ) AS earlier
    FROM days
),
habits AS (
    SELECT *, list_aggregate(earlier, 'median') AS habit
    FROM compared
    WHERE calls >= 100 AND len(earlier) >= 7
),
bursts AS (
    SELECT tenant_id, app_id, workload, operation, active_day
    FROM habits
    WHERE
        calls > 3 * habit
        AND calls > habit + 10 * greatest(
            1.4826 * list_aggregate(list_transform(earlier, LAMBDA n: abs(n - habit)), 'median'), habit / 10, 1
        )
)
SELECT
    v.tenant_id,
    v.app_id,
    v.workload,
    v.operation,
    v.feed,
    v.event_id,
    v.occurred_at,
    ['above_habit'] AS reasons,
    v.record,
    v.process
FROM judged_accesses AS v
INNER JOIN bursts AS b
    ON
        v.tenant_id = b.tenant_id
        AND v.app_id = b.app_id
        AND v.workload IS NOT DISTINCT FROM b.workload
        AND v.operation IS NOT DISTINCT FROM b.operation
        AND DATE '1970-01-01' + (epoch_us(v.occurred_at) // 86400000000)::INTEGER = b.active_day
WHERE v.feed = 'graph_activity' AND v.verdict <> 'out_of_scope'

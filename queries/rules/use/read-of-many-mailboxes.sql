/*---
id: read-of-many-mailboxes
version: 1
severity: high
title: "{app_id} read the {workload} of far more people in a day than it is used to"
question: Which apps suddenly looked into the mailboxes of many more people than before?
identity: [app_id, workload]
needs: [graph_activity]
needs_complete: true
evidence: >
  Successful Graph reads of a day (UTC) on which an app that is not Microsoft's read the mail, calendars or contacts of at
  least 10 people, more than three times the median number of people on its earlier active days, and more than ten
  spreads above it. Its habit are the last 30 active days before, at least 7; the spread is 1.4826 times the median
  absolute deviation, but not less than 1.
misses: >
  The first 7 active days, a slow rise, and calls that name nobody. One person by id and by user principal name counts
  twice where the directory does not tie the two. Reads by other ways than Graph.
advice: >
  Ask the app's owner whether customers or colleagues were added that day. If not, somebody may be collecting: revoke the
  app's credentials, list the people from the evidence, and weigh whether they have to be told.
control: [C05-3]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 5(1)(c)", "GDPR Art. 33(1)", "GDPR Art. 34(1)", "Policy §13"]
---*/
WITH reads AS (
    SELECT
        tenant_id,
        app_id,
        workload,
        epoch_us(occurred_at) // 86400000000 AS active_day,
        coalesce(resource_id, resource_name) AS person
    FROM access_events
    WHERE
        feed = 'graph_activity'
        AND operation = 'read'
        AND workload IN ('mail', 'calendar', 'contacts')
        AND succeeded IS DISTINCT FROM FALSE
        AND resource_kind = 'user'
        AND app_id IS NOT NULL
        AND occurred_at IS NOT NULL
        AND coalesce(resource_id, resource_name) IS NOT NULL
    GROUP BY ALL
),
days AS (
    SELECT tenant_id, app_id, workload, active_day, count(*) AS people
    FROM reads
    GROUP BY ALL
),
compared AS (
    SELECT
        *,
        list(people) OVER (
            PARTITION BY tenant_id, app_id, workload ORDER BY active_day ROWS BETWEEN 30 PRECEDING AND 1 PRECEDING
        ) AS earlier
    FROM days
),
habits AS (
    SELECT *, list_aggregate(earlier, 'median') AS habit
    FROM compared
    WHERE people >= 10 AND len(earlier) >= 7
),
wide_days AS (
    SELECT h.tenant_id, h.app_id, h.workload, h.active_day
    FROM habits AS h
    WHERE
        h.people > 3 * h.habit
        AND h.people > h.habit + 10 * greatest(
            1.4826 * list_aggregate(list_transform(h.earlier, LAMBDA n: abs(n - h.habit)), 'median'), 1
        )
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = h.tenant_id AND a.app_id = h.app_id AND a.is_first_party
        )
)
SELECT
    e.tenant_id,
    e.app_id,
    e.workload,
    e.feed,
    e.event_id,
    e.occurred_at,
    ['many_mailboxes'] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM access_events AS e
INNER JOIN wide_days AS d
    ON
        e.tenant_id = d.tenant_id AND e.app_id = d.app_id AND e.workload = d.workload
        AND epoch_us(e.occurred_at) // 86400000000 = d.active_day
WHERE
    e.feed = 'graph_activity'
    AND e.operation = 'read'
    AND e.succeeded IS DISTINCT FROM FALSE
    AND e.resource_kind = 'user'
    AND coalesce(e.resource_id, e.resource_name) IS NOT NULL

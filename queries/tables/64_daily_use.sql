/*---
table: daily_use
grain: one day (UTC) on which an app did one operation on one workload, by log and verdict
columns:
  tenant_id: tenant whose data was touched
  feed: log that shows it
  app_id: application that called; NULL when the record does not say
  workload: mail, calendar, …; NULL when the catalogue does not know the call
  operation: read, write, send or delete; NULL when not known
  verdict: within, outside, not_assessable or out_of_scope
  day: the day in UTC; accesses without a readable time are not here
  accesses: logged accesses of this day
---*/
WITH uses AS (
    SELECT
        row_number() OVER () AS use_no,
        *
    FROM (
        SELECT DISTINCT
            f.tenant_id,
            f.feed,
            f.app_id,
            f.workload,
            f.operation,
            a.verdict
        FROM form_counts AS c
        INNER JOIN access_forms AS f ON c.form_no = f.form_no
        INNER JOIN verdict_answers AS a ON c.answer_no = a.answer_no
    ) AS u
),

-- Numbers are counted many times quicker than names.
numbered AS (
    SELECT
        c.form_no,
        c.answer_no,
        u.use_no
    FROM form_counts AS c
    INNER JOIN access_forms AS f ON c.form_no = f.form_no
    INNER JOIN verdict_answers AS a ON c.answer_no = a.answer_no
    INNER JOIN uses AS u
        ON
            f.tenant_id = u.tenant_id
            AND f.feed = u.feed
            AND f.app_id IS NOT DISTINCT FROM u.app_id
            AND f.workload IS NOT DISTINCT FROM u.workload
            AND f.operation IS NOT DISTINCT FROM u.operation
            AND a.verdict = u.verdict
),

days AS (
    SELECT
        n.use_no,
        epoch_us(l.occurred_at) // 86400000000 AS day_no,
        count(*) AS accesses
    FROM access_log AS l
    INNER JOIN numbered AS n ON l.form_no = n.form_no AND l.answer_no = n.answer_no
    WHERE l.occurred_at IS NOT NULL
    GROUP BY ALL
)

SELECT
    u.tenant_id,
    u.feed,
    u.app_id,
    u.workload,
    u.operation,
    u.verdict,
    DATE '1970-01-01' + CAST(d.day_no AS INTEGER) AS day,
    d.accesses
FROM days AS d
INNER JOIN uses AS u ON d.use_no = u.use_no

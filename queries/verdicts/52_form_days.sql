/*---
table: form_days
grain: one form of access, one verdict that accesses of this form got, and one day (UTC); judged_days shows it in full
columns:
  tenant_id: tenant whose data was touched
  form_no: row of access_forms
  answer_no: row of verdict_answers
  day: the day in UTC; NULL for accesses whose time could not be read
  accesses: logged accesses of this form with this verdict on this day
  items: sum of item_count; NULL when no record says any
  first_at: time of the earliest
  last_at: time of the latest
---*/
SELECT
    tenant_id,
    form_no,
    answer_no,
    DATE '1970-01-01' + CAST(day_no AS INTEGER) AS day,
    accesses,
    items,
    first_at,
    last_at
FROM (
    SELECT
        tenant_id,
        form_no,
        answer_no,
        epoch_us(occurred_at) // 86400000000 AS day_no,
        count(*) AS accesses,
        sum(item_count)::BIGINT AS items,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM access_log
    GROUP BY ALL
) AS d

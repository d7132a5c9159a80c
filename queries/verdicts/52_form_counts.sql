/*---
table: form_counts
grain: one form of access and one verdict that accesses of this form got; judged_forms shows it in full
columns:
  tenant_id: tenant whose data was touched
  form_no: row of access_forms
  answer_no: row of verdict_answers
  accesses: logged accesses of this form with this verdict
  untimed: those whose time could not be read
  items: sum of item_count; NULL when no record says any
  first_at: time of the earliest
  last_at: time of the latest
---*/
SELECT
    g.tenant_id,
    c.*
FROM (
    SELECT
        form_no,
        answer_no,
        count(*) AS accesses,
        count(*) - count(occurred_at) AS untimed,
        sum(item_count)::BIGINT AS items,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM access_log
    GROUP BY form_no, answer_no
) AS c
INNER JOIN verdict_answers AS g ON c.answer_no = g.answer_no

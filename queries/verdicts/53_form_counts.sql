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
    tenant_id,
    form_no,
    answer_no,
    sum(accesses)::BIGINT AS accesses,
    coalesce(sum(accesses) FILTER (WHERE day IS NULL), 0)::BIGINT AS untimed,
    sum(items)::BIGINT AS items,
    min(first_at) AS first_at,
    max(last_at) AS last_at
FROM form_days
GROUP BY tenant_id, form_no, answer_no

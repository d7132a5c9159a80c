/*---
table: verdicts
view: true
grain: one access event, out of scope included
columns:
  tenant_id: the event's tenant
  feed: the event's feed
  event_id: the event's id
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the six dimensions; empty for within and out_of_scope
  record: the consent record that is within or nearest
  process: its process
  access: when, by which app, in which kind, on which workload, with which operation; copied from access_events, so that rules need not join millions of rows
---*/
SELECT
    l.tenant_id,
    l.feed,
    l.event_id,
    a.verdict,
    a.reasons,
    a.record,
    a.process,
    struct_pack(
        occurred_at := l.occurred_at,
        app_id := f.app_id,
        access_kind := f.access_kind,
        workload := f.workload,
        operation := f.operation
    ) AS access
FROM access_log AS l
INNER JOIN access_forms AS f ON l.form_no = f.form_no
INNER JOIN verdict_answers AS a ON l.answer_no = a.answer_no

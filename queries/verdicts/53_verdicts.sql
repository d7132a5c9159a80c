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
---*/
SELECT
    l.tenant_id,
    l.feed,
    coalesce(l.event_text, l.event_uuid::VARCHAR) AS event_id,
    a.verdict,
    a.reasons,
    a.record,
    a.process
FROM access_log AS l
INNER JOIN verdict_answers AS a ON l.answer_no = a.answer_no

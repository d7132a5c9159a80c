/*---
table: verdict_answers
grain: one answer that access events of a tenant got
columns:
  tenant_id: the events' tenant
  answer_no: number of the answer, as in access_log; good for one publication only
  verdict: within, outside, not_assessable or out_of_scope
  reasons: why it is not within, in the order of the six dimensions; empty for within and out_of_scope
  record: the consent record that is within or nearest
  process: its process
---*/
SELECT
    g.tenant_id,
    g.answer_no,
    c.verdict,
    c.reasons,
    g.record,
    g.process
FROM given_answers AS g
INNER JOIN answer_codes AS c ON g.code = c.code

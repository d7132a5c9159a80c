/*---
query: report-subject-requests
grain: one row per request of a data subject, open ones first, the one that is due first on top
params:
  limit: how many at most
columns:
  tenant_id: tenant
  request_id: number of the request
  kind: access, rectify, erase, restrict, portability or object
  received_at: when it came in
  legal_due_at: when the law wants it answered
  policy_due_at: when the policy promises it
  due_at: the earlier of the two
  answered_at: when it was answered
  state: open, answered, refused or extended
  total: requests in all, beyond the limit too
---*/
SELECT
    tenant_id,
    request_id,
    kind,
    received_at,
    legal_due_at,
    policy_due_at,
    due_at,
    answered_at,
    state,
    (SELECT count(a.tenant_id) FROM subject_requests AS a) AS total
FROM subject_requests
ORDER BY answered_at IS NOT NULL, state NOT IN ('open', 'extended'), due_at NULLS LAST, tenant_id, request_id
LIMIT CAST($limit AS BIGINT)

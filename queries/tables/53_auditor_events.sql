/*---
table: auditor_events
grain: something that happened to the auditor itself while it collected
columns:
  tenant_id: tenant
  event_id: its id
  occurred_at: when, by Microsoft's clock where it answered
  kind: >-
    link_refused (an answer named a place that the configuration does not), sign_in_failed (Microsoft refused),
    sign_in_impossible (nobody could be asked) or clock_differs (this computer's clock goes wrong)
  collection: what was being read; NULL when nothing was
  target: the place that was named, chosen by whoever wrote the answer; else Microsoft's code; NULL when there is neither
  detail: a sentence about it
  run_id: the run
---*/
SELECT
    tenant_id,
    event_id,
    occurred_at,
    kind,
    collection,
    target,
    detail,
    run_id
FROM collection_events

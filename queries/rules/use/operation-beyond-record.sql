/*---
id: operation-beyond-record
version: 1
severity: high
title: "{app_id} did {operation} on {workload}, which {record} does not agree to"
question: Which apps write, send or delete where something less was agreed to?
identity: [app_id, record, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside because the nearest recorded process, in force and about the same workload,
  does not list the operation.
misses: >
  Accesses that no log shows, and calls whose operation the catalogue does not know (those are not assessable). What was
  written, sent or deleted: logs tell of the call, not of the content.
advice: >
  Ask the app's owner what was changed and for whom; messages that were sent and items that were deleted may have to be
  told to the people concerned. Then take the wider permission back, or record the operation before it goes on.
control: [C05-1, C12-3]
references: ["GDPR Art. 5(1)(b)", "GDPR Art. 5(1)(f)", "GDPR Art. 28(3)(a)", "GDPR Art. 25(2)", "Policy §5"]
---*/
SELECT
    v.tenant_id,
    v.app_id,
    v.workload,
    v.operation,
    v.feed,
    v.event_id,
    v.occurred_at,
    v.reasons,
    v.record,
    v.process
FROM judged_accesses AS v
WHERE
    v.verdict = 'outside'
    AND list_contains(v.reasons, 'operation')
    AND NOT list_has_any(
        v.reasons, ['before_start', 'after_withdrawal', 'after_expiry', 'invalidated', 'workload']
    )

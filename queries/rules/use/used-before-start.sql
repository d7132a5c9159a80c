/*---
id: used-before-start
version: 1
severity: high
title: "{app_id} did {operation} on {workload} before {record} had begun"
question: Which apps began to use data before the agreement about it was in force?
identity: [app_id, record, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside because no version of the nearest recorded process had begun at that moment.
misses: >
  Accesses that no log shows. A record whose begin was set back afterwards: that use shows as explained-afterwards.
advice: >
  Ask who switched the app on, and on which ground the data was processed until the agreement began; if there was none,
  have what was collected removed. Never move the begin of the record back without the proof that it was agreed then.
control: [C12-1, C12-3]
references: ["GDPR Art. 6(1)", "GDPR Art. 28(3)", "GDPR Art. 5(1)(a)", "Policy §4"]
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
    AND list_contains(v.reasons, 'before_start')
    -- One period has one reason; should there ever be two, the end is the graver one.
    AND NOT list_has_any(v.reasons, ['after_withdrawal', 'after_expiry', 'invalidated'])

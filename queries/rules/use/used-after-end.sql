/*---
id: used-after-end
version: 2
key_version: 2
severity: critical
title: "{app_id} went on with {operation} on {workload} after {ended_by} of {record}"
question: Which apps went on using data after the agreement was withdrawn, had run out or was declared invalid?
identity: [app_id, record, workload, operation, ended_by]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside because the nearest recorded process had ended at that moment, by withdrawal,
  expiry or invalidation; the time the record gives an app to stop has been counted in.
misses: >
  Accesses that no log shows, and data that was copied out before the end and is used elsewhere.
advice: >
  Remove the grant and revoke the sign-in sessions today, ask the processor for a written account of what was read after
  the end, and decide whether it is a personal data breach. After an expiry, see first whether the agreement was renewed
  and only its record forgotten.
control: [C12-6, C09-7, C08-6]
references: ["GDPR Art. 7(3)", "GDPR Art. 5(1)(a)", "GDPR Art. 28(3)(a)", "GDPR Art. 33(1)", "Policy §4"]
---*/
SELECT
    v.tenant_id,
    v.app_id,
    v.workload,
    v.operation,
    CASE
        WHEN list_contains(v.reasons, 'invalidated') THEN 'invalidation'
        WHEN list_contains(v.reasons, 'after_withdrawal') THEN 'withdrawal'
        ELSE 'expiry'
    END AS ended_by,
    v.feed,
    v.event_id,
    v.occurred_at,
    v.reasons,
    v.record,
    v.process
FROM judged_accesses AS v
WHERE
    v.verdict = 'outside'
    AND list_has_any(v.reasons, ['after_withdrawal', 'after_expiry', 'invalidated'])

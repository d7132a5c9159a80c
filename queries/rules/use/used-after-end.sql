/*---
id: used-after-end
version: 1
severity: critical
title: "{app_id} went on with {operation} on {workload} after {record} had ended"
question: Which apps went on using data after the agreement was withdrawn, had run out or was declared invalid?
identity: [app_id, record, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside because the nearest recorded process had ended at that moment; the time the
  record gives an app to stop has been counted in.
misses: >
  Accesses that no log shows, and data that was copied out before the end and is used elsewhere.
advice: >
  Remove the grant and revoke the sign-in sessions today, ask the processor for a written account of what was read after
  the end, and decide whether it is a personal data breach.
references: ["GDPR Art. 7(3)", "GDPR Art. 5(1)(a)", "GDPR Art. 28(3)(a)", "GDPR Art. 33(1)", "Policy §4"]
---*/
SELECT
    e.tenant_id,
    e.app_id,
    e.workload,
    e.operation,
    e.feed,
    e.event_id,
    e.occurred_at,
    v.reasons,
    v.record,
    v.process
FROM verdicts AS v
INNER JOIN access_events AS e ON v.tenant_id = e.tenant_id AND v.feed = e.feed AND v.event_id = e.event_id
WHERE
    v.verdict = 'outside'
    AND list_has_any(v.reasons, ['after_withdrawal', 'after_expiry', 'invalidated'])

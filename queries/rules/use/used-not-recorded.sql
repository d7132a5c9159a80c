/*---
id: used-not-recorded
version: 1
severity: high
title: "{app_id} did {operation} on {workload} without a record of it"
question: Which apps used our people's data in a way nobody agreed to?
identity: [app_id, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside and whose nearest recorded process, if there is one, had not ended: no record
  at all, another mailbox, another operation, another permission, or a time before the record began.
misses: >
  Accesses that no log shows (a feed that is not collected, a call the log of Graph activity leaves out) and accesses
  that could not be assessed; those are counted as not assessable, never as agreed to.
advice: >
  Ask the app's owner what it does and why. Stop it, or record the processing before it goes on; a record that is written
  later shows as explained afterwards.
references: ["GDPR Art. 5(1)(b)", "GDPR Art. 28(3)(a)", "GDPR Art. 30(1)", "Policy §5"]
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
    -- What an ended process explains is used-after-end: together the two rules name every outside verdict, once.
    AND NOT list_has_any(coalesce(v.reasons, []), ['after_withdrawal', 'after_expiry', 'invalidated'])

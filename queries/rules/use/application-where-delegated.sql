/*---
id: application-where-delegated
version: 1
severity: high
title: "{app_id} did {operation} on {workload} as itself, beyond {record}"
question: Which apps act without anybody in front of the screen although only use by a signed-in person was agreed to?
identity: [app_id, record, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses by the application itself whose verdict is outside because the nearest recorded process, in force and
  about the same workload and operation, lists delegated permissions only.
misses: >
  Accesses that no log shows, and those of which the log does not say whether a person was signed in. The reverse,
  delegated use where application use is recorded, is in used-not-recorded or resource-outside-record.
advice: >
  An application permission reaches every mailbox, at every hour, whoever is at work. Find out who granted it, take it
  back, and have the app use the person's own sign-in; or record the wider use and its purpose before it goes on.
control: [C12-4]
references: ["GDPR Art. 25(2)", "GDPR Art. 5(1)(c)", "GDPR Art. 28(3)(a)", "GDPR Art. 32(1)(b)", "Policy §7"]
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
    AND v.access_kind = 'application'
    AND list_contains(v.reasons, 'access_kind')
    AND NOT list_has_any(
        v.reasons, ['before_start', 'after_withdrawal', 'after_expiry', 'invalidated', 'workload', 'operation']
    )

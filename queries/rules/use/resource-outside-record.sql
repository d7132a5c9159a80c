/*---
id: resource-outside-record
version: 1
severity: high
title: "{app_id} did {operation} on {workload} of others than {record} covers"
question: Whose mailbox, calendar or team did an app use although the agreement does not cover them?
identity: [app_id, record, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside because the mailbox, calendar, chat or team is not among those that the nearest
  recorded process covers, while it is in force and about the same workload and operation.
misses: >
  Accesses that no log shows. Where the log names no resource, or membership of a recorded group was not observed at that
  time, the access is not assessable and not named here.
advice: >
  List the people concerned (the evidence names them), stop the access with an application access policy or a management
  scope in Exchange, and ask what was done with their data. They may have to be told.
control: [C12-5, C07-6]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 28(3)(a)", "GDPR Art. 33(1)", "Policy §5"]
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
    AND list_contains(v.reasons, 'resource')
    AND NOT list_has_any(
        v.reasons, ['before_start', 'after_withdrawal', 'after_expiry', 'invalidated', 'workload', 'operation']
    )
    -- That is application-where-delegated, whatever mailbox it was.
    AND NOT (list_contains(v.reasons, 'access_kind') AND coalesce(v.access_kind = 'application', FALSE))

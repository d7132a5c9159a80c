/*---
id: used-not-recorded
version: 2
severity: high
title: "{app_id} did {operation} on {workload} without a record of it"
question: Which apps used our people's data in a way nobody agreed to?
identity: [app_id, workload, operation]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Logged accesses whose verdict is outside and that no rule about one difference names: no record at all, another
  workload than any recorded one, a call that needs another permission, or a signed-in person where only the application
  itself is recorded.
misses: >
  Accesses that no log shows (a feed that is not collected, a call the log of Graph activity leaves out) and accesses
  that could not be assessed; those are counted as not assessable, never as agreed to.
advice: >
  Ask the app's owner what it does and why. Stop it, or record the processing before it goes on; a record that is written
  later shows as explained afterwards.
control: [C12-3, C05-1]
references: ["GDPR Art. 5(1)(b)", "GDPR Art. 28(3)(a)", "GDPR Art. 30(1)", "Policy §5"]
---*/
WITH outside AS (
    SELECT
        v.*,
        coalesce(v.reasons, []) AS why
    FROM judged_accesses AS v
    WHERE v.verdict = 'outside'
)
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
FROM outside AS v
WHERE
    -- What is left by used-after-end, used-before-start, operation-beyond-record, application-where-delegated and
    -- resource-outside-record: together the six name every outside verdict, each once.
    NOT list_has_any(v.why, ['before_start', 'after_withdrawal', 'after_expiry', 'invalidated'])
    AND (
        list_contains(v.why, 'workload')
        OR NOT (
            list_has_any(v.why, ['operation', 'resource'])
            OR (list_contains(v.why, 'access_kind') AND coalesce(v.access_kind = 'application', FALSE))
        )
    )

/*---
id: audit-weakened
version: 1
severity: critical
title: "The audit was weakened: {change} ({target})"
question: Who switched off, or thinned out, the very logs that would show misuse?
identity: [change, target]
needs: [audit_exchange, audit_other]
evidence: >
  Commands, not known to have failed, that end the unified audit log, the administrators' audit or the audit of mailboxes,
  that let somebody pass by it, that keep a mailbox's audit for less than 90 days, or that remove a retention of the audit.
misses: >
  What the log stopped telling once it was off. Diagnostic settings that were deleted in Azure: that log is not collected,
  and shows here as a blind spot. Licences taken away, single audited actions removed from a mailbox, changes from before the
  watched time.
advice: >
  Switch it on again today, find out who did it and why, and treat the time in between as not observed; decide whether it is
  part of a personal data breach.
control: [C07-5]
references: ["GDPR Art. 5(2)", "GDPR Art. 32(1)(d)", "GDPR Art. 33(1)", "Policy §7", "Policy §13"]
---*/
SELECT
    c.tenant_id,
    c.change,
    coalesce(c.subject, 'the whole tenant') AS target,
    c.feed,
    c.event_id,
    c.occurred_at,
    [c.change] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM admin_changes AS c
WHERE
    c.change IN (
        'audit_log_off', 'admin_audit_off', 'mailbox_audit_off', 'mailbox_audit_bypass', 'mailbox_audit_short',
        'retention_removed'
    )
    AND c.succeeded IS DISTINCT FROM FALSE

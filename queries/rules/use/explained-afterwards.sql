/*---
id: explained-afterwards
version: 1
severity: low
title: "{app_id} was at work for {record}/{process} before that was written down"
question: Which use was agreed to only after it had happened?
identity: [app_id, record, process]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  Accesses that are within a record, at a time when the entry that agrees to them had not been written down yet.
misses: >
  Accesses that no log shows. When an entry was really written: the record says so itself.
advice: >
  Check that the agreement was really made before the use, and keep the proof with the record; else treat the accesses as
  made without one.
control: [C12-1]
references: ["GDPR Art. 5(2)", "GDPR Art. 7(1)", "Policy §4"]
---*/
SELECT
    v.tenant_id,
    v.app_id,
    v.feed,
    v.event_id,
    v.occurred_at,
    ['recorded_later'] AS reasons,
    v.record,
    v.process
FROM judged_accesses AS v
INNER JOIN register_segments AS s
    ON
        v.tenant_id = s.tenant_id AND v.record = s.record AND v.process = s.process
        AND coalesce(v.occurred_at >= s.valid_from, TRUE) AND coalesce(v.occurred_at < s.valid_to, TRUE)
INNER JOIN register_versions AS r
    ON
        s.tenant_id = r.tenant_id AND s.record = r.record
        AND s.process = r.process AND s.version = r.version
WHERE v.verdict = 'within' AND v.occurred_at < r.recorded_at

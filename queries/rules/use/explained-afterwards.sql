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
references: ["GDPR Art. 5(2)", "GDPR Art. 7(1)", "Policy §4"]
---*/
SELECT
    e.tenant_id,
    e.app_id,
    e.feed,
    e.event_id,
    e.occurred_at,
    ['recorded_later'] AS reasons,
    v.record,
    v.process
FROM verdicts AS v
INNER JOIN access_events AS e ON v.tenant_id = e.tenant_id AND v.feed = e.feed AND v.event_id = e.event_id
INNER JOIN register_segments AS s
    ON
        v.tenant_id = s.tenant_id AND v.record = s.record AND v.process = s.process
        AND coalesce(e.occurred_at >= s.valid_from, TRUE) AND coalesce(e.occurred_at < s.valid_to, TRUE)
INNER JOIN register_versions AS r
    ON
        s.tenant_id = r.tenant_id AND s.record = r.record
        AND s.process = r.process AND s.version = r.version
WHERE v.verdict = 'within' AND e.occurred_at < r.recorded_at

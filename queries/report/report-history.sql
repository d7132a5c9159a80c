/*---
query: report-history
grain: one row per entry of the journal about a finding that the report shows, the oldest first
params:
  findings: how many findings at most, as in report-findings
  rows: how many entries of each finding at most, the newest
columns:
  tenant_id: tenant
  seq: place in the journal
  at: when
  kind: always finding
  subject_id: the finding
  event: what was done
  roles: roles of who did it, at that time
  person: who did it, as a natural person
  how: entra, os or machine
  asked_state: state that was decided or asked for
  reason: why
  opinion: what the data protection officer thinks of it
---*/
WITH gravest AS (
    SELECT tenant_id, finding_id FROM findings
    ORDER BY
        state = 'resolved',
        list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
        last_seen_at DESC NULLS LAST,
        tenant_id,
        finding_id
    LIMIT CAST($findings AS BIGINT)
)
SELECT
    e.tenant_id,
    e.seq,
    e."at",
    e.kind,
    e.subject AS subject_id,
    e.event,
    e.roles,
    e.person,
    e.how,
    e.body ->> '$.to' AS asked_state,
    e.body ->> '$.reason' AS reason,
    e.body ->> '$.opinion' AS opinion
FROM review_events AS e
SEMI JOIN gravest AS g ON e.tenant_id = g.tenant_id AND e.subject = g.finding_id
WHERE e.kind = 'finding'
QUALIFY row_number() OVER (PARTITION BY e.tenant_id, e.subject ORDER BY e.seq DESC) <= CAST($rows AS BIGINT)
ORDER BY e.tenant_id, e.subject, e.seq

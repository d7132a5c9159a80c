/*---
query: report-reviews
grain: one row per reviewed finding of those that the report shows
params:
  findings: how many findings at most, as in report-findings
columns:
  tenant_id: tenant
  finding_id: finding
  decision: what was decided
  pending: what was asked for and waits for a second person
  returned: why the machine took a decision back
  reason: why it was decided
  breach: whether it is a breach of personal data
  owner: who carries the risk, or mends it
  due_at: when it has to be mended
  expires_at: when an acceptance ends
  decided_at: when it was decided
  requested_at: when it was asked for
  approved_at: when the second person agreed
  is_second_person_off: whether one person was enough by configuration
  evidence: what was pointed at
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
    r.tenant_id,
    r.finding_id,
    r.decision,
    r.pending,
    r.returned,
    r.reason,
    r.breach,
    r.owner,
    r.due_at,
    r.expires_at,
    r.decided_at,
    r.requested_at,
    r.approved_at,
    r.is_second_person_off,
    r.evidence
FROM finding_reviews AS r
SEMI JOIN gravest AS g ON r.tenant_id = g.tenant_id AND r.finding_id = g.finding_id
ORDER BY r.tenant_id, r.finding_id

/*---
query: report-decisions
grain: one row per finding on which a person has said something, the newest first
params:
  everything: TRUE for every other finding too, with the time by which it has to be decided on
columns:
  tenant_id: tenant
  finding_id: finding
  severity: how grave it is
  title: what it says; NULL when the ledger knows no such finding any more
  decision: what was decided
  pending: what was asked for and waits for a second person
  returned: why the machine took a decision back
  reason: why it was decided
  breach: whether it is a breach of personal data
  owner: who carries the risk, or mends it
  due_at: when it has to be decided on, or mended
  expires_at: when an acceptance ends
  decided_at: when it was decided
  decided_roles: roles of who decided
  requested_at: when it was asked for
  requested_roles: roles of who asked
  approved_at: when the second person agreed
  approved_roles: roles of the second person
  is_second_person_off: whether one person was enough by configuration
  evidence: what was pointed at
---*/
WITH said AS (
    SELECT e.tenant_id, e.subject, e."at" AS said_at, any_value(e.roles) AS roles
    FROM review_events AS e
    WHERE e.kind = 'finding'
    GROUP BY ALL
)
SELECT
    r.tenant_id,
    r.finding_id,
    f.severity,
    f.title,
    r.decision,
    r.pending,
    r.returned,
    r.reason,
    r.breach,
    r.owner,
    r.due_at,
    r.expires_at,
    r.decided_at,
    d.roles AS decided_roles,
    r.requested_at,
    q.roles AS requested_roles,
    r.approved_at,
    a.roles AS approved_roles,
    r.is_second_person_off,
    r.evidence
FROM finding_reviews AS r
LEFT JOIN findings AS f ON r.tenant_id = f.tenant_id AND r.finding_id = f.finding_id
LEFT JOIN said AS d ON r.tenant_id = d.tenant_id AND r.finding_id = d.subject AND r.decided_at = d.said_at
LEFT JOIN said AS q ON r.tenant_id = q.tenant_id AND r.finding_id = q.subject AND r.requested_at = q.said_at
LEFT JOIN said AS a ON r.tenant_id = a.tenant_id AND r.finding_id = a.subject AND r.approved_at = a.said_at
WHERE $everything OR r.version > 0
ORDER BY coalesce(r.approved_at, r.decided_at, r.requested_at) DESC NULLS LAST, r.tenant_id, r.finding_id

/*---
query: report-waiting
grain: one row, what waits for a decision and what was decided, over all open findings
params:
  now: present time
columns:
  pending: endings that were asked for and wait for a second person
  grave_undecided: critical and high findings that nobody has decided
  undecided: open findings that nobody has decided
  returned: findings that the machine took back
  expired: of these, because an acceptance ended
  opinions: acceptances asked for on which the data protection officer has not said anything
  accepted: accepted findings
  disagreed: of these, ones that the data protection officer disagreed with
  false_positive: findings that were called a mistake of the machine
  explained: findings that were explained afterwards
  overdue: findings whose next step should have been made by now
  finding_ids: the first of those that wait, the gravest first, then those that are due first
---*/
WITH opinions AS (
    SELECT
        tenant_id,
        subject AS finding_id,
        max_by(body ->> '$.opinion', seq) AS opinion
    FROM review_events
    WHERE kind = 'finding' AND body ->> '$.opinion' IS NOT NULL
    GROUP BY tenant_id, subject
),
known AS (
    SELECT
        f.tenant_id,
        f.finding_id,
        f.severity,
        coalesce(r.decision, f.decision) AS decision,
        r.pending,
        r.returned,
        r.due_at,
        f.evidence_count,
        o.opinion,
        f.severity IN ('critical', 'high') AS is_grave
    FROM findings AS f
    LEFT JOIN finding_reviews AS r ON f.tenant_id = r.tenant_id AND f.finding_id = r.finding_id
    LEFT JOIN opinions AS o ON f.tenant_id = o.tenant_id AND f.finding_id = o.finding_id
    WHERE f.state = 'open'
),
waiting AS (
    SELECT
        finding_id,
        due_at,
        evidence_count,
        list_position(['critical', 'high', 'medium', 'low', 'info'], severity) AS rank
    FROM known
    WHERE pending IS NOT NULL OR returned IS NOT NULL OR (decision IS NULL AND is_grave)
)
SELECT
    count(*) FILTER (WHERE pending IS NOT NULL) AS pending,
    count(*) FILTER (WHERE decision IS NULL AND pending IS NULL AND is_grave) AS grave_undecided,
    count(*) FILTER (WHERE decision IS NULL) AS undecided,
    count(*) FILTER (WHERE returned IS NOT NULL) AS returned,
    count(*) FILTER (WHERE returned = 'expired') AS expired,
    count(*) FILTER (WHERE pending = 'accepted' AND opinion IS NULL) AS opinions,
    count(*) FILTER (WHERE decision = 'accepted') AS accepted,
    count(*) FILTER (WHERE decision = 'accepted' AND opinion = 'disagree') AS disagreed,
    count(*) FILTER (WHERE decision = 'false_positive') AS false_positive,
    count(*) FILTER (WHERE decision = 'explained') AS explained,
    count(*) FILTER (WHERE due_at < CAST($now AS TIMESTAMPTZ)) AS overdue,
    (SELECT list(w.finding_id ORDER BY w.rank, w.due_at NULLS LAST, w.evidence_count DESC, w.finding_id) FROM waiting AS w)[1:20] AS finding_ids
FROM known

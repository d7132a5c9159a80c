/*---
query: report-coverage
grain: one row per tenant and feed
columns:
  tenant_id: tenant
  feed: feed
  watched_seconds: length of the time watched in this tenant
  covered_seconds: of it, covered by evidence that is complete or provisional
  complete_seconds: of it, covered by evidence that is complete
  observations: intervals of evidence
  gaps: intervals recorded as gaps
  gap_reasons: their reasons
  gap_details: what the collector says about them and the next step; at most three sentences
  records: records received
  first_at: begin of the first interval with evidence
  last_at: end of the last one
---*/
WITH intervals AS (
    SELECT
        c.tenant_id,
        c.feed,
        c.state,
        greatest(c.covered_from, t.watched_from) AS from_at,
        least(c.covered_to, t.watched_to) AS to_at
    FROM coverage AS c
    INNER JOIN tenants AS t ON c.tenant_id = t.tenant_id
    WHERE c.state <> 'gap'
),
reached AS (
    -- Intervals may overlap: a second is counted once, from where the earlier intervals ended.
    SELECT
        *,
        max(to_at) OVER (
            PARTITION BY tenant_id, feed ORDER BY from_at, to_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_until,
        max(CASE WHEN state = 'complete' THEN to_at END) OVER (
            PARTITION BY tenant_id, feed ORDER BY from_at, to_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS complete_until
    FROM intervals
),
lengths AS (
    SELECT
        tenant_id,
        feed,
        sum(greatest(epoch(to_at) - epoch(greatest(from_at, coalesce(covered_until, from_at))), 0)) AS covered_seconds,
        sum(greatest(epoch(to_at) - epoch(greatest(from_at, coalesce(complete_until, from_at))), 0))
            FILTER (WHERE state = 'complete') AS complete_seconds
    FROM reached
    GROUP BY tenant_id, feed
)
SELECT
    c.tenant_id,
    c.feed,
    coalesce(epoch(t.watched_to) - epoch(t.watched_from), 0) AS watched_seconds,
    coalesce(any_value(l.covered_seconds), 0) AS covered_seconds,
    coalesce(any_value(l.complete_seconds), 0) AS complete_seconds,
    count(*) FILTER (WHERE c.state <> 'gap') AS observations,
    count(*) FILTER (WHERE c.state = 'gap') AS gaps,
    coalesce(list(DISTINCT c.reason ORDER BY c.reason) FILTER (WHERE c.state = 'gap' AND c.reason IS NOT NULL), [])
        AS gap_reasons,
    coalesce(list(DISTINCT c.detail ORDER BY c.detail) FILTER (WHERE c.state = 'gap' AND c.detail IS NOT NULL), [])[1:3]
        AS gap_details,
    coalesce(sum(c.records), 0)::BIGINT AS records,
    min(c.covered_from) FILTER (WHERE c.state <> 'gap') AS first_at,
    max(c.covered_to) FILTER (WHERE c.state <> 'gap') AS last_at
FROM coverage AS c
LEFT JOIN tenants AS t ON c.tenant_id = t.tenant_id
LEFT JOIN lengths AS l ON c.tenant_id = l.tenant_id AND c.feed = l.feed
GROUP BY c.tenant_id, c.feed, t.watched_from, t.watched_to
ORDER BY c.tenant_id, c.feed

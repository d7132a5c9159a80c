/*---
query: report-gaps
grain: one row per tenant, log and time that was not read, of the logs that show use
params:
  limit: how many at most
columns:
  tenant_id: tenant
  feed: log
  workloads: kinds of data whose use it would show
  gap_from: begin
  gap_to: end
  reason: why it was not read
---*/
WITH shown AS (
    SELECT feed, list(DISTINCT workload ORDER BY workload) AS workloads
    FROM workload_feeds
    GROUP BY feed
)
SELECT
    c.tenant_id,
    c.feed,
    s.workloads,
    c.covered_from AS gap_from,
    c.covered_to AS gap_to,
    c.reason
FROM coverage AS c
INNER JOIN shown AS s ON c.feed = s.feed
WHERE c.state = 'gap' AND c.covered_to > c.covered_from
ORDER BY c.covered_to - c.covered_from DESC, c.tenant_id, c.feed, c.covered_from
LIMIT CAST($limit AS BIGINT)

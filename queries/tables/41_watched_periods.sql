/*---
table: watched_periods
temporary: true
grain: one row per tenant with log evidence
columns:
  tenant_id: tenant
  watched_from: beginning of the oldest interval that any log of the tenant covers, or of which it is known that it was not read
  watched_to: end of the newest
---*/
SELECT
    w.tenant_id,
    -- What retention has removed is not watched any more.
    min(greatest(w.covered_from, coalesce(p.purged_until, w.covered_from))) AS watched_from,
    max(w.covered_to) AS watched_to
FROM (
    SELECT tenant_id, feed, covered_from, covered_to FROM coverage_windows
    UNION ALL
    SELECT tenant_id, feed, covered_from, covered_to FROM collection_windows
) AS w
LEFT JOIN purged_feeds AS p ON w.tenant_id = p.tenant_id AND w.feed = p.feed
WHERE p.purged_until IS NULL OR w.covered_to > p.purged_until
GROUP BY ALL

/*---
query: report-run
grain: one row, the run that made the published state
columns:
  run_id: newest run
  command: what was run
  generated_at: when it finished, or started where the end is not written yet
  version: version of the product
  register_hash: hash of the consent register that was judged with
  register_state: valid, invalid or absent; invalid when it was so for any tenant
  previous_run_at: start of the run before it
---*/
WITH newest AS (
    SELECT run_id FROM runs ORDER BY started_at DESC NULLS LAST, run_id DESC LIMIT 1
)
SELECT
    r.run_id,
    min(r.command) AS command,
    coalesce(max(r.finished_at), max(r.started_at)) AS generated_at,
    min(r.version) AS version,
    min(r.register_hash) AS register_hash,
    CASE
        WHEN bool_or(r.register_state = 'invalid') THEN 'invalid'
        WHEN bool_or(r.register_state = 'absent') THEN 'absent'
        ELSE min(r.register_state)
    END AS register_state,
    (
        SELECT max(p.started_at) FROM runs AS p
        WHERE p.run_id <> r.run_id AND p.started_at < min(r.started_at)
    ) AS previous_run_at
FROM runs AS r
INNER JOIN newest AS n ON r.run_id = n.run_id
GROUP BY r.run_id

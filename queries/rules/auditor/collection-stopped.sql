/*---
id: collection-stopped
version: 1
severity: medium
title: "{feed} has not been read since {read_until}"
question: Has the auditor stopped looking, without anybody noticing?
identity: [feed, read_until]
needs: []
needs_collection: true
evidence: >
  A log or listing that the auditor read before, of which nothing newer was read for longer than the policy allows
  (collection_pause), by the newest time of Microsoft's clock that the auditor saw in any tenant. The reason says whether it
  was tried since.
misses: >
  An auditor that has stopped for all tenants at once: nothing then tells it the time. Logs that were never read: those are
  gaps in the coverage.
advice: >
  Run `m365audit doctor` for the tenant; then `m365audit run`, which reads what is missing as far back as Microsoft keeps it.
control: [C07-5]
references: ["GDPR Art. 5(2)", "GDPR Art. 32(1)(d)", "Policy §7"]
---*/
SELECT
    f.tenant_id,
    f.feed,
    strftime(make_timestamp(epoch_us(f.read_until)), '%Y-%m-%dT%H:%M:%SZ') AS read_until,
    f.feed || ' until ' || read_until AS event_id,
    f.read_until AS occurred_at,
    f.clock_at AS last_seen_at,
    [
        CASE
            WHEN f.last_tried_at > f.clock_at - to_seconds(p.collection_pause_seconds) THEN 'reading_failed'
            ELSE 'not_tried'
        END
    ] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM collected_feeds AS f
CROSS JOIN policy_settings AS p
WHERE f.read_until < f.clock_at - to_seconds(p.collection_pause_seconds)

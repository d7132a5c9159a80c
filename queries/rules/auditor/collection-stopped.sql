/*---
id: collection-stopped
version: 2
key_version: 2
severity: medium
title: "The auditor has stopped reading {stopped}"
question: Has the auditor stopped looking, without anybody noticing?
identity: [stopped]
needs: []
needs_collection: true
evidence: >
  Logs and listings that the auditor read before, of which nothing newer was read for longer than the policy allows
  (collection_pause), by the newest time of Microsoft's clock that the auditor saw in any tenant. One piece of evidence for
  each, with the time until which it was read; the reasons say whether they were tried since. Reading one of several again
  is another finding than reading none.
misses: >
  An auditor that has stopped for all tenants at once: nothing then tells it the time. Logs that were never read: those are
  gaps in the coverage.
advice: >
  Run `m365audit doctor` for the tenant; then `m365audit run`, which reads what is missing as far back as Microsoft keeps it.
control: [C07-5]
references: ["GDPR Art. 5(2)", "GDPR Art. 32(1)(d)", "Policy §7"]
---*/
WITH judged AS (
    SELECT
        f.tenant_id,
        f.feed,
        f.read_until,
        f.last_tried_at,
        f.clock_at,
        p.collection_pause_seconds AS pause,
        coalesce(f.read_until < f.clock_at - to_seconds(p.collection_pause_seconds), FALSE) AS is_stopped
    FROM collected_feeds AS f
    CROSS JOIN policy_settings AS p
    WHERE f.read_until IS NOT NULL
)
SELECT
    j.tenant_id,
    CASE
        WHEN bool_and(j.is_stopped) OVER (PARTITION BY j.tenant_id) THEN 'everything' ELSE 'some logs or listings'
    END AS stopped,
    j.feed,
    j.feed || ' until ' || strftime(make_timestamp(epoch_us(j.read_until)), '%Y-%m-%dT%H:%M:%SZ') AS event_id,
    j.read_until AS occurred_at,
    j.clock_at AS last_seen_at,
    [CASE WHEN j.last_tried_at > j.clock_at - to_seconds(j.pause) THEN 'reading_failed' ELSE 'not_tried' END] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM judged AS j
QUALIFY j.is_stopped

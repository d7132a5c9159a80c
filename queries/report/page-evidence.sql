/*---
query: page-evidence
grain: one row per piece of evidence of one finding, in order of time, one page of them
params:
  tenant: tenant id
  finding: finding id
  limit: how many at most
  skip: how many before them
columns:
  feed: feed of the event
  event_id: the event's own id in that feed
  occurred_at: when
  app_id: app, where the event names one
  workload: workload of an access event
  operation: operation of an access event
  what: masked endpoint, audited operation or kind of sign-in; no person's name
  resource_kind: user, group, team or chat
  resource_id: the directory's id of what was touched
  country: country of the address it came from
  verdict: verdict of an access event
  reasons: its reasons
  total: pieces in all, beyond this page too
---*/
WITH picked AS (
    SELECT e.tenant_id, e.feed, e.event_id, e.occurred_at, count(*) OVER () AS total
    FROM finding_evidence AS e
    WHERE e.tenant_id = $tenant AND e.finding_id = $finding
    ORDER BY e.occurred_at NULLS LAST, e.feed, e.event_id
    LIMIT CAST($limit AS BIGINT) OFFSET CAST($skip AS BIGINT)
),
touched AS (
    SELECT *
    FROM judged_accesses AS a
    SEMI JOIN picked AS p ON a.tenant_id = p.tenant_id AND a.feed = p.feed AND a.event_id = p.event_id
)
SELECT
    p.feed,
    p.event_id,
    coalesce(p.occurred_at, e.occurred_at, s.occurred_at, d.occurred_at) AS occurred_at,
    coalesce(e.app_id, s.app_id, d.app_id) AS app_id,
    e.workload,
    e.operation,
    coalesce(e.endpoint, 'sign-in, ' || s.kind, d.activity) AS what,
    e.resource_kind,
    e.resource_id,
    coalesce(e.country, s.country) AS country,
    e.verdict,
    e.reasons,
    p.total
FROM picked AS p
LEFT JOIN touched AS e ON p.tenant_id = e.tenant_id AND p.feed = e.feed AND p.event_id = e.event_id
LEFT JOIN sign_ins AS s
    ON p.tenant_id = s.tenant_id AND p.event_id = s.event_id AND p.feed LIKE 'sign_ins_%'
LEFT JOIN directory_changes AS d
    ON p.tenant_id = d.tenant_id AND p.event_id = d.event_id AND p.feed = 'directory_audits'
ORDER BY p.occurred_at NULLS LAST, p.feed, p.event_id

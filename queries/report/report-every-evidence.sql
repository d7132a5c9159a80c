/*---
query: report-every-evidence
grain: one row per finding and piece of evidence
columns:
  tenant_id: tenant
  finding_id: finding
  feed: feed of the event
  event_id: the event's own id in that feed
  occurred_at: when
  app_id: app, where the event names one
  workload: workload of an access event
  operation: operation of an access event
  what: masked endpoint, audited operation or kind of sign-in; no person's name
  resource_kind: user, group, team or chat
  resource_id: the directory's id of what was touched; names stay in the database
  country: country of the address it came from
  verdict: verdict of an access event
  reasons: its reasons
---*/
SELECT
    r.tenant_id,
    r.finding_id,
    r.feed,
    r.event_id,
    coalesce(r.occurred_at, e.occurred_at, s.occurred_at, d.occurred_at) AS occurred_at,
    coalesce(e.app_id, s.app_id, d.app_id) AS app_id,
    e.workload,
    e.operation,
    coalesce(e.endpoint, 'sign-in, ' || s.kind, d.activity) AS what,
    e.resource_kind,
    e.resource_id,
    coalesce(e.country, s.country) AS country,
    e.verdict,
    e.reasons
FROM finding_evidence AS r
LEFT JOIN judged_accesses AS e ON r.tenant_id = e.tenant_id AND r.feed = e.feed AND r.event_id = e.event_id
LEFT JOIN sign_ins AS s
    ON r.tenant_id = s.tenant_id AND r.event_id = s.event_id AND r.feed LIKE 'sign_ins_%'
LEFT JOIN directory_changes AS d
    ON r.tenant_id = d.tenant_id AND r.event_id = d.event_id AND r.feed = 'directory_audits'
ORDER BY r.tenant_id, r.finding_id, r.occurred_at NULLS LAST, r.feed, r.event_id

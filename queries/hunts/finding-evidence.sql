/*---
id: finding-evidence
title: All the evidence of one finding, in order of time
question: Which events stand behind this finding?
parameters:
  tenant: {type: VARCHAR, default: null, description: "the tenant's id; without it nothing is listed"}
  finding: {type: VARCHAR, default: null, description: "the finding's id; without it nothing is listed"}
columns: [tenant_id, finding_id, feed, event_id, occurred_at, app_id, workload, operation, endpoint, resource_kind, resource_id, resource_name, item_count, ip_address, country, verdict, reasons]
---*/
SELECT
    f.tenant_id,
    f.finding_id,
    f.feed,
    f.event_id,
    coalesce(f.occurred_at, e.occurred_at, s.occurred_at, d.occurred_at) AS occurred_at,
    coalesce(e.app_id, s.app_id, d.app_id) AS app_id,
    e.workload,
    e.operation,
    coalesce(e.endpoint, 'sign-in, ' || s.kind, d.activity) AS endpoint,
    e.resource_kind,
    e.resource_id,
    e.resource_name,
    e.item_count,
    coalesce(e.ip_address, s.ip_address) AS ip_address,
    coalesce(e.country, s.country) AS country,
    e.verdict,
    e.reasons
FROM finding_evidence AS f
LEFT JOIN judged_accesses AS e ON f.tenant_id = e.tenant_id AND f.feed = e.feed AND f.event_id = e.event_id
LEFT JOIN sign_ins AS s
    ON f.tenant_id = s.tenant_id AND f.event_id = s.event_id AND f.feed LIKE 'sign_ins_%'
LEFT JOIN directory_changes AS d
    ON f.tenant_id = d.tenant_id AND f.event_id = d.event_id AND f.feed = 'directory_audits'
WHERE f.tenant_id = $tenant::VARCHAR AND f.finding_id = $finding::VARCHAR
ORDER BY f.occurred_at NULLS LAST, f.feed, f.event_id

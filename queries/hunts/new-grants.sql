/*---
id: new-grants
title: Grants by the time they were first seen
question: Which apps got new permissions, and does anybody know of it?
parameters:
  since: {type: TIMESTAMPTZ, default: null, description: "only grants first seen from this time on (UTC)"}
  audited_only: {type: BOOLEAN, default: true, description: "only permissions that reach an audited workload or have no known name"}
columns: [tenant_id, first_seen_at, app_id, app_name, publisher, is_first_party, is_recorded, permission, kind, granted_for, principal_id, workload, is_current, source, grant_id]
---*/
SELECT
    g.tenant_id,
    g.first_seen_at,
    g.app_id,
    coalesce(a.app_name, g.app_name) AS app_name,
    a.publisher,
    a.is_first_party,
    a.is_recorded,
    coalesce(g.permission, g.app_role_id) AS permission,
    g.kind,
    g.granted_for,
    g.principal_id,
    g.workload,
    g.is_current,
    g.source,
    g.grant_id
FROM grants AS g
LEFT JOIN apps AS a ON g.tenant_id = a.tenant_id AND g.app_id = a.app_id
WHERE
    ($since::TIMESTAMPTZ IS NULL OR g.first_seen_at >= $since)
    AND (NOT $audited_only::BOOLEAN OR g.workload IS NOT NULL OR g.permission IS NULL)
ORDER BY g.first_seen_at DESC NULLS LAST, g.tenant_id, g.app_id, permission, g.grant_id

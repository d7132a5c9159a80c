/*---
id: evidence-of-source
title: Which file an access came from
question: From which file does this row come, is that file whole, and was anything in it set aside?
parameters:
  event: {type: VARCHAR, default: null, description: "an access's event_id"}
  path: {type: VARCHAR, default: null, description: "a part of the file's path; without event and path every file is listed"}
columns: [tenant_id, source_id, path, kind, sha256, bytes, outcome, message, records, stored, duplicate, quarantined, imported_at, accesses, first_at, last_at, set_aside]
---*/
WITH accesses AS (
    SELECT
        tenant_id,
        source_id,
        count(*) AS accesses,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at,
        count(*) FILTER (WHERE event_id = $event::VARCHAR) AS matching
    FROM access_events
    GROUP BY tenant_id, source_id
),

aside AS (
    SELECT tenant_id, source_id, list_sort(list(DISTINCT reason)) AS reasons
    FROM quarantine
    GROUP BY tenant_id, source_id
)

SELECT
    s.tenant_id,
    s.source_id,
    s.path,
    s.kind,
    s.sha256,
    s.bytes,
    s.outcome,
    s.message,
    s.records,
    s.stored,
    s.duplicate,
    s.quarantined,
    s.imported_at,
    coalesce(a.accesses, 0) AS accesses,
    a.first_at,
    a.last_at,
    q.reasons AS set_aside
FROM sources AS s
LEFT JOIN accesses AS a ON s.tenant_id = a.tenant_id AND s.source_id = a.source_id
LEFT JOIN aside AS q ON s.tenant_id = q.tenant_id AND s.source_id = q.source_id
WHERE
    ($event::VARCHAR IS NULL OR a.matching > 0)
    AND ($path::VARCHAR IS NULL OR contains(s.path, $path))
ORDER BY s.tenant_id, s.source_id

/*---
table: access_log
grain: one logged access, short; access_events, verdicts and judged_accesses show it in full
columns:
  tenant_id: tenant whose data was touched
  feed: log that shows it
  event_id: the record's own id
  occurred_at: event time in UTC, truncated to microseconds; NULL when it could not be read
  form_no: row of access_forms
  answer_no: row of verdict_answers
  item_count: as in access_events
  first_seen_at: when the store first got it
  source_id: file it came from (see sources)
---*/
WITH accesses AS (
    SELECT
        tenant_id,
        'graph_activity' AS feed,
        event_id,
        occurred_at,
        form_no,
        NULL::BIGINT AS item_count,
        source_id
    FROM landed_calls
    WHERE is_newest
    UNION ALL
    SELECT
        a.tenant_id,
        a.feed,
        a.event_id,
        a.occurred_at,
        f.form_no,
        a.item_count,
        a.source_id
    FROM audited_accesses AS a
    INNER JOIN audited_forms AS f
        ON
            a.tenant_id = f.tenant_id
            AND a.feed = f.feed
            AND a.app_id IS NOT DISTINCT FROM f.app_id
            AND a.app_name IS NOT DISTINCT FROM f.app_name
            AND a.access_kind IS NOT DISTINCT FROM f.access_kind
            AND a.actor_id IS NOT DISTINCT FROM f.actor_id
            AND a.actor_name IS NOT DISTINCT FROM f.actor_name
            AND a.workload IS NOT DISTINCT FROM f.workload
            AND a.operation IS NOT DISTINCT FROM f.operation
            AND a.endpoint IS NOT DISTINCT FROM f.endpoint
            AND a.protocol IS NOT DISTINCT FROM f.protocol
            AND a.permissions IS NOT DISTINCT FROM f.permissions
            AND a.resource_kind IS NOT DISTINCT FROM f.resource_kind
            AND a.resource IS NOT DISTINCT FROM f.resource
            AND a.floor_reason IS NOT DISTINCT FROM f.floor_reason
            AND a.ip_address IS NOT DISTINCT FROM f.ip_address
            AND a.succeeded IS NOT DISTINCT FROM f.succeeded
            AND a.is_mapped IS NOT DISTINCT FROM f.is_mapped
),

-- Of a record that came in several versions: when the first of them came.
older AS (
    SELECT v.tenant_id, v.feed, v.event_id, min(s.imported_at) AS imported_at
    FROM (
        SELECT tenant_id, 'graph_activity' AS feed, event_id, source_id FROM landed_calls WHERE NOT is_newest
        UNION ALL
        SELECT tenant_id, feed, record_id, source_id FROM landed_records WHERE NOT is_newest AND starts_with(feed, 'audit_')
    ) AS v
    INNER JOIN sources AS s ON v.source_id = s.source_id
    GROUP BY ALL
),

answered AS (
    SELECT
        f.form_no,
        f.valid_from,
        f.valid_to,
        g.answer_no
    FROM form_answers AS f
    INNER JOIN given_answers AS g
        ON
            f.tenant_id = g.tenant_id
            AND f.code = g.code
            AND f.app_no IS NOT DISTINCT FROM g.app_no
            AND f.place IS NOT DISTINCT FROM g.place
)

SELECT
    e.tenant_id,
    e.feed,
    e.event_id,
    e.occurred_at,
    e.form_no,
    coalesce(a.answer_no, error('an access event has no verdict: register_segments has a gap')) AS answer_no,
    e.item_count,
    least(s.imported_at, o.imported_at) AS first_seen_at,
    e.source_id
FROM accesses AS e
INNER JOIN sources AS s ON e.source_id = s.source_id
LEFT JOIN older AS o ON e.tenant_id = o.tenant_id AND e.feed = o.feed AND e.event_id = o.event_id
LEFT JOIN answered AS a
    ON
        e.form_no = a.form_no
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') >= a.valid_from
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') < a.valid_to

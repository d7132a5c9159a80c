/*---
table: access_log
grain: one logged access, short; access_events, verdicts and judged_accesses show it in full
columns:
  tenant_id: tenant whose data was touched
  feed: log that shows it
  event_uuid: the record's own id where it is a GUID in Microsoft's spelling, as nearly all are; half the size
  event_text: the record's own id where it is anything else
  occurred_at: event time in UTC, truncated to microseconds; NULL when it could not be read
  form_no: row of access_forms
  answer_no: row of verdict_answers
  item_count: as in access_events
  first_seen_at: when the store first got it
  origin: as in access_events
  source_id: file it came from (see sources)
---*/
WITH
-- Of a record that came in several versions: when the first of them came. Most came in one, and are not looked up.
older_calls AS (
    SELECT c.tenant_id, c.event_id, min(s.imported_at) AS imported_at, arg_min(s.origin, s.source_id) AS origin
    FROM landed_calls AS c
    INNER JOIN sources AS s ON c.source_id = s.source_id
    WHERE NOT c.is_newest
    GROUP BY ALL
),

older_records AS (
    SELECT r.tenant_id, r.feed, r.record_id, min(s.imported_at) AS imported_at, arg_min(s.origin, s.source_id) AS origin
    FROM landed_records AS r
    INNER JOIN sources AS s ON r.source_id = s.source_id
    WHERE NOT r.is_newest AND starts_with(r.feed, 'audit_')
    GROUP BY ALL
),

accesses AS (
    SELECT
        tenant_id,
        'graph_activity' AS feed,
        event_id,
        occurred_at,
        form_no,
        NULL::BIGINT AS item_count,
        NULL::TIMESTAMPTZ AS older_at,
        NULL::VARCHAR AS older_origin,
        source_id
    FROM landed_calls
    WHERE is_newest AND version = 1
    UNION ALL
    SELECT
        c.tenant_id,
        'graph_activity' AS feed,
        c.event_id,
        c.occurred_at,
        c.form_no,
        NULL::BIGINT AS item_count,
        o.imported_at AS older_at,
        o.origin AS older_origin,
        c.source_id
    FROM landed_calls AS c
    LEFT JOIN older_calls AS o ON c.tenant_id = o.tenant_id AND c.event_id = o.event_id
    WHERE c.is_newest AND c.version > 1
    UNION ALL
    SELECT
        a.tenant_id,
        a.feed,
        a.event_id,
        a.occurred_at,
        f.form_no,
        a.item_count,
        o.imported_at AS older_at,
        o.origin AS older_origin,
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
    LEFT JOIN older_records AS o ON a.tenant_id = o.tenant_id AND a.feed = o.feed AND a.event_id = o.record_id
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
    e.event_uuid,
    CASE WHEN (e.event_uuid::VARCHAR IS DISTINCT FROM e.event_id) THEN e.event_id END AS event_text,
    e.occurred_at,
    e.form_no,
    coalesce(a.answer_no, error('an access event has no verdict: register_segments has a gap')) AS answer_no,
    e.item_count,
    least(s.imported_at, e.older_at) AS first_seen_at,
    CASE WHEN e.older_at < s.imported_at THEN e.older_origin ELSE s.origin END AS origin,
    e.source_id
FROM (SELECT *, TRY_CAST(event_id AS UUID) AS event_uuid FROM accesses) AS e
INNER JOIN sources AS s ON e.source_id = s.source_id
LEFT JOIN answered AS a
    ON
        e.form_no = a.form_no
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') >= a.valid_from
        AND coalesce(e.occurred_at, TIMESTAMPTZ '-infinity') < a.valid_to

/*---
query: logs-too-old
controls: [C08-1]
needs: []
question: Is there evidence that is older than the policy lets it become?
---*/
WITH promised AS (
    SELECT value AS words, period
    FROM policy_commitments
    -- A time that is longer than any calendar promises nothing that can be looked at.
    WHERE key = 'retention.system_logs.duration' AND period IS NOT NULL
),
oldest AS (
    SELECT tenant_id, min(first_at) AS first_at, count(*) FILTER (WHERE first_at IS NULL) AS timeless
    FROM (
        SELECT tenant_id, first_at FROM judged_forms
        UNION ALL
        SELECT tenant_id, occurred_at FROM sign_ins
        UNION ALL
        SELECT tenant_id, occurred_at FROM directory_changes
    )
    GROUP BY tenant_id
),
judged AS (
    SELECT
        t.tenant_id,
        p.words,
        make_timestamp(epoch_us(o.first_at)) AS oldest,
        coalesce(o.timeless, 0) AS timeless,
        make_timestamp(epoch_us(m.moment)) - p.period AS limit_at,
        EXISTS(SELECT 1 FROM holds AS h WHERE h.tenant_id = t.tenant_id AND h.is_active) AS is_held
    FROM tenants AS t
    CROSS JOIN control_moment AS m
    LEFT JOIN promised AS p ON TRUE
    LEFT JOIN oldest AS o ON t.tenant_id = o.tenant_id
)
SELECT
    tenant_id,
    CASE
        WHEN words IS NULL THEN 'not_assessable'
        WHEN oldest < limit_at AND is_held THEN 'review'
        WHEN oldest < limit_at THEN 'outside'
        -- What has no time may be of any time.
        WHEN timeless > 0 THEN 'not_assessable'
        WHEN oldest IS NULL THEN 'not_applicable'
        ELSE 'within'
    END AS outcome,
    CASE
        WHEN words IS NULL THEN 'definition_missing'
        WHEN timeless > 0 AND NOT coalesce(oldest < limit_at, FALSE) THEN 'no_source'
    END AS reason_code,
    CASE
        WHEN words IS NULL THEN 'definition_missing'
        WHEN oldest < limit_at AND is_held THEN 'logs_held'
        WHEN oldest < limit_at THEN 'logs_too_old'
        WHEN timeless > 0 THEN 'time_unknown'
        WHEN oldest IS NULL THEN 'no_logs'
        ELSE 'logs_young'
    END AS says,
    json_object(
        'count', timeless, 'oldest', strftime(oldest, '%Y-%m-%d'), 'limit', words, 'what', 'how long logs are kept (retention: system_logs)'
    ) AS facts
FROM judged

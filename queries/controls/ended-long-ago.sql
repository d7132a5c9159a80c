/*---
query: ended-long-ago
controls: [C08-4]
needs: []
needs_register: true
question: Is there evidence of records that ended longer ago than the policy keeps inactive accounts?
---*/
WITH promised AS (
    SELECT value AS words, period
    FROM policy_commitments
    WHERE key = 'retention.inactive_accounts.duration'
),
ended AS (
    SELECT tenant_id, record, max(make_timestamp(epoch_us(coalesce(ended_at, effective_until)))) AS ended_at
    FROM register_versions
    GROUP BY tenant_id, record
),
kept AS (
    SELECT e.tenant_id, any_value(p.words) AS words, count(DISTINCT e.record) AS records
    FROM ended AS e
    CROSS JOIN promised AS p
    CROSS JOIN control_moment AS m
    INNER JOIN cells AS c ON e.tenant_id = c.tenant_id AND e.record = c.record AND c.used > 0
    WHERE e.ended_at < make_timestamp(epoch_us(m.moment)) - p.period
    GROUP BY e.tenant_id
)
SELECT
    tenant_id,
    'outside' AS outcome,
    cast(NULL AS VARCHAR) AS reason_code,
    'ended_kept' AS says,
    json_object('count', records, 'limit', words) AS facts
FROM kept

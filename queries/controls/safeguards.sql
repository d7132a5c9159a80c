/*---
query: safeguards
controls: [C10-3]
needs: [sign_ins_service_principal]
needs_register: true
question: Was every country that an integration worked from adequate that day, or covered by a safeguard in force?
---*/
WITH safeguarded AS (
    SELECT
        s.tenant_id,
        s.record,
        u.transfer.country,
        s.valid_from,
        CASE
            WHEN u.transfer.valid_until IS NULL THEN s.valid_to
            WHEN s.valid_to IS NULL THEN u.transfer.valid_until
            ELSE least(s.valid_to, u.transfer.valid_until)
        END AS valid_to
    FROM register_segments AS s
    INNER JOIN register_versions AS v
        ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
    CROSS JOIN unnest(v.transfers) AS u (transfer)
    WHERE s.period_reason IS NULL
),
classed AS (
    SELECT
        a.tenant_id,
        a.integration_name,
        p.country,
        p.sign_ins,
        CASE
            WHEN p.country IS NULL THEN 'unknown'
            WHEN c.exporters = 'eu' AND EXISTS (
                SELECT 1 FROM tenant_profiles AS t INNER JOIN countries AS e ON t.country = e.code AND e.class = 'eea'
                WHERE t.tenant_id = a.tenant_id
            ) THEN 'third'
            ELSE coalesce(c.class, 'third')
        END AS class,
        EXISTS(
            SELECT 1 FROM safeguarded AS g
            WHERE
                g.tenant_id = a.tenant_id AND g.record = a.record AND g.country = p.country
                AND coalesce(cast(make_timestamp(epoch_us(g.valid_from)) AS DATE) <= p.day, TRUE)
                AND coalesce(p.day < make_timestamp(epoch_us(g.valid_to)), TRUE)
        ) AS is_safe
    FROM control_apps AS a
    INNER JOIN control_places AS p ON a.tenant_id = p.tenant_id AND a.app_id = p.app_id
    LEFT JOIN countries AS c
        ON p.country = c.code AND c.valid_from <= p.day AND coalesce(p.day < c.valid_until, TRUE)
),
judged AS (
    SELECT
        *,
        CASE
            WHEN class = 'unknown' THEN 'not_assessable'
            WHEN class IN ('eu', 'eea', 'adequate') OR is_safe THEN 'within'
            WHEN class = 'adequate_conditional' THEN 'review'
            ELSE 'outside'
        END AS outcome
    FROM classed
),
counted AS (
    SELECT
        tenant_id,
        integration_name,
        outcome,
        string_agg(DISTINCT country, ', ' ORDER BY country) AS countries,
        sum(sign_ins)::BIGINT AS sign_ins
    FROM judged
    GROUP BY GROUPING SETS ((tenant_id, outcome), (tenant_id, integration_name, outcome))
)
SELECT
    tenant_id,
    integration_name,
    outcome,
    CASE WHEN outcome = 'not_assessable' THEN 'no_source' END AS reason_code,
    CASE outcome
        WHEN 'outside' THEN 'no_safeguard'
        WHEN 'review' THEN 'conditional'
        WHEN 'not_assessable' THEN 'country_unknown'
        ELSE 'only_adequate'
    END AS says,
    json_object('countries', countries, 'count', sign_ins) AS facts
FROM counted
UNION ALL
SELECT l.tenant_id, l.integration_name, 'not_assessable', 'no_source', 'no_sign_ins', '{}'::JSON
FROM control_lines AS l
WHERE NOT EXISTS (
    SELECT 1 FROM counted AS c
    WHERE c.tenant_id = l.tenant_id AND c.integration_name IS NOT DISTINCT FROM l.integration_name
)

/*---
query: eu-share
controls: [C10-2]
needs: [sign_ins_service_principal]
needs_register: true
question: Which share of an integration's own sign-ins came from the European Union?
---*/
WITH judged AS (
    SELECT
        a.tenant_id,
        a.integration_name,
        p.app_id,
        p.country,
        p.sign_ins,
        EXISTS(
            SELECT 1 FROM countries AS c
            WHERE
                c.code = p.country AND c.class = 'eu' AND c.valid_from <= p.day
                AND coalesce(p.day < c.valid_until, TRUE)
        ) AS is_eu
    FROM (SELECT DISTINCT tenant_id, app_id, integration_name FROM control_apps) AS a
    INNER JOIN control_places AS p ON a.tenant_id = p.tenant_id AND a.app_id = p.app_id
),
counted AS (
    SELECT
        tenant_id,
        integration_name,
        sum(sign_ins)::BIGINT AS total,
        coalesce(sum(sign_ins) FILTER (WHERE country IS NULL), 0)::BIGINT AS unknown,
        coalesce(sum(sign_ins) FILTER (WHERE is_eu), 0)::BIGINT AS from_eu
    FROM judged
    GROUP BY GROUPING SETS ((tenant_id), (tenant_id, integration_name))
),
shares AS (
    SELECT
        l.tenant_id,
        l.integration_name,
        coalesce(c.total, 0) AS total,
        coalesce(c.unknown, 0) AS unknown,
        try_cast(p.value AS INTEGER) AS minimum,
        -- What has no country may be anywhere: the share is at least the one, at most the other.
        100 * coalesce(c.from_eu, 0) AS at_least,
        100 * (coalesce(c.from_eu, 0) + coalesce(c.unknown, 0)) AS at_most
    FROM control_lines AS l
    LEFT JOIN counted AS c
        ON l.tenant_id = c.tenant_id AND l.integration_name IS NOT DISTINCT FROM c.integration_name
    LEFT JOIN policy_commitments AS p ON p.key = 'regions.eu_share_min'
)
SELECT
    tenant_id,
    integration_name,
    CASE
        WHEN minimum IS NULL OR total = 0 THEN 'not_assessable'
        WHEN at_least >= minimum * total THEN 'within'
        WHEN at_most < minimum * total THEN 'outside'
        ELSE 'not_assessable'
    END AS outcome,
    CASE
        WHEN minimum IS NULL THEN 'definition_missing'
        WHEN total = 0 OR (at_least < minimum * total AND at_most >= minimum * total) THEN 'no_source'
    END AS reason_code,
    CASE
        WHEN minimum IS NULL THEN 'definition_missing'
        WHEN total = 0 THEN 'no_sign_ins'
        WHEN at_least >= minimum * total THEN 'eu_share_kept'
        WHEN at_most < minimum * total THEN 'eu_share_low'
        ELSE 'eu_share_unknown'
    END AS says,
    json_object(
        'what', 'from which share on processing is primarily in the EU (regions.eu_share_min)',
        'count', total, 'unknown', unknown, 'minimum', minimum,
        'share', CASE WHEN total > 0 THEN at_least // total END
    ) AS facts
FROM shares

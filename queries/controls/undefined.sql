/*---
query: undefined
controls: [C01-3, C02-1, C10-1, C12-11, C12-14, C15-1, C15-3]
gate: true
needs: []
question: What does the register, or the policy's facts, not say, so that nothing could contradict it?
---*/
WITH integrations AS (
    SELECT *, coalesce(integration_name, record) AS name FROM register_records
),
in_force AS (
    SELECT s.tenant_id, s.record, v.regions, v.policy_version, v.notice_sha256
    FROM register_segments AS s
    INNER JOIN register_versions AS v
        ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
    INNER JOIN tenants AS t ON s.tenant_id = t.tenant_id
    WHERE s.period_reason IS NULL AND coalesce(s.valid_to > t.watched_from, TRUE)
),
shown AS (
    SELECT DISTINCT a.tenant_id, a.record
    FROM register_apps AS a
    INNER JOIN privacy_statements AS p ON a.tenant_id = p.tenant_id AND a.app_id = p.app_id AND p.url IS NOT NULL
),
lacking AS (
    SELECT 'C01-3' AS control, tenant_id, name, 'the publisher or owning tenant of the application (integration.publisher)' AS what
    FROM integrations
    WHERE publisher IS NULL AND owner_tenant_id IS NULL
    UNION ALL
    SELECT 'C12-11', tenant_id, name, 'the country where the telephone system stands (telephony.pbx_host_country)'
    FROM integrations
    WHERE integration_kind = 'telephony' AND pbx_host_country IS NULL
    UNION ALL
    SELECT 'C10-1', i.tenant_id, i.name, 'the countries of a process (regions)'
    FROM integrations AS i
    INNER JOIN in_force AS f ON i.tenant_id = f.tenant_id AND i.record = f.record
    WHERE f.regions IS NULL
    UNION ALL
    SELECT 'C15-1', i.tenant_id, i.name, 'the version of the policy that a record stands on (policy_version)'
    FROM integrations AS i
    INNER JOIN in_force AS f ON i.tenant_id = f.tenant_id AND i.record = f.record
    WHERE f.policy_version IS NULL
    UNION ALL
    SELECT c.control, i.tenant_id, i.name, 'the privacy statement that the application shows, or the hash of the notice (notice_sha256)'
    FROM integrations AS i
    CROSS JOIN (SELECT unnest(['C12-14', 'C15-3']) AS control) AS c
    WHERE
        NOT EXISTS (SELECT 1 FROM shown AS s WHERE s.tenant_id = i.tenant_id AND s.record = i.record)
        AND NOT EXISTS (
            SELECT 1 FROM in_force AS f
            WHERE f.tenant_id = i.tenant_id AND f.record = i.record AND f.notice_sha256 IS NOT NULL
        )
    UNION ALL
    SELECT c.control, i.tenant_id, i.name, 'address and hash of the policy''s text (versions)'
    FROM integrations AS i
    CROSS JOIN (SELECT unnest(['C12-14', 'C15-3']) AS control) AS c
    WHERE NOT EXISTS (SELECT 1 FROM policy_versions AS v WHERE v.url IS NOT NULL OR v.text_sha256 IS NOT NULL)
    UNION ALL
    SELECT 'C15-1', i.tenant_id, i.name, 'which versions of the policy there are (versions)'
    FROM integrations AS i
    WHERE NOT EXISTS (SELECT 1 FROM policy_versions)
    UNION ALL
    SELECT 'C02-1', i.tenant_id, i.name, 'the categories of data (categories)'
    FROM integrations AS i
    WHERE NOT EXISTS (SELECT 1 FROM policy_categories)
)
SELECT
    tenant_id,
    control,
    name AS integration_name,
    'not_assessable' AS outcome,
    'definition_missing' AS reason_code,
    'definition_missing' AS says,
    json_object('what', what) AS facts
FROM lacking
GROUP BY ALL
UNION ALL
SELECT tenant_id, control, NULL, 'not_assessable', 'definition_missing', 'definition_missing', json_object('what', what)
FROM lacking
GROUP BY ALL

/*---
query: vendor-apps
controls: [C03-1]
needs: [service_principals]
needs_register: true
question: Is there an application of a recorded vendor that no record lists?
---*/
WITH principals AS (
    SELECT p.tenant_id, p.app_id, p.owner_tenant_id, r.app_id IS NOT NULL AS is_recorded
    FROM service_principals AS p
    LEFT JOIN (SELECT DISTINCT tenant_id, app_id FROM register_apps) AS r
        ON p.tenant_id = r.tenant_id AND p.app_id = r.app_id
    WHERE
        p.owner_tenant_id <> p.tenant_id
        AND p.owner_tenant_id NOT IN (SELECT m.tenant_id FROM microsoft_tenants AS m)
),
vendors AS (
    SELECT DISTINCT tenant_id, owner_tenant_id FROM principals WHERE is_recorded
),
unknown AS (
    -- Whose app it is, nobody knows while the tenant does not show it.
    SELECT tenant_id, count(*) AS apps
    FROM (
        SELECT r.tenant_id, r.app_id
        FROM register_apps AS r
        LEFT JOIN service_principals AS p ON r.tenant_id = p.tenant_id AND r.app_id = p.app_id
        WHERE p.owner_tenant_id IS NULL
        UNION
        -- An application without a record and without an owner may be the vendor's, too; where nothing is recorded,
        -- there is no vendor.
        SELECT p.tenant_id, p.app_id
        FROM service_principals AS p
        WHERE
            p.owner_tenant_id IS NULL AND p.app_id IS NOT NULL AND coalesce(p.sp_type = 'Application', TRUE)
            AND p.app_id NOT IN (SELECT f.app_id FROM first_party_apps AS f)
            AND EXISTS (SELECT 1 FROM register_apps AS r WHERE r.tenant_id = p.tenant_id)
    )
    GROUP BY tenant_id
),
counted AS (
    SELECT p.tenant_id, count(DISTINCT p.app_id) AS apps, count(DISTINCT p.app_id) FILTER (WHERE NOT p.is_recorded) AS unrecorded
    FROM principals AS p
    INNER JOIN vendors AS v ON p.tenant_id = v.tenant_id AND p.owner_tenant_id = v.owner_tenant_id
    GROUP BY p.tenant_id
)
SELECT
    t.tenant_id,
    CASE
        WHEN c.unrecorded > 0 THEN 'outside' WHEN u.apps > 0 THEN 'not_assessable' WHEN c.apps > 0 THEN 'within'
        ELSE 'not_applicable'
    END AS outcome,
    CASE WHEN coalesce(c.unrecorded, 0) = 0 AND u.apps > 0 THEN 'no_source' END AS reason_code,
    CASE
        WHEN c.unrecorded > 0 THEN 'vendor_app_unrecorded' WHEN u.apps > 0 THEN 'vendor_unknown'
        WHEN c.apps > 0 THEN 'vendor_apps_recorded'
        ELSE 'no_vendor'
    END AS says,
    json_object(
        'count',
        CASE WHEN c.unrecorded > 0 THEN c.unrecorded WHEN u.apps > 0 THEN u.apps ELSE coalesce(c.apps, 0) END
    ) AS facts
FROM tenants AS t
LEFT JOIN counted AS c ON t.tenant_id = c.tenant_id
LEFT JOIN unknown AS u ON t.tenant_id = u.tenant_id

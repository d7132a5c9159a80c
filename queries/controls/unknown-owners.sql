/*---
query: unknown-owners
controls: [C01-3, C06-1]
gate: true
needs: []
question: Of which recorded applications does the tenant not show whose they are?
---*/
WITH unknown AS (
    -- The rules compare what the tenant shows of an application; where it shows none, they have nothing to say.
    SELECT DISTINCT a.tenant_id, a.app_id, a.integration_name
    FROM control_apps AS a
    WHERE
        NOT EXISTS (
            SELECT 1 FROM service_principals AS p WHERE p.tenant_id = a.tenant_id AND p.app_id = a.app_id
        )
),
asked AS (
    SELECT 'C01-3' AS control, u.tenant_id, u.app_id, u.integration_name
    FROM unknown AS u
    UNION ALL
    SELECT 'C06-1', u.tenant_id, u.app_id, u.integration_name
    FROM unknown AS u
    WHERE EXISTS (
        SELECT 1 FROM grants AS g WHERE g.tenant_id = u.tenant_id AND g.app_id = u.app_id AND g.is_current
    )
)
SELECT
    tenant_id,
    control,
    integration_name,
    'not_assessable' AS outcome,
    'no_source' AS reason_code,
    'vendor_unknown' AS says,
    json_object('count', count(DISTINCT app_id)) AS facts
FROM asked
GROUP BY GROUPING SETS ((tenant_id, control), (tenant_id, control, integration_name))

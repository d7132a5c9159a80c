/*---
query: unreadable-grants
controls: [C02-1, C03-2, C06-1, C06-3, C12-1, C12-4]
gate: true
needs: []
question: Are there permissions in force of which nobody can say what they reach, or who holds them?
---*/
WITH unreadable AS (
    -- As the rule granted-not-recorded has it: a role of Graph or Exchange without a name may reach anything.
    SELECT g.tenant_id, g.app_id, count(*) AS grants
    FROM grants AS g
    WHERE
        g.is_current
        AND (
            (g.app_id IS NULL AND g.workload IS NOT NULL)
            OR (
                g.permission IS NULL
                AND coalesce(g.app_role_id <> '00000000-0000-0000-0000-000000000000', TRUE)
                AND coalesce(
                    g.resource_app_id IN (
                        '00000003-0000-0000-c000-000000000000', '00000002-0000-0ff1-ce00-000000000000'
                    ),
                    TRUE
                )
            )
        )
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = g.tenant_id AND a.app_id = g.app_id AND a.is_first_party
        )
    GROUP BY g.tenant_id, g.app_id
)
SELECT
    l.tenant_id,
    c.control,
    l.integration_name,
    'not_assessable' AS outcome,
    'no_source' AS reason_code,
    'grants_unreadable' AS says,
    json_object('count', sum(u.grants)::BIGINT) AS facts
FROM control_lines AS l
CROSS JOIN (SELECT unnest(['C02-1', 'C03-2', 'C06-1', 'C06-3', 'C12-1', 'C12-4']) AS control) AS c
INNER JOIN unreadable AS u ON l.tenant_id = u.tenant_id
WHERE
    l.integration_name IS NULL OR u.app_id IS NULL
    OR EXISTS (
        SELECT 1 FROM control_apps AS p
        WHERE p.tenant_id = l.tenant_id AND p.app_id = u.app_id AND p.integration_name = l.integration_name
    )
GROUP BY l.tenant_id, c.control, l.integration_name

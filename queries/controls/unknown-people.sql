/*---
query: unknown-people
controls: [C07-2, C14-1]
gate: true
needs: []
question: Of how many people, or of how many of their sign-ins, does the evidence not say what is asked?
---*/
SELECT
    p.tenant_id,
    'C14-1' AS control,
    'not_assessable' AS outcome,
    'no_source' AS reason_code,
    'age_unknown' AS says,
    json_object(
        'count', count(DISTINCT p.user_id),
        'unknown', count(DISTINCT p.user_id) FILTER (WHERE u.age_group IS NULL)
    ) AS facts
FROM people_in_scope AS p
LEFT JOIN directory_users AS u ON p.tenant_id = u.tenant_id AND p.user_id = u.user_id
WHERE u.is_enabled IS DISTINCT FROM FALSE
GROUP BY p.tenant_id
HAVING count(*) FILTER (WHERE u.age_group IS NULL) > 0
UNION ALL
SELECT s.tenant_id, 'C07-2', 'not_assessable', 'no_source', 'factor_unknown', json_object('count', count(*))
FROM sign_ins AS s
INNER JOIN (
    -- The applications that the rule sign-in-without-mfa looks at, and those of a record that no listing shows.
    SELECT tenant_id, app_id FROM register_apps
    UNION
    SELECT g.tenant_id, g.app_id
    FROM grants AS g
    WHERE
        g.is_current AND g.workload IS NOT NULL
        AND NOT EXISTS (
            SELECT 1 FROM apps AS f
            WHERE f.tenant_id = g.tenant_id AND f.app_id = g.app_id AND f.is_first_party
        )
) AS a
    ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
WHERE s.user_id IS NOT NULL AND s.is_mfa IS NULL AND s.succeeded IS DISTINCT FROM FALSE
GROUP BY s.tenant_id

/*---
query: exchange-rights
controls: [C12-10]
needs: [exchange_role_assignments, audit_exchange]
needs_register: true
rules: [granted-not-recorded, granted-after-end, full-mailbox-permission, impersonation-granted]
question: Does any finding concern a right that Exchange itself gave to an application?
---*/
WITH concerned AS (
    SELECT f.tenant_id, f.integration_name, f.finding_id
    FROM control_findings AS f
    WHERE
        f.query = 'exchange-rights'
        AND (
            f.rule = 'impersonation-granted'
            OR EXISTS (
                SELECT 1 FROM grants AS g
                WHERE
                    g.tenant_id = f.tenant_id AND g.app_id = f.app_id AND g.permission = f.subject ->> '$.permission'
                    AND g.source = 'exchange_rbac'
            )
        )
),
found AS (
    SELECT
        l.tenant_id,
        l.integration_name,
        coalesce(list_sort(list(DISTINCT c.finding_id) FILTER (WHERE c.finding_id IS NOT NULL)), []) AS finding_ids
    FROM control_lines AS l
    LEFT JOIN concerned AS c
        ON l.tenant_id = c.tenant_id AND l.integration_name IS NOT DISTINCT FROM c.integration_name
    GROUP BY l.tenant_id, l.integration_name
)
SELECT
    f.tenant_id,
    f.integration_name,
    CASE WHEN len(f.finding_ids) > 0 THEN 'outside' WHEN s.tenant_id IS NOT NULL THEN 'not_assessable' ELSE 'within' END
        AS outcome,
    CASE WHEN len(f.finding_ids) = 0 AND s.tenant_id IS NOT NULL THEN 'not_evaluated' END AS reason_code,
    CASE
        WHEN len(f.finding_ids) > 0 THEN 'exchange_findings' WHEN s.tenant_id IS NOT NULL THEN 'rule_missing' ELSE 'exchange_agree'
    END AS says,
    json_object('count', len(f.finding_ids), 'reason', 'a rule about grants was not evaluated') AS facts,
    f.finding_ids
FROM found AS f
LEFT JOIN control_silence AS s ON f.tenant_id = s.tenant_id AND s.query = 'exchange-rights'

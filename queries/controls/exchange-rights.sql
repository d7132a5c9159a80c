/*---
query: exchange-rights
controls: [C12-10]
needs: [exchange_role_assignments, audit_exchange]
needs_register: true
question: Does any finding concern a right that Exchange itself gave to an application?
---*/
WITH asked AS (
    SELECT unnest(['granted-not-recorded', 'granted-after-end', 'full-mailbox-permission', 'impersonation-granted']) AS rule
),
of_exchange AS (
    SELECT DISTINCT f.tenant_id, f.finding_id, f.app_id, f.record
    FROM findings AS f
    LEFT JOIN grants AS g
        ON f.tenant_id = g.tenant_id AND f.app_id = g.app_id AND g.permission = f.subject ->> '$.permission'
    WHERE
        f.state = 'open' AND f.rule IN (SELECT a.rule FROM asked AS a)
        AND (f.rule = 'impersonation-granted' OR g.source = 'exchange_rbac')
),
lines AS (
    SELECT tenant_id, cast(NULL AS VARCHAR) AS integration_name, cast(NULL AS VARCHAR) AS record FROM tenants
    UNION ALL
    SELECT tenant_id, coalesce(integration_name, record), record FROM register_records
),
found AS (
    SELECT
        l.tenant_id,
        l.integration_name,
        count(DISTINCT f.finding_id) AS findings,
        list_sort(list_distinct(list(f.finding_id) FILTER (WHERE f.finding_id IS NOT NULL))) AS finding_ids
    FROM lines AS l
    LEFT JOIN of_exchange AS f
        ON
            l.tenant_id = f.tenant_id
            AND (
                l.record IS NULL OR f.record = l.record
                OR (
                    f.record IS NULL AND EXISTS (
                        SELECT 1 FROM register_apps AS a
                        WHERE a.tenant_id = l.tenant_id AND a.record = l.record AND a.app_id = f.app_id
                    )
                )
            )
    GROUP BY l.tenant_id, l.integration_name
),
silent AS (
    SELECT DISTINCT t.tenant_id
    FROM tenants AS t
    CROSS JOIN asked AS a
    LEFT JOIN rule_outcomes AS o ON t.tenant_id = o.tenant_id AND a.rule = o.rule
    WHERE o.rule IS NULL OR o.outcome = 'error'
)
SELECT
    f.tenant_id,
    f.integration_name,
    CASE WHEN f.findings > 0 THEN 'outside' WHEN s.tenant_id IS NOT NULL THEN 'not_assessable' ELSE 'within' END AS outcome,
    CASE WHEN f.findings = 0 AND s.tenant_id IS NOT NULL THEN 'not_evaluated' END AS reason_code,
    CASE
        WHEN f.findings > 0 THEN 'exchange_findings' WHEN s.tenant_id IS NOT NULL THEN 'rule_missing' ELSE 'exchange_agree'
    END AS says,
    json_object('count', f.findings, 'reason', 'a rule about grants was not evaluated') AS facts,
    coalesce(f.finding_ids, []) AS finding_ids
FROM found AS f
LEFT JOIN silent AS s ON f.tenant_id = s.tenant_id

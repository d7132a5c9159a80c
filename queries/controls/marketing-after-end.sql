/*---
query: marketing-after-end
controls: [C04-2]
needs: []
needs_register: true
rules: [used-after-end]
question: Did a process that rests on consent go on after its end?
---*/
WITH consented AS (
    SELECT DISTINCT tenant_id, record, process FROM register_versions WHERE legal_basis = 'consent'
),
after_end AS (
    SELECT f.tenant_id, count(*) AS findings, list(f.finding_id ORDER BY f.finding_id) AS finding_ids
    FROM findings AS f
    INNER JOIN consented AS c ON f.tenant_id = c.tenant_id AND f.record = c.record AND f.process = c.process
    WHERE f.rule = 'used-after-end' AND f.state = 'open'
    GROUP BY f.tenant_id
)
SELECT
    t.tenant_id,
    CASE WHEN a.findings > 0 THEN 'outside' ELSE 'not_applicable' END AS outcome,
    cast(NULL AS VARCHAR) AS reason_code,
    CASE WHEN a.findings > 0 THEN 'sent_after_end' ELSE 'no_marketing' END AS says,
    json_object('count', coalesce(a.findings, 0)) AS facts,
    coalesce(a.finding_ids, []) AS finding_ids
FROM tenants AS t
LEFT JOIN after_end AS a ON t.tenant_id = a.tenant_id
WHERE
    a.findings > 0
    OR (t.is_evaluated AND NOT EXISTS (SELECT 1 FROM consented AS c WHERE c.tenant_id = t.tenant_id))

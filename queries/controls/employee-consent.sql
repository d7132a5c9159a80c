/*---
query: employee-consent
controls: [C04-3]
needs: []
needs_register: true
rules: [employee-consent]
question: Are employees asked for consent where they cannot refuse?
---*/
WITH asked AS (
    SELECT
        s.tenant_id,
        count(*) AS processes,
        count(*) FILTER (WHERE coalesce(len(v.data_subjects), 0) = 0) AS unsaid
    FROM register_segments AS s
    INNER JOIN register_versions AS v
        ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
    INNER JOIN tenants AS t ON s.tenant_id = t.tenant_id
    WHERE s.period_reason IS NULL AND v.legal_basis = 'consent' AND coalesce(s.valid_to > t.watched_to, TRUE)
    GROUP BY s.tenant_id
),
open_ones AS (
    SELECT tenant_id, count(*) AS findings, list(finding_id ORDER BY finding_id) AS finding_ids
    FROM findings
    WHERE rule = 'employee-consent' AND state = 'open'
    GROUP BY tenant_id
),
judged AS (
    SELECT
        t.tenant_id,
        coalesce(a.processes, 0) AS processes,
        coalesce(a.unsaid, 0) AS unsaid,
        coalesce(f.findings, 0) AS findings,
        f.finding_ids,
        EXISTS(
            SELECT 1 FROM rule_outcomes AS o
            WHERE
                o.tenant_id = t.tenant_id AND o.rule = 'employee-consent' AND o.outcome IN ('clean', 'findings')
                AND o.is_covered
        ) AS is_spoken
    FROM tenants AS t
    LEFT JOIN asked AS a ON t.tenant_id = a.tenant_id
    LEFT JOIN open_ones AS f ON t.tenant_id = f.tenant_id
)
SELECT
    tenant_id,
    CASE
        WHEN findings > 0 THEN 'review' WHEN processes = 0 THEN 'not_applicable' WHEN unsaid > 0 OR NOT is_spoken THEN 'not_assessable'
        ELSE 'within'
    END AS outcome,
    CASE
        WHEN findings > 0 OR processes = 0 THEN NULL WHEN unsaid > 0 THEN 'definition_missing'
        WHEN NOT is_spoken THEN 'not_evaluated'
    END AS reason_code,
    CASE
        WHEN findings > 0 THEN 'review_findings' WHEN processes = 0 THEN 'no_marketing' WHEN unsaid > 0 THEN 'definition_missing'
        WHEN NOT is_spoken THEN 'rule_missing'
        ELSE 'within'
    END AS says,
    json_object(
        'count', findings, 'rules', 'employee-consent', 'what', 'whose data a process on consent is about (data_subjects)',
        'reason', 'the rule employee-consent was not evaluated'
    ) AS facts,
    coalesce(finding_ids, []) AS finding_ids
FROM judged

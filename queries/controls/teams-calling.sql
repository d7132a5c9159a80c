/*---
query: teams-calling
controls: [C12-12]
needs: [call_records]
needs_register: true
rules: [direct-routing-without-record]
question: Were there calls over a trunk or the telephone network that no telephony record covers?
---*/
WITH called AS (
    SELECT tenant_id, count(*) AS calls
    FROM calls
    WHERE kind IN ('pstn', 'direct_routing')
    GROUP BY tenant_id
),
open_ones AS (
    SELECT tenant_id, count(*) AS findings, list(finding_id ORDER BY finding_id) AS finding_ids
    FROM findings
    WHERE rule = 'direct-routing-without-record' AND state = 'open'
    GROUP BY tenant_id
),
spoken AS (
    SELECT tenant_id FROM rule_outcomes
    WHERE rule = 'direct-routing-without-record' AND outcome IN ('clean', 'findings') AND is_covered
),
judged AS (
    SELECT
        t.tenant_id,
        coalesce(c.calls, 0) AS calls,
        coalesce(f.findings, 0) AS findings,
        f.finding_ids,
        s.tenant_id IS NOT NULL AS is_spoken
    FROM tenants AS t
    LEFT JOIN called AS c ON t.tenant_id = c.tenant_id
    LEFT JOIN open_ones AS f ON t.tenant_id = f.tenant_id
    LEFT JOIN spoken AS s ON t.tenant_id = s.tenant_id
)
SELECT
    tenant_id,
    CASE
        WHEN findings > 0 THEN 'outside' WHEN calls = 0 THEN 'not_applicable' WHEN is_spoken THEN 'within'
        ELSE 'not_assessable'
    END AS outcome,
    CASE WHEN findings = 0 AND calls > 0 AND NOT is_spoken THEN 'not_evaluated' END AS reason_code,
    CASE
        WHEN findings > 0 THEN 'calls_without_record' WHEN calls = 0 THEN 'no_calls' WHEN is_spoken THEN 'calls_recorded'
        ELSE 'rule_missing'
    END AS says,
    json_object(
        'count', CASE WHEN findings > 0 THEN findings ELSE calls END,
        'reason', 'the rule direct-routing-without-record was not evaluated'
    ) AS facts,
    coalesce(finding_ids, []) AS finding_ids
FROM judged

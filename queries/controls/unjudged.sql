/*---
query: unjudged
controls: [C05-1, C07-6, C08-6, C09-7, C12-1, C12-3, C12-4, C12-5, C12-6, C12-8, C12-11, C12-13]
gate: true
needs: []
question: Were there accesses of which nobody can say whether they were agreed to?
---*/
WITH asked AS (
    SELECT
        unnest([
            'C05-1', 'C12-3', 'C12-11', 'C12-13', 'C12-8', 'C12-4', 'C12-5', 'C07-6', 'C12-1', 'C12-6', 'C08-6', 'C09-7'
        ]) AS control,
        unnest([
            ['operation_unknown'], ['operation_unknown'], ['operation_unknown', 'resource_unknown'],
            ['operation_unknown', 'resource_unknown'], ['operation_unknown', 'resource_unknown'], ['access_kind_unknown'],
            ['resource_unknown'], ['resource_unknown'], [], [], [], []
        ]) AS dimensions
),
unsaid AS (
    SELECT tenant_id, app_id, reasons, sum(accesses)::BIGINT AS accesses
    FROM judged_forms
    WHERE verdict = 'not_assessable'
    GROUP BY ALL
)
SELECT
    l.tenant_id,
    a.control,
    l.integration_name,
    'not_assessable' AS outcome,
    'no_source' AS reason_code,
    'unjudged' AS says,
    json_object('count', sum(u.accesses)::BIGINT) AS facts
FROM control_lines AS l
CROSS JOIN asked AS a
INNER JOIN unsaid AS u ON l.tenant_id = u.tenant_id
WHERE
    -- Of a time, an app or a workload that is not known, everything may be true.
    list_has_any(u.reasons, list_concat(a.dimensions, ['time_unknown', 'app_unknown', 'workload_unknown', 'register_invalid']))
    AND (
        l.integration_name IS NULL OR u.app_id IS NULL
        OR EXISTS (
            SELECT 1 FROM control_apps AS p
            WHERE p.tenant_id = l.tenant_id AND p.app_id = u.app_id AND p.integration_name = l.integration_name
        )
    )
GROUP BY l.tenant_id, a.control, l.integration_name

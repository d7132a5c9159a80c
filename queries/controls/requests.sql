/*---
query: requests
controls: [C09-1, C09-2, C09-3, C09-4, C09-5, C09-6, C09-8, C16-1]
needs: []
question: Were the requests of people answered in time?
---*/
WITH asked AS (
    SELECT
        unnest(['C09-1', 'C09-2', 'C09-3', 'C09-4', 'C09-5', 'C09-6', 'C09-8', 'C16-1']) AS control,
        unnest(['access', 'rectify', 'erase', 'restrict', 'portability', 'object', NULL, NULL]) AS kind
),
counted AS (
    SELECT
        t.tenant_id,
        a.control,
        count(r.request_id) AS requests,
        count(r.request_id) FILTER (
            WHERE NOT coalesce(coalesce(r.answered_at, m.moment) <= r.due_at, FALSE)
        ) AS late,
        count(r.request_id) FILTER (WHERE r.answered_at IS NULL) AS waiting
    FROM tenants AS t
    CROSS JOIN asked AS a
    CROSS JOIN control_moment AS m
    LEFT JOIN subject_requests AS r ON t.tenant_id = r.tenant_id AND coalesce(a.kind = r.kind, a.kind IS NULL)
    GROUP BY t.tenant_id, a.control
)
SELECT
    tenant_id,
    control,
    CASE
        WHEN requests = 0 THEN 'not_applicable' WHEN late > 0 THEN 'outside' WHEN waiting > 0 THEN 'review' ELSE 'within'
    END AS outcome,
    cast(NULL AS VARCHAR) AS reason_code,
    CASE
        WHEN requests = 0 THEN 'no_requests'
        WHEN late > 0 THEN 'requests_late'
        WHEN waiting > 0 THEN 'requests_open'
        ELSE 'requests_answered'
    END AS says,
    json_object('count', requests, 'late', late, 'open', waiting) AS facts
FROM counted

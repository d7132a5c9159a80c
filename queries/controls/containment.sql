/*---
query: containment
controls: [C13-4]
needs: []
question: Was access behind each breach closed within the hours?
---*/
WITH measures AS (
    SELECT tenant_id, app_id, occurred_at
    FROM directory_changes
    WHERE regexp_matches(lower(activity), '^(remove|delete|disable|revoke)') AND lower(result) = 'success'
),
cases AS (
    SELECT
        b.tenant_id,
        b.case_id,
        b.detected_at,
        b.aware_at + to_hours(c.amount) AS due_at,
        c.amount AS hours,
        m.moment,
        (
            SELECT min(d.occurred_at)
            FROM findings AS f
            INNER JOIN measures AS d ON f.tenant_id = d.tenant_id AND f.app_id = d.app_id
            WHERE f.tenant_id = b.tenant_id AND list_contains(b.finding_ids, f.finding_id) AND d.occurred_at >= b.detected_at
        ) AS contained_at
    FROM breach_cases AS b
    CROSS JOIN control_moment AS m
    LEFT JOIN clocks AS c
        ON
            c.clock = 'breach.contain' AND c.unit = 'hours'
            AND c.valid_from <= cast(make_timestamp(epoch_us(b.aware_at)) AS DATE)
            AND coalesce(cast(make_timestamp(epoch_us(b.aware_at)) AS DATE) < c.valid_until, TRUE)
    WHERE b.aware_at IS NOT NULL
),
counted AS (
    SELECT
        t.tenant_id,
        count(c.case_id) AS cases,
        coalesce(max(c.hours), 0) AS hours,
        count(c.case_id) FILTER (WHERE NOT coalesce(coalesce(c.contained_at, c.moment) <= c.due_at, FALSE)) AS late,
        count(c.case_id) FILTER (WHERE c.contained_at IS NULL) AS waiting
    FROM tenants AS t
    LEFT JOIN cases AS c ON t.tenant_id = c.tenant_id
    GROUP BY t.tenant_id
),
watched AS (
    -- A measure that no log covers has not been missed: nobody looked.
    SELECT
        c.*,
        c.waiting > 0 AND (
            NOT coalesce(t.watched_to >= d.last_due_at, FALSE)
            OR NOT coalesce(g.seen > 0, FALSE)
            OR g.last_gap_at > d.first_detected_at
        ) AS is_unwatched
    FROM counted AS c
    INNER JOIN tenants AS t ON c.tenant_id = t.tenant_id
    INNER JOIN (
        SELECT tenant_id, max(due_at) AS last_due_at, min(detected_at) AS first_detected_at FROM cases GROUP BY tenant_id
    ) AS d ON c.tenant_id = d.tenant_id
    LEFT JOIN (
        SELECT
            tenant_id,
            count(*) FILTER (WHERE state <> 'gap') AS seen,
            max(coalesce(covered_to, 'infinity')) FILTER (WHERE state = 'gap') AS last_gap_at
        FROM coverage
        WHERE feed = 'directory_audits'
        GROUP BY tenant_id
    ) AS g ON c.tenant_id = g.tenant_id
)
SELECT
    tenant_id,
    CASE WHEN is_unwatched THEN 'not_assessable' WHEN late > 0 THEN 'outside' WHEN waiting > 0 THEN 'review' ELSE 'within' END
        AS outcome,
    CASE WHEN is_unwatched THEN 'coverage_gap' END AS reason_code,
    CASE
        WHEN is_unwatched THEN 'gap' WHEN late > 0 THEN 'not_contained' WHEN waiting > 0 THEN 'containment_runs'
        ELSE 'contained'
    END AS says,
    json_object(
        'count', cases, 'late', late, 'open', waiting, 'hours', hours,
        'reason', 'the log of changes does not cover the hours after detection'
    ) AS facts
FROM watched
UNION ALL
SELECT tenant_id, 'not_applicable', NULL, 'no_cases', '{}'::JSON
FROM counted
WHERE cases = 0

/*---
query: stale-tables
controls: [C09-1, C09-2, C09-3, C09-4, C09-5, C09-6, C09-8, C10-2, C10-3, C13-1, C13-2, C13-4, C16-1]
gate: true
needs: []
question: Has nobody compared the tables of law by date with their sources for longer than they say is good?
---*/
WITH stale AS (
    SELECT d.dated_table, strftime(d.verified_on, '%Y-%m-%d') AS verified_on
    FROM dated_tables AS d
    CROSS JOIN control_moment AS m
    WHERE make_timestamp(epoch_us(m.moment)) >= d.verified_on + to_days((d.verify_within_days + 1)::INTEGER)
),
asked AS (
    SELECT l.tenant_id, l.integration_name, c.control, 'adequacy' AS dated_table
    FROM control_lines AS l
    CROSS JOIN (SELECT unnest(['C10-2', 'C10-3']) AS control) AS c
    UNION ALL
    -- Where there is no case and no request, no clock was asked.
    SELECT DISTINCT b.tenant_id, NULL, c.control, 'clocks'
    FROM breach_cases AS b
    CROSS JOIN (SELECT unnest(['C13-1', 'C13-2', 'C13-4']) AS control) AS c
    UNION ALL
    SELECT DISTINCT r.tenant_id, NULL, c.control, 'clocks'
    FROM subject_requests AS r
    INNER JOIN (
        SELECT
            unnest(['C09-1', 'C09-2', 'C09-3', 'C09-4', 'C09-5', 'C09-6', 'C09-8', 'C16-1']) AS control,
            unnest(['access', 'rectify', 'erase', 'restrict', 'portability', 'object', NULL, NULL]) AS kind
    ) AS c
        ON coalesce(c.kind = r.kind, c.kind IS NULL)
)
SELECT
    a.tenant_id,
    a.control,
    a.integration_name,
    'not_assessable' AS outcome,
    'definition_missing' AS reason_code,
    'table_stale' AS says,
    json_object('table', s.dated_table, 'day', s.verified_on) AS facts
FROM asked AS a
INNER JOIN stale AS s ON a.dated_table = s.dated_table

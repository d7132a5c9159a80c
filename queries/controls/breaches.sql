/*---
query: breaches
controls: [C13-1, C13-2, C13-3, C13-5]
needs: []
question: Were authority, customers and people told in time, and is every closed case documented?
---*/
WITH hours AS (
    SELECT clock, amount, valid_from, valid_until FROM clocks WHERE unit = 'hours'
),
cases AS (
    SELECT
        b.*,
        m.moment,
        b.aware_at + to_hours(p.amount) AS controller_due_at,
        b.aware_at + to_hours(i.amount) AS people_due_at
    FROM breach_cases AS b
    CROSS JOIN control_moment AS m
    LEFT JOIN hours AS p
        ON
            p.clock = 'breach.processor' AND p.valid_from <= cast(make_timestamp(epoch_us(b.aware_at)) AS DATE)
            AND coalesce(cast(make_timestamp(epoch_us(b.aware_at)) AS DATE) < p.valid_until, TRUE)
    LEFT JOIN hours AS i
        ON
            i.clock = 'breach.people' AND i.valid_from <= cast(make_timestamp(epoch_us(b.aware_at)) AS DATE)
            AND coalesce(cast(make_timestamp(epoch_us(b.aware_at)) AS DATE) < i.valid_until, TRUE)
),
counted AS (
    SELECT
        t.tenant_id,
        count(c.case_id) AS cases,
        count(c.case_id) FILTER (
            WHERE
            c.aware_at IS NOT NULL
            AND (
                NOT coalesce(c.notified_at <= c.due_at, TRUE)
                OR (c.notified_at IS NULL AND c.risk IS DISTINCT FROM 'no_risk' AND NOT coalesce(c.moment <= c.due_at, FALSE))
            )
        ) AS authority_late,
        count(c.case_id) FILTER (
            WHERE
            (c.aware_at IS NULL AND c.state <> 'closed')
            OR (c.aware_at IS NOT NULL AND c.notified_at IS NULL AND c.risk IS DISTINCT FROM 'no_risk')
        ) AS authority_open,
        count(c.case_id) FILTER (
            WHERE
            c.aware_at IS NOT NULL
            AND NOT coalesce(coalesce(c.controller_told_at, c.moment) <= c.controller_due_at, FALSE)
        ) AS controller_late,
        count(c.case_id) FILTER (WHERE c.controller_told_at IS NULL) AS controller_open,
        count(c.case_id) FILTER (WHERE c.risk = 'high_risk') AS high_risk,
        count(c.case_id) FILTER (
            WHERE
            c.risk = 'high_risk'
            AND NOT coalesce(coalesce(c.people_informed_at, c.moment) <= c.people_due_at, FALSE)
        ) AS people_late,
        count(c.case_id) FILTER (WHERE c.risk = 'high_risk' AND c.people_informed_at IS NULL) AS people_open,
        count(c.case_id) FILTER (WHERE c.risk IS NULL) AS undecided,
        count(c.case_id) FILTER (WHERE c.state = 'closed' AND (c.risk IS NULL OR c.aware_at IS NULL)) AS undocumented,
        count(c.case_id) FILTER (WHERE c.state <> 'closed') AS unclosed
    FROM tenants AS t
    LEFT JOIN cases AS c ON t.tenant_id = c.tenant_id
    GROUP BY t.tenant_id
),
lines AS (
    SELECT tenant_id, 'C13-1' AS control, cases, authority_late AS late, authority_open AS waiting, 'cases_late' AS words
    FROM counted
    UNION ALL
    SELECT tenant_id, 'C13-2', cases, controller_late, controller_open, 'cases_late'
    FROM counted
    UNION ALL
    SELECT tenant_id, 'C13-5', cases, undocumented, unclosed, 'cases_undocumented'
    FROM counted
)
SELECT
    tenant_id,
    control,
    CASE WHEN cases = 0 THEN 'not_applicable' WHEN late > 0 THEN 'outside' WHEN waiting > 0 THEN 'review' ELSE 'within' END
        AS outcome,
    cast(NULL AS VARCHAR) AS reason_code,
    CASE WHEN cases = 0 THEN 'no_cases' WHEN late > 0 THEN words WHEN waiting > 0 THEN 'cases_open' ELSE 'cases_kept' END
        AS says,
    json_object('count', cases, 'late', late, 'open', waiting) AS facts
FROM lines
UNION ALL
SELECT
    tenant_id,
    'C13-3',
    CASE
        WHEN people_late > 0 THEN 'outside' WHEN undecided > 0 OR people_open > 0 THEN 'review' ELSE 'not_applicable'
    END,
    NULL,
    CASE
        WHEN people_late > 0 THEN 'people_late' WHEN people_open > 0 THEN 'cases_open' WHEN undecided > 0 THEN 'risk_undecided'
        WHEN cases = 0 THEN 'no_cases' ELSE 'no_high_risk'
    END,
    json_object(
        'count', CASE WHEN people_late > 0 OR people_open > 0 THEN high_risk ELSE cases END, 'late', people_late,
        'open', CASE WHEN people_open > 0 THEN people_open ELSE undecided END
    )
FROM counted
-- Told in time is not all: whether the message arrived is said by nobody here.
WHERE people_late > 0 OR people_open > 0 OR undecided > 0 OR high_risk = 0

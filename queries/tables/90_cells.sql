/*---
table: cells
grain: one row per tenant, app and workload that is recorded, granted or used (a NULL workload or app is a row of its own)
columns:
  tenant_id: tenant
  app_id: app, lower-case; NULL when the log names none
  integration_name: name of the integration in the consent register, NULL when no record names the app
  record: consent record that speaks for the cell, else the first one that names the app, NULL when none does
  workload: audited workload; NULL for events that the catalogue cannot place ("unknown workload")
  recorded: active, ended or never, as of the end of the watched time; NULL when that cannot be told (no usable register, app or workload unknown)
  granted: yes, no, or unknown (the grant feeds were never observed, or the app holds a permission that has no known name)
  used: access events in scope
  within: of these, judged within
  outside: of these, judged outside
  not_assessable: of these, not assessable
  first_used_at: first access event in scope
  last_used_at: last access event in scope
  coverage: complete, provisional or gap; the worst of the feeds that would show use of this workload
---*/
WITH needed AS (
    SELECT workload, feed FROM workload_feeds
    UNION
    -- Use of a kind that is not known may show wherever use of an audited kind does.
    SELECT '', w.feed FROM workload_feeds AS w WHERE w.workload IN (SELECT p.workload FROM policy_workloads AS p)
),
moments AS (
    -- The newest evidence is "now": judging the same evidence again gives the same cells.
    SELECT
        t.tenant_id,
        t.is_evaluated,
        coalesce(
            t.watched_to,
            (SELECT max(s.observed_at) FROM sources AS s WHERE s.tenant_id = t.tenant_id),
            (SELECT max(v.recorded_at) FROM register_versions AS v WHERE v.tenant_id = t.tenant_id)
        ) AS as_of
    FROM tenants AS t
),
first_party AS (
    SELECT DISTINCT tenant_id, app_id FROM apps WHERE is_first_party
),
recorded_versions AS (
    SELECT
        a.tenant_id,
        a.app_id,
        v.workload,
        v.record,
        CASE
            WHEN s.record IS NOT NULL AND s.period_reason IS NULL THEN 1
            WHEN v.effective_from <= m.as_of THEN 2
            ELSE 3
        END AS recorded_rank
    FROM register_versions AS v
    INNER JOIN register_apps AS a ON v.tenant_id = a.tenant_id AND v.record = a.record
    INNER JOIN moments AS m ON v.tenant_id = m.tenant_id
    LEFT JOIN register_segments AS s
        ON
            v.tenant_id = s.tenant_id AND v.record = s.record AND v.process = s.process AND v.version = s.version
            AND coalesce(s.valid_from <= m.as_of, TRUE) AND coalesce(m.as_of < s.valid_to, TRUE)
    WHERE
        v.workload IN (SELECT p.workload FROM policy_workloads AS p)
        AND (a.tenant_id, a.app_id) NOT IN (SELECT (f.tenant_id, f.app_id) FROM first_party AS f)
),
recorded AS (
    SELECT
        tenant_id,
        app_id,
        workload,
        min(recorded_rank) AS recorded_rank,
        first(record ORDER BY recorded_rank, record) AS record
    FROM recorded_versions
    GROUP BY tenant_id, app_id, workload
),
current_grants AS (
    SELECT g.tenant_id, g.app_id, g.resource_app_id, g.permission, g.kind, g.workload
    FROM grants AS g
    LEFT JOIN first_party AS f ON g.tenant_id = f.tenant_id AND g.app_id = f.app_id
    WHERE g.is_current AND f.app_id IS NULL
),
granted AS (
    SELECT g.tenant_id, g.app_id, r.workload
    FROM current_grants AS g
    INNER JOIN permission_reach AS r
        ON g.resource_app_id = r.resource_app_id AND lower(g.permission) = lower(r.permission) AND g.kind = r.kind
    WHERE r.workload IN (SELECT p.workload FROM policy_workloads AS p)
    UNION
    SELECT tenant_id, app_id, workload
    FROM current_grants
    WHERE workload IN (SELECT p.workload FROM policy_workloads AS p)
),
unreadable_grants AS (
    SELECT DISTINCT tenant_id, app_id FROM current_grants WHERE permission IS NULL
),
used AS (
    SELECT
        tenant_id,
        app_id,
        workload,
        sum(accesses)::BIGINT AS used,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'within'), 0)::BIGINT AS within,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'outside'), 0)::BIGINT AS outside,
        coalesce(sum(accesses) FILTER (WHERE verdict = 'not_assessable'), 0)::BIGINT AS not_assessable,
        min(first_at) AS first_used_at,
        max(last_at) AS last_used_at
    FROM judged_forms
    WHERE verdict <> 'out_of_scope'
    GROUP BY tenant_id, app_id, workload
),
feed_states AS (
    SELECT
        tenant_id,
        feed,
        bool_or(state = 'gap') AS has_gap,
        bool_or(state = 'provisional') AS is_provisional,
        bool_or(state <> 'gap') AS is_observed
    FROM coverage
    GROUP BY tenant_id, feed
),
workload_coverage AS (
    SELECT
        t.tenant_id,
        n.workload,
        CASE
            WHEN bool_or(coalesce(f.has_gap, TRUE)) THEN 'gap'
            WHEN bool_or(f.is_provisional) THEN 'provisional'
            ELSE 'complete'
        END AS coverage
    FROM tenants AS t
    CROSS JOIN needed AS n
    LEFT JOIN feed_states AS f ON t.tenant_id = f.tenant_id AND n.feed = f.feed
    GROUP BY t.tenant_id, n.workload
),
grant_feeds AS (
    SELECT tenant_id, count(DISTINCT feed) = 2 AS are_observed
    FROM feed_states
    WHERE feed IN ('app_role_assignments', 'delegated_permission_grants') AND is_observed
    GROUP BY tenant_id
),
integrations AS (
    SELECT
        a.tenant_id,
        a.app_id,
        first(r.integration_name ORDER BY r.record) AS integration_name,
        min(r.record) AS record
    FROM register_apps AS a
    INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
    GROUP BY a.tenant_id, a.app_id
),
keys AS (
    SELECT tenant_id, app_id, workload FROM recorded
    UNION
    SELECT tenant_id, app_id, workload FROM granted
    UNION
    SELECT tenant_id, app_id, workload FROM used
)
SELECT
    k.tenant_id,
    k.app_id,
    i.integration_name,
    coalesce(r.record, i.record) AS record,
    k.workload,
    CASE
        WHEN r.recorded_rank = 1 THEN 'active'
        WHEN r.recorded_rank = 2 THEN 'ended'
        WHEN m.is_evaluated AND k.app_id IS NOT NULL AND k.workload IS NOT NULL THEN 'never'
    END AS recorded,
    CASE
        WHEN g.tenant_id IS NOT NULL THEN 'yes'
        WHEN
            k.workload IS NULL OR k.app_id IS NULL OR n.tenant_id IS NOT NULL
            OR NOT coalesce(f.are_observed, FALSE) THEN 'unknown'
        ELSE 'no'
    END AS granted,
    coalesce(u.used, 0) AS used,
    coalesce(u.within, 0) AS within,
    coalesce(u.outside, 0) AS outside,
    coalesce(u.not_assessable, 0) AS not_assessable,
    u.first_used_at,
    u.last_used_at,
    coalesce(c.coverage, 'gap') AS coverage
FROM keys AS k
LEFT JOIN moments AS m ON k.tenant_id = m.tenant_id
LEFT JOIN recorded AS r
    ON k.tenant_id = r.tenant_id AND k.app_id = r.app_id AND k.workload = r.workload
LEFT JOIN granted AS g
    ON
        k.tenant_id = g.tenant_id AND k.app_id IS NOT DISTINCT FROM g.app_id
        AND k.workload = g.workload
LEFT JOIN used AS u
    ON
        k.tenant_id = u.tenant_id AND k.app_id IS NOT DISTINCT FROM u.app_id
        AND k.workload IS NOT DISTINCT FROM u.workload
LEFT JOIN unreadable_grants AS n ON k.tenant_id = n.tenant_id AND k.app_id = n.app_id
LEFT JOIN grant_feeds AS f ON k.tenant_id = f.tenant_id
LEFT JOIN integrations AS i ON k.tenant_id = i.tenant_id AND k.app_id = i.app_id
LEFT JOIN workload_coverage AS c ON k.tenant_id = c.tenant_id AND coalesce(k.workload, '') = c.workload
ORDER BY k.tenant_id, k.app_id NULLS LAST, k.workload NULLS LAST

/*---
query: breach-evidence
grain: one row, what the evidence behind the findings of a breach case shows
params:
  tenant: tenant id
  findings: ids of the findings
columns:
  titles: what the findings say, the gravest first
  apps: applications concerned, as name (id)
  first_at: time of the oldest evidence
  last_at: time of the newest evidence
  is_ongoing: whether any of the findings is still open
  events: logged accesses behind them
  items: items touched, where the log counts them; NULL where it never does
  workloads: what was accessed
  operations: read, write, send, delete
  permissions: permissions that were used
  mailboxes: distinct people whose data were accessed by id, as far as the log names them
  countries: countries of the addresses
  gaps: stretches of the same time in which a log of this tenant was not watched
---*/
WITH concerned AS (
    SELECT * FROM findings
    WHERE tenant_id = CAST($tenant AS VARCHAR) AND list_contains(CAST($findings AS VARCHAR []), finding_id)
),
named AS (
    SELECT
        c.app_id,
        coalesce(max(a.app_name) || ' (' || c.app_id || ')', c.app_id) AS shown
    FROM concerned AS c
    LEFT JOIN apps AS a ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
    WHERE c.app_id IS NOT NULL
    GROUP BY c.app_id
),
pieces AS (
    SELECT DISTINCT e.tenant_id, e.feed, e.event_id, e.occurred_at
    FROM finding_evidence AS e
    SEMI JOIN concerned AS c ON e.tenant_id = c.tenant_id AND e.finding_id = c.finding_id
),
used AS (
    SELECT a.*
    FROM access_events AS a
    SEMI JOIN pieces AS p ON a.tenant_id = p.tenant_id AND a.feed = p.feed AND a.event_id = p.event_id
),
totals AS (
    SELECT
        count(*) AS events,
        CAST(sum(item_count) AS BIGINT) AS items,
        list_sort(list(DISTINCT workload) FILTER (WHERE workload IS NOT NULL)) AS workloads,
        list_sort(list(DISTINCT operation) FILTER (WHERE operation IS NOT NULL)) AS operations,
        list_sort(list_distinct(flatten(list(coalesce(permissions, CAST([] AS VARCHAR [])))))) AS permissions,
        count(DISTINCT resource_id) FILTER (WHERE resource_kind = 'user') AS mailboxes,
        list_sort(list(DISTINCT country) FILTER (WHERE country IS NOT NULL)) AS countries
    FROM used
),
extent AS (
    SELECT
        coalesce(min(p.occurred_at), (SELECT min(first_seen_at) FROM concerned)) AS first_at,
        coalesce(max(p.occurred_at), (SELECT max(last_seen_at) FROM concerned)) AS last_at
    FROM pieces AS p
)
SELECT
    (SELECT list(title ORDER BY list_position(['critical', 'high', 'medium', 'low', 'info'], severity), title)
    FROM concerned) AS titles,
    (SELECT list(shown ORDER BY shown) FROM named) AS apps,
    x.first_at,
    x.last_at,
    (SELECT coalesce(bool_or(state = 'open'), FALSE) FROM concerned) AS is_ongoing,
    t.events,
    t.items,
    t.workloads,
    t.operations,
    t.permissions,
    t.mailboxes,
    t.countries,
    (
        SELECT count(*) FROM coverage AS g
        WHERE
            g.tenant_id = CAST($tenant AS VARCHAR) AND g.state = 'gap'
            -- What has no time may be of that time.
            AND coalesce(g.covered_from <= x.last_at, TRUE) AND coalesce(g.covered_to >= x.first_at, TRUE)
    ) AS gaps
FROM totals AS t
CROSS JOIN extent AS x

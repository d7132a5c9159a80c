/*---
query: report-evidence
grain: one row per finding and piece of evidence, only the first ones of each finding in order of time, and the last one
params:
  rows: how many of each finding at most, before the last one
  findings: of how many findings, the gravest ones
columns:
  tenant_id: tenant
  finding_id: finding
  feed: feed of the event
  event_id: the event's own id in that feed
  occurred_at: when
  app_id: app, where the event names one
  workload: workload of an access event
  operation: operation of an access event
  what: masked endpoint, audited operation or kind of sign-in; no person's name
  resource_kind: user, group, team or chat
  resource_id: the directory's id of what was touched; names stay in the database
  country: country of the address it came from
  verdict: verdict of an access event
  reasons: its reasons
---*/
WITH gravest AS (
    SELECT tenant_id, finding_id FROM findings
    ORDER BY
        state = 'resolved',
        list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
        last_seen_at DESC NULLS LAST,
        tenant_id,
        finding_id
    LIMIT CAST($findings AS BIGINT)
),
picked AS (
    -- A bounded list per finding: a million pieces are never sorted. What has no time comes last.
    SELECT
        e.tenant_id,
        e.finding_id,
        min(
            struct_pack(
                at := coalesce(e.occurred_at, CAST('infinity' AS TIMESTAMPTZ)), feed := e.feed, event_id := e.event_id
            ),
            CAST($rows AS BIGINT)
        ) AS firsts,
        max(
            struct_pack(
                at := coalesce(e.occurred_at, CAST('infinity' AS TIMESTAMPTZ)), feed := e.feed, event_id := e.event_id
            )
        ) AS latest
    FROM finding_evidence AS e
    INNER JOIN gravest AS g ON e.tenant_id = g.tenant_id AND e.finding_id = g.finding_id
    GROUP BY e.tenant_id, e.finding_id
),
rows_shown AS (
    SELECT DISTINCT
        tenant_id,
        finding_id,
        unnest(list_append(firsts, latest)) AS piece
    FROM picked
),
first_rows AS (
    SELECT
        tenant_id,
        finding_id,
        piece.feed,
        piece.event_id,
        CASE WHEN isfinite(piece.at) THEN piece.at END AS occurred_at
    FROM rows_shown
),
-- Millions of accesses are looked through for some hundred, not gathered to be looked up.
touched AS (
    SELECT *
    FROM judged_accesses AS a
    SEMI JOIN first_rows AS f ON a.tenant_id = f.tenant_id AND a.feed = f.feed AND a.event_id = f.event_id
)
SELECT
    r.tenant_id,
    r.finding_id,
    r.feed,
    r.event_id,
    coalesce(r.occurred_at, e.occurred_at, s.occurred_at, d.occurred_at) AS occurred_at,
    coalesce(e.app_id, s.app_id, d.app_id) AS app_id,
    e.workload,
    e.operation,
    coalesce(e.endpoint, 'sign-in, ' || s.kind, d.activity) AS what,
    e.resource_kind,
    e.resource_id,
    coalesce(e.country, s.country) AS country,
    e.verdict,
    e.reasons
FROM first_rows AS r
LEFT JOIN touched AS e ON r.tenant_id = e.tenant_id AND r.feed = e.feed AND r.event_id = e.event_id
LEFT JOIN sign_ins AS s
    ON r.tenant_id = s.tenant_id AND r.event_id = s.event_id AND r.feed LIKE 'sign_ins_%'
LEFT JOIN directory_changes AS d
    ON r.tenant_id = d.tenant_id AND r.event_id = d.event_id AND r.feed = 'directory_audits'
ORDER BY r.tenant_id, r.finding_id, r.occurred_at NULLS LAST, r.feed, r.event_id

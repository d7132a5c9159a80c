/*---
query: page-findings
grain: one row per finding that a filter of the review page lets through, the gravest and newest first, one page of them
params:
  words: words in small letters that all have to stand in its id, title, rule, record, application or tenant
  state: open or resolved; NULL for both
  severity: severity; NULL for every one
  tenant: tenant id; NULL for every one
  rule: rule; NULL for every one
  integration: name of an integration; NULL for every one
  decision: what a person decided; none where nobody did; NULL for all
  waiting: decision, approval or returned; NULL for all
  limit: how many at most
  skip: how many before them
columns:
  tenant_id: tenant
  tenant_name: its name
  finding_id: stable identity
  rule: rule that made it
  subject: JSON object of the identity
  severity: info, low, medium, high or critical
  title: what it says
  app_id: app concerned, if one
  app_name: its newest known display name
  integration_name: integration that the register calls it
  state: open or resolved
  change: new, reopened, resolved or unchanged since the run before
  decision: what a person decided, NULL when nothing yet
  pending: what was asked for and waits for a second person
  returned: why the machine brought it back
  decision_expires_at: when an acceptance ends
  first_seen_at: first time in the evidence
  last_seen_at: last time in the evidence
  evidence_count: pieces of evidence
  total: findings that the filter lets through, beyond this page too
---*/
WITH named AS (
    SELECT
        f.*,
        t.name AS tenant_name,
        a.app_name,
        a.integration_name,
        -- Never a person's address or id: who searches for one must not learn that it is there.
        lower(concat_ws(
            ' ', f.finding_id, f.rule, f.record, f.app_id, a.app_name, a.integration_name, t.name,
            regexp_replace(
                f.title, '[^\s]*@[^\s]*|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}', ' ', 'g'
            )
        )) AS haystack
    FROM findings AS f
    LEFT JOIN tenants AS t ON f.tenant_id = t.tenant_id
    LEFT JOIN (
        SELECT
            tenant_id,
            app_id,
            any_value(app_name) AS app_name,
            any_value(integration_name) AS integration_name
        FROM apps
        GROUP BY tenant_id, app_id
    ) AS a ON f.tenant_id = a.tenant_id AND f.app_id = a.app_id
)
SELECT
    tenant_id,
    tenant_name,
    finding_id,
    rule,
    CAST(subject AS VARCHAR) AS subject,
    severity,
    title,
    app_id,
    app_name,
    integration_name,
    state,
    change,
    decision,
    pending,
    returned,
    decision_expires_at,
    first_seen_at,
    last_seen_at,
    evidence_count,
    count(*) OVER () AS total
FROM named
WHERE
    len(list_filter(CAST($words AS VARCHAR[]), LAMBDA word: NOT contains(haystack, word))) = 0
    AND ($state IS NULL OR state = $state)
    AND ($severity IS NULL OR severity = $severity)
    AND ($tenant IS NULL OR tenant_id = $tenant)
    AND ($rule IS NULL OR rule = $rule)
    AND ($integration IS NULL OR integration_name = $integration)
    AND ($decision IS NULL OR coalesce(decision, 'none') = $decision)
    AND (
        $waiting IS NULL
        OR ($waiting = 'decision' AND state = 'open' AND decision IS NULL AND pending IS NULL)
        OR ($waiting = 'approval' AND pending IS NOT NULL)
        OR ($waiting = 'returned' AND returned IS NOT NULL)
    )
ORDER BY
    state = 'resolved',
    list_position(['critical', 'high', 'medium', 'low', 'info'], severity),
    last_seen_at DESC NULLS LAST,
    tenant_id,
    finding_id
LIMIT CAST($limit AS BIGINT) OFFSET CAST($skip AS BIGINT)

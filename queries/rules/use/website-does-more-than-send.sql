/*---
id: website-does-more-than-send
version: 1
severity: high
title: "The website's app {app_id} {doing}"
question: Which websites do more with our Microsoft 365 than send a mail?
identity: [app_id, doing]
needs: [graph_activity, audit_exchange, app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  An app of a record whose integration is a website that holds a current permission on an audited workload other than
  sending mail, or that did anything else than send mail; recorded or not, because a website has no need of it.
misses: >
  From which mailbox it sends: resource-outside-record says that. What the website does with the forms that people fill in.
  Permissions that reach no audited workload.
advice: >
  Take the permission back; let the website send from its one mailbox by a role inside Exchange with a scope.
control: [C12-13]
references: ["GDPR Art. 5(1)(b)", "GDPR Art. 25(2)", "GDPR Art. 6(1)", "Policy §12"]
---*/
WITH websites AS (
    SELECT a.tenant_id, a.app_id, min(a.record) AS record
    FROM register_apps AS a
    INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
    WHERE r.integration_kind = 'website'
    GROUP BY ALL
)
SELECT
    g.tenant_id,
    g.app_id,
    'holds ' || coalesce(g.permission, g.app_role_id, 'an unknown permission') AS doing,
    CASE g.source
        WHEN 'app_role_assignment' THEN 'app_role_assignments'
        WHEN 'delegated_permission_grant' THEN 'delegated_permission_grants'
        WHEN 'rsc' THEN 'rsc_grants'
        WHEN 'exchange_rbac' THEN 'exchange_role_assignments'
        ELSE g.source
    END AS feed,
    g.grant_id AS event_id,
    g.first_seen_at AS occurred_at,
    g.last_seen_at,
    ['permission'] AS reasons,
    w.record,
    cast(NULL AS VARCHAR) AS process
FROM grants AS g
INNER JOIN websites AS w ON g.tenant_id = w.tenant_id AND g.app_id = w.app_id
WHERE
    g.is_current
    AND (g.permission IS NULL OR g.workload IN (SELECT p.workload FROM policy_workloads AS p))
    AND coalesce(
        lower(g.permission) NOT IN ('mail.send', 'application mail.send', 'smtp.send', 'smtp.sendasapp', 'application smtp.sendasapp'),
        TRUE
    )
UNION ALL
SELECT
    j.tenant_id,
    j.app_id,
    'did ' || coalesce(j.operation, 'something unknown') || ' on ' || coalesce(j.workload, 'something unknown') AS doing,
    j.feed,
    j.event_id,
    j.occurred_at,
    j.occurred_at AS last_seen_at,
    ['use'] AS reasons,
    w.record,
    cast(NULL AS VARCHAR) AS process
FROM judged_accesses AS j
INNER JOIN websites AS w ON j.tenant_id = w.tenant_id AND j.app_id = w.app_id
WHERE
    j.verdict <> 'out_of_scope'
    AND (j.workload IS DISTINCT FROM 'mail' OR j.operation IS DISTINCT FROM 'send')

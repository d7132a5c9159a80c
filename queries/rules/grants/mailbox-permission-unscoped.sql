/*---
id: mailbox-permission-unscoped
version: 1
severity: high
title: "{app_id} may open every mailbox, {record} agrees to some"
question: Which integrations could open every mailbox although we agreed to some?
identity: [app_id, record]
needs: [app_role_assignments]
needs_register: true
evidence: >
  Current application permissions on mail, calendars or contacts that hold in the whole tenant (granted in Entra, or a role
  inside Exchange without a scope), where every recorded process in force that lists the permission is limited to named
  mailboxes or groups. One piece of evidence for each permission.
misses: >
  An application access policy, Exchange's older way of limiting an app, shows in no listing: where there is one, say so
  when deciding this finding. Whether other mailboxes were opened: resource-outside-record says that. Chats, presence and
  calls cannot be limited in this way.
advice: >
  Replace the permission by a role inside Exchange with a scope (RBAC for Applications), test it, then take the permission
  back: as long as both are there, the wider one counts.
control: [C07-6]
references: ["GDPR Art. 5(1)(f)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §7"]
---*/
WITH wide AS (
    SELECT tenant_id, app_id, permission, grant_id, source, first_seen_at, last_seen_at
    FROM grants
    WHERE
        is_current AND kind = 'application'
        AND (source = 'app_role_assignment' OR (source = 'exchange_rbac' AND granted_for IS NULL))
),
agreed AS (
    SELECT
        w.tenant_id,
        w.app_id,
        w.grant_id,
        w.source,
        w.first_seen_at,
        w.last_seen_at,
        bool_or(v.covers_all) AS covers_all,
        min(s.record) AS record,
        min(s.process) AS process
    FROM wide AS w
    INNER JOIN register_apps AS a ON w.tenant_id = a.tenant_id AND w.app_id = a.app_id
    INNER JOIN register_segments AS s
        ON
            a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
            AND coalesce(w.last_seen_at >= s.valid_from, TRUE) AND coalesce(w.last_seen_at < s.valid_to, TRUE)
    INNER JOIN register_versions AS v
        ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
    WHERE
        v.workload IN ('mail', 'calendar', 'contacts')
        AND list_contains(
            list_transform(v.permissions, LAMBDA p: lower(p.name) || '/' || p.kind), lower(w.permission) || '/application'
        )
    GROUP BY ALL
)
SELECT
    g.tenant_id,
    g.app_id,
    g.record,
    CASE g.source WHEN 'exchange_rbac' THEN 'exchange_role_assignments' ELSE 'app_role_assignments' END AS feed,
    g.grant_id AS event_id,
    g.first_seen_at AS occurred_at,
    g.last_seen_at,
    ['no_scope'] AS reasons,
    g.process
FROM agreed AS g
WHERE NOT g.covers_all

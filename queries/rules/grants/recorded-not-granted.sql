/*---
id: recorded-not-granted
version: 2
severity: low
title: "{record}/{process} lists {permission} ({kind}), which {app_id} does not hold"
question: Which agreements describe something that the app cannot do?
identity: [app_id, record, process, permission, kind]
needs: [app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  A recorded process in force at the newest observation of the grants of that kind, and no current grant of the permission
  to the app.
misses: >
  Where the grants inside teams and chats, or the roles inside Exchange, were not read, permissions of theirs are left out,
  and a right given inside Exchange instead of Entra looks like none. An app that holds a permission without a known name is left out for that kind.
advice: >
  Amend the record to what the app really holds, or end it when the integration was taken away.
control: [C05-2]
references: ["GDPR Art. 5(1)(d)", "GDPR Art. 30(1)", "Policy §5"]
---*/
WITH observed AS (
    SELECT tenant_id, feed, max(coalesce(covered_to, covered_from)) AS observed_at
    FROM coverage
    WHERE
        feed IN ('app_role_assignments', 'delegated_permission_grants', 'rsc_grants', 'exchange_role_assignments')
        AND state <> 'gap'
    GROUP BY tenant_id, feed
)
SELECT
    a.tenant_id,
    a.app_id,
    s.record,
    s.process,
    u.permission.name AS permission,
    u.permission.kind,
    'register' AS feed,
    s.record || '/' || s.process AS event_id,
    v.effective_from AS occurred_at,
    ['not_granted'] AS reasons
FROM register_apps AS a
INNER JOIN register_segments AS s
    ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
INNER JOIN register_versions AS v
    ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
CROSS JOIN unnest(v.permissions) AS u (permission)
INNER JOIN observed AS o
    ON
        a.tenant_id = o.tenant_id
        -- By the name one knows where a permission is given.
        AND o.feed = CASE
            WHEN regexp_matches(u.permission.name, '\.(Group|Chat)$') THEN 'rsc_grants'
            WHEN starts_with(u.permission.name, 'Application ') THEN 'exchange_role_assignments'
            WHEN u.permission.kind = 'application' THEN 'app_role_assignments'
            ELSE 'delegated_permission_grants'
        END
        AND coalesce(s.valid_from <= o.observed_at, TRUE) AND coalesce(s.valid_to > o.observed_at, TRUE)
WHERE
    NOT EXISTS (
        SELECT 1 FROM grants AS g
        WHERE
            g.tenant_id = a.tenant_id AND g.app_id = a.app_id AND g.kind = u.permission.kind AND g.is_current
            AND coalesce(
                lower(u.permission.name) IN (lower(g.permission), lower(regexp_replace(g.permission, '^Application ', ''))),
                TRUE
            )
    )

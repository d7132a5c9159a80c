/*---
table: people_in_scope
grain: one person of a tenant whom an integration concerns, and one way in which it does
columns:
  tenant_id: tenant
  user_id: object id
  how: recorded (a record covers the person), reached (data of the person was used) or signed_in (the person used it)
  app_id: application
  record: consent record; NULL when none lists the app
---*/
WITH agreed AS (
    SELECT DISTINCT a.tenant_id, a.app_id, v.record, v.process, v.covers_all, v.resource_ids, v.resource_groups
    FROM register_versions AS v
    INNER JOIN register_apps AS a ON v.tenant_id = a.tenant_id AND v.record = a.record
    INNER JOIN register_segments AS s
        ON
            v.tenant_id = s.tenant_id AND v.record = s.record AND v.process = s.process AND v.version = s.version
            AND s.period_reason IS NULL
),

found AS (
    SELECT g.tenant_id, u.user_id, 'recorded' AS how, g.app_id, g.record
    FROM agreed AS g
    INNER JOIN directory_users AS u
        ON
            g.tenant_id = u.tenant_id
            AND (g.covers_all OR list_contains(g.resource_ids, u.user_id) OR list_contains(g.resource_ids, u.user_name))
    UNION
    SELECT g.tenant_id, u.user_id, 'recorded' AS how, g.app_id, g.record
    FROM agreed AS g, unnest(g.resource_groups) AS l (group_id)
    INNER JOIN listed_members AS m ON g.tenant_id = m.tenant_id AND l.group_id = m.listed_group
    INNER JOIN directory_users AS u ON g.tenant_id = u.tenant_id AND m.member_id = u.user_id
    UNION
    SELECT f.tenant_id, u.user_id, 'reached' AS how, f.app_id, f.record
    FROM judged_forms AS f
    INNER JOIN directory_users AS u
        ON f.tenant_id = u.tenant_id AND (lower(f.resource_id) = u.user_id OR lower(f.resource_id) = u.user_name)
    WHERE f.app_id IS NOT NULL AND f.verdict <> 'out_of_scope'
    UNION
    SELECT s.tenant_id, s.user_id, 'signed_in' AS how, s.app_id, r.record
    FROM (SELECT DISTINCT tenant_id, app_id, user_id FROM sign_ins WHERE succeeded IS DISTINCT FROM FALSE) AS s
    INNER JOIN directory_users AS u ON s.tenant_id = u.tenant_id AND s.user_id = u.user_id
    INNER JOIN apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id AND NOT a.is_first_party
    LEFT JOIN register_apps AS r ON s.tenant_id = r.tenant_id AND s.app_id = r.app_id
)

SELECT DISTINCT tenant_id, user_id, how, app_id, record
FROM found

/*---
table: access_forms
grain: >-
  one form of access: everything of a logged access but its id, its time and its count. Accesses by the million share
  forms by the thousand
columns:
  tenant_id: tenant whose data was touched
  form_no: number of the form, as in access_log; good for one publication only
  feed: log that shows it
  app_id: application that called, never the API it called; NULL when the record does not say
  app_name: its display name, chosen by whoever registered it
  access_kind: application (as itself) or delegated (for a user); NULL when the record does not say
  actor_id: object id of the user, or of the service principal for application access
  actor_name: user principal name where known
  workload: mail, calendar, …; NULL when the catalogue does not know the call
  operation: read, write, send or delete; NULL when not known
  endpoint: URL template with method, or the audit operation
  protocol: >-
    how the data was reached: rest (Microsoft Graph too), ews, imap, pop, imap_or_pop (the record does not say which),
    smtp, activesync, mapi or owa; NULL when the record does not say
  permissions: every permission that would allow the call; NULL when not known
  resource_kind: user, group, team or chat
  resource_id: id of the mailbox's or calendar's user, group, team or chat; lower-case, a chat's as written
  resource_name: user principal name where that is what the record says, lower-case
  floor_reason: as in access_events
  ip_address: address of the caller
  country: two-letter code where the record has one
  succeeded: false when the call was refused or failed; NULL when the record does not say
  is_mapped: false when the catalogue knows no such call
  status_code: HTTP status of a Graph call
  accesses: logged accesses of this form
  untimed: those whose time could not be read
  first_at: time of the earliest
  last_at: time of the latest
---*/
WITH shapes AS (
    SELECT
        *,
        -- Of an unknown kind every alternative counts, and half of them would be a wrong list.
        CASE WHEN permissions_application IS NOT NULL AND permissions_delegated IS NOT NULL
            THEN list_sort(list_distinct(list_concat(permissions_application, permissions_delegated))) END AS permissions_either
    FROM catalogue_shapes
),

counts AS (
    SELECT
        form_no,
        count(*) AS accesses,
        count(*) - count(occurred_at) AS untimed,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM landed_calls
    WHERE is_newest
    GROUP BY form_no
),

called AS (
    SELECT
        f.*,
        p.shape,
        c.accesses,
        c.untimed,
        c.first_at,
        c.last_at,
        CASE
            WHEN f.id_type = 'app' THEN 'application'
            WHEN f.id_type = 'user' OR f.user_id IS NOT NULL THEN 'delegated'
            WHEN f.sp_id IS NOT NULL OR (f.has_roles AND NOT f.has_scopes) THEN 'application'
            WHEN f.has_scopes AND NOT f.has_roles THEN 'delegated'
        END AS access_kind
    FROM landed_forms AS f
    INNER JOIN counts AS c ON f.form_no = c.form_no
    LEFT JOIN path_shapes AS p ON f.path = p.path
),

calls AS (
    SELECT
        c.tenant_id,
        c.form_no,
        'graph_activity' AS feed,
        c.app_id,
        c.access_kind,
        CASE WHEN c.access_kind = 'application' THEN coalesce(c.sp_id, c.user_id) ELSE coalesce(c.user_id, c.sp_id) END
            AS actor_id,
        m.workload,
        m.operation,
        c.method || ' ' || coalesce(m.template, c.shape) AS endpoint,
        'rest' AS protocol,
        CASE c.access_kind
            WHEN 'application' THEN m.permissions_application
            WHEN 'delegated' THEN m.permissions_delegated
            ELSE m.permissions_either
        END AS permissions,
        m.resource_kind,
        CASE
            WHEN m.resource_segment > 0 THEN nullif(split_part(c.path, '/', m.resource_segment + 1), '')
            -- /me is the actor; an app on its own has no /me.
            WHEN m.resource_segment = 0 AND coalesce(c.access_kind <> 'application', TRUE) THEN c.user_id
        END AS resource,
        c.ip_address,
        CASE WHEN c.status_code BETWEEN 200 AND 399 THEN TRUE WHEN c.status_code BETWEEN 400 AND 599 THEN FALSE END
            AS succeeded,
        m.template IS NOT NULL AS is_mapped,
        c.status_code,
        c.accesses,
        c.untimed,
        c.first_at,
        c.last_at
    FROM called AS c
    LEFT JOIN shapes AS m ON c.method = m.method AND c.shape = m.shape
),

forms AS (
    SELECT * FROM calls
    UNION ALL BY NAME
    SELECT * FROM audited_forms
),

-- A name of two people is nobody's.
users_by_name AS (
    SELECT tenant_id, user_name, min(user_id) AS user_id
    FROM directory_users
    GROUP BY ALL
    HAVING count(*) = 1
)

SELECT
    e.tenant_id,
    e.form_no,
    e.feed,
    e.app_id,
    coalesce(a.app_name, e.app_name) AS app_name,
    e.access_kind,
    coalesce(e.actor_id, actor_by_name.user_id) AS actor_id,
    coalesce(e.actor_name, actor.user_name) AS actor_name,
    e.workload,
    e.operation,
    e.endpoint,
    e.protocol,
    e.permissions,
    CASE WHEN e.resource IS NOT NULL THEN e.resource_kind END AS resource_kind,
    CASE
        WHEN e.resource_kind = 'chat' THEN e.resource
        WHEN e.resource_kind = 'team' OR NOT contains(e.resource, '@') THEN lower(e.resource)
    END AS resource_id,
    CASE WHEN e.resource_kind NOT IN ('chat', 'team') AND contains(e.resource, '@') THEN lower(e.resource) END
        AS resource_name,
    e.floor_reason,
    e.ip_address,
    NULL::VARCHAR AS country,
    e.succeeded,
    e.is_mapped,
    e.status_code,
    e.accesses,
    e.untimed,
    e.first_at,
    e.last_at
FROM forms AS e
LEFT JOIN app_names AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
LEFT JOIN directory_users AS actor ON e.tenant_id = actor.tenant_id AND e.actor_id = actor.user_id
LEFT JOIN users_by_name AS actor_by_name
    ON e.tenant_id = actor_by_name.tenant_id AND e.actor_name = actor_by_name.user_name

/*---
table: access_events
grain: one logged access
columns:
  tenant_id: tenant whose data was touched
  feed: log that shows it
  event_id: the record's own id (requestId of a Graph call, Id of an audit record)
  occurred_at: event time in UTC, truncated to microseconds; NULL when it could not be read
  app_id: application that called, never the API it called; NULL when the record does not say
  app_name: its display name, chosen by whoever registered it
  access_kind: application (as itself) or delegated (for a user); NULL when the record does not say
  actor_id: object id of the user, or of the service principal for application access
  actor_name: user principal name where known
  workload: mail, calendar, …; NULL when the catalogue does not know the call
  operation: read, write, send or delete; NULL when not known
  endpoint: URL template with method, or the audit operation
  permissions: every permission that would allow the call; NULL when not known
  resource_kind: user, group, team or chat
  resource_id: id of the mailbox's or calendar's user, group, team or chat; lower-case, a chat's as written
  resource_name: user principal name where that is what the record says, lower-case
  item_count: >-
    items touched as the record says; NULL when it does not, or when a whole folder was synchronised; a floor, never a total
  ip_address: address of the caller
  country: two-letter code where the record has one
  succeeded: false when the call was refused or failed; NULL when the record does not say
  origin: graph (collected) or import (from a file)
  first_seen_at: when the store first got it
  is_mapped: false when the catalogue knows no such call
  status_code: HTTP status of a Graph call
  source_id: file it came from (see sources)
---*/
WITH shapes AS (
    SELECT
        *,
        -- Of an unknown kind every alternative counts, and half of them would be a wrong list.
        CASE WHEN permissions_application IS NOT NULL AND permissions_delegated IS NOT NULL
            THEN list_sort(list_distinct(list_concat(permissions_application, permissions_delegated))) END AS permissions_either
    FROM catalogue_shapes
),

kinds_of_call AS (
    SELECT
        *,
        CASE
            WHEN id_type = 'app' THEN 'application'
            WHEN id_type = 'user' OR user_id IS NOT NULL THEN 'delegated'
            WHEN sp_id IS NOT NULL OR (has_roles AND NOT has_scopes) THEN 'application'
            WHEN has_scopes AND NOT has_roles THEN 'delegated'
        END AS access_kind
    FROM landed_calls
    WHERE is_newest
),

calls AS (
    SELECT
        c.tenant_id,
        'graph_activity' AS feed,
        c.event_id,
        c.occurred_at,
        c.app_id,
        c.access_kind,
        CASE WHEN c.access_kind = 'application' THEN coalesce(c.sp_id, c.user_id) ELSE coalesce(c.user_id, c.sp_id) END
            AS actor_id,
        m.workload,
        m.operation,
        c.method || ' ' || coalesce(m.template, c.shape) AS endpoint,
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
        c.source_id
    FROM kinds_of_call AS c
    LEFT JOIN shapes AS m ON c.method = m.method AND c.shape = m.shape
),

-- All paths in one go: every single one would parse the record again.
extracted AS (
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        source_id,
        record ->> [
            '$.Operation', '$.Workload', '$.RecordType', '$.ClientAppId', '$.AppAccessContext.ClientAppId',
            '$.AppAccessContext[0].ClientAppId', '$.ApplicationId', '$.AppId', '$.AppAccessContext.ClientAppName',
            '$.AppAccessContext[0].ClientAppName', '$.UserType', '$.UserId', '$.TokenObjectId', '$.MailboxOwnerUPN',
            '$.AADGroupId', '$.TeamGroupId', '$.ChatThreadId', '$.TeamGuid', '$.ChannelGuid', '$.ChannelName',
            '$.CommunicationType', '$.OperationCount', '$.OperationProperties', '$.ClientIPAddress', '$.ClientIP',
            '$.ResultStatus'
        ] AS f,
        CASE WHEN feed = 'audit_teams' THEN list_distinct(json_extract_string(record, '$.Messages[*].ChatThreadId')) END
            AS listed_threads,
        CASE
            WHEN feed = 'audit_teams' THEN json_array_length(record, '$.Messages')
            WHEN feed = 'audit_exchange' THEN len(json_extract_string(record, '$.Folders[*].FolderItems[*].Id'))
        END AS listed_items
    FROM landed_records
    WHERE feed IN ('audit_exchange', 'audit_sharepoint', 'audit_teams', 'audit_other') AND is_newest
),

audits AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        occurred_at,
        source_id,
        f[1] AS operation_name,
        -- Folded: kinds of dashes, blanks, the full stop at the end.
        lower(rtrim(trim(regexp_replace(
            regexp_replace(f[1], '[\s\x{00A0}]+', ' ', 'g'),
            '[\x{2010}-\x{2015}\x{2212}\x{FE58}\x{FE63}\x{FF0D}]', '-', 'g'
        )), '. ')) AS folded,
        lower(f[2]) AS audit_workload,
        lower(f[3]) AS record_type,
        lower(coalesce(
            nullif(f[4], ''),
            nullif(f[5], ''),
            nullif(f[6], ''),
            nullif(f[7], ''),
            -- AppId alone is the caller, unless it is the API that was called.
            CASE
                WHEN lower(f[8]) NOT IN (
                    '', '00000003-0000-0000-c000-000000000000', '00000002-0000-0ff1-ce00-000000000000',
                    '00000003-0000-0ff1-ce00-000000000000', '00000002-0000-0000-c000-000000000000'
                ) THEN f[8]
            END
        )) AS app_id,
        nullif(coalesce(f[9], f[10]), '') AS app_name,
        lower(f[11]) AS user_type,
        lower(nullif(f[12], '')) AS user_name,
        lower(nullif(f[13], '')) AS token_object_id,
        lower(nullif(f[14], '')) AS mailbox_name,
        lower(nullif(coalesce(f[15], f[16]), '')) AS team_id,
        CASE WHEN f[17] <> '' THEN [f[17]] ELSE listed_threads END AS threads,
        nullif(coalesce(f[18], f[19], f[20], CASE WHEN lower(f[21]) = 'channel' THEN f[21] END), '') AS channel,
        CASE WHEN contains(f[23], '"Sync"') THEN NULL ELSE coalesce(TRY_CAST(f[22] AS BIGINT), nullif(listed_items, 0)) END
            AS item_count,
        nullif(coalesce(nullif(f[24], ''), f[25]), '') AS ip_address,
        lower(f[26]) AS result_status
    FROM extracted
),

-- What the catalogue says, once for each operation and not for each record.
known AS (
    SELECT
        k.folded,
        k.audit_workload,
        k.record_type,
        t.record_type AS record_type_number,
        o.audit_operation IS NOT NULL AS is_listed,
        o.workload,
        o.operation,
        o.resource_kind,
        o.decided_by,
        o.permissions_application,
        o.permissions_delegated,
        CASE WHEN o.permissions_application IS NOT NULL AND o.permissions_delegated IS NOT NULL
            THEN list_sort(list_distinct(list_concat(o.permissions_application, o.permissions_delegated)))
        END AS permissions_either,
        w.workload AS service_workload,
        -- A cmdlet of Exchange's administration touches settings, not somebody's mail, unless its name says otherwise.
        t.record_type = 1 AND NOT regexp_matches(k.folded, 'mail|inbox|calendar|folder|journal|contact|message|transport')
            AS is_setting
    FROM (SELECT DISTINCT folded, audit_workload, record_type FROM audits) AS k
    LEFT JOIN audit_record_types AS t ON coalesce(TRY_CAST(k.record_type AS INTEGER) = t.record_type, lower(t.name) = k.record_type)
    LEFT JOIN audit_operations AS o
        ON
            k.folded = o.audit_operation
            AND coalesce(k.audit_workload, lower(o.audit_workload)) = lower(o.audit_workload)
            AND (o.record_type IS NULL OR o.record_type = t.record_type)
    LEFT JOIN audit_workloads AS w ON k.audit_workload = lower(w.audit_workload)
    QUALIFY row_number() OVER (
        PARTITION BY k.folded, k.audit_workload, k.record_type ORDER BY o.record_type NULLS LAST, o.audit_workload
    ) = 1
),

kinds_of_audit AS (
    SELECT
        *,
        CASE
            WHEN user_type IN ('5', '6', 'application', 'serviceprincipal') THEN 'application'
            WHEN starts_with(user_name, 'serviceprincipal_') THEN 'application'
            WHEN user_type IN ('0', '2', '3', '9', '10', 'regular', 'admin', 'dcadmin', 'partnertechnician', 'guest')
                AND contains(user_name, '@') THEN 'delegated'
        END AS access_kind,
        -- Messages of several threads belong to no single one.
        CASE WHEN len(threads) = 1 THEN threads[1] END AS chat_id,
        CASE
            WHEN len(threads) = 0 THEN NULL
            WHEN len(list_filter(threads, LAMBDA t: t LIKE '%@thread.tacv2')) = len(threads) THEN TRUE
            -- thread.skype: of old, channels and group chats alike
            WHEN len(list_filter(threads, LAMBDA t: t LIKE '%@thread.tacv2' OR t LIKE '%@thread.skype')) = 0 THEN FALSE
        END AS is_channel_thread
    FROM audits
),

audited AS (
    SELECT
        a.tenant_id,
        a.feed,
        a.event_id,
        a.occurred_at,
        a.app_id,
        a.app_name,
        a.access_kind,
        CASE WHEN starts_with(a.user_name, 'serviceprincipal_') THEN substr(a.user_name, 18) ELSE a.token_object_id END
            AS actor_id,
        CASE WHEN NOT starts_with(a.user_name, 'serviceprincipal_') THEN a.user_name END AS actor_name,
        CASE
            -- One operation serves chats and channels; the record's thread says which.
            WHEN o.decided_by = 'thread' AND (a.channel IS NOT NULL OR a.team_id IS NOT NULL) THEN 'teams_channel'
            WHEN o.decided_by = 'thread' THEN CASE a.is_channel_thread WHEN TRUE THEN 'teams_channel' WHEN FALSE THEN 'teams_chat' END
            WHEN o.is_listed THEN o.workload
            WHEN a.feed = 'audit_exchange' AND o.is_setting THEN 'other'
            ELSE o.service_workload
        END AS workload,
        o.operation,
        a.operation_name AS endpoint,
        CASE a.access_kind
            WHEN 'application' THEN o.permissions_application
            WHEN 'delegated' THEN o.permissions_delegated
            ELSE o.permissions_either
        END AS permissions,
        CASE
            WHEN a.feed = 'audit_exchange' THEN 'user'
            WHEN a.channel IS NOT NULL OR a.team_id IS NOT NULL OR a.is_channel_thread THEN 'team'
            WHEN a.chat_id IS NOT NULL THEN 'chat'
            ELSE o.resource_kind
        END AS resource_kind,
        CASE
            WHEN a.feed = 'audit_exchange' THEN a.mailbox_name
            WHEN a.team_id IS NOT NULL THEN a.team_id
            WHEN a.channel IS NULL AND NOT coalesce(a.is_channel_thread, FALSE) THEN a.chat_id
        END AS resource,
        a.item_count,
        a.ip_address,
        CASE
            WHEN a.result_status IN ('succeeded', 'success', 'true', 'partiallysucceeded') THEN TRUE
            WHEN a.result_status IN ('failed', 'failure', 'false') THEN FALSE
        END AS succeeded,
        o.is_listed OR o.service_workload IS NOT NULL OR (a.feed = 'audit_exchange' AND coalesce(o.is_setting, FALSE))
            AS is_mapped,
        a.source_id
    FROM kinds_of_audit AS a
    INNER JOIN known AS o
        ON
            a.folded IS NOT DISTINCT FROM o.folded
            AND a.audit_workload IS NOT DISTINCT FROM o.audit_workload
            AND a.record_type IS NOT DISTINCT FROM o.record_type
),

accesses AS (
    SELECT * FROM calls
    UNION ALL BY NAME
    SELECT * FROM audited
),

-- Of a record that came in several versions: when the first of them came.
older AS (
    SELECT v.tenant_id, v.feed, v.event_id, min(s.imported_at) AS imported_at
    FROM (
        SELECT tenant_id, 'graph_activity' AS feed, event_id, source_id FROM landed_calls WHERE NOT is_newest
        UNION ALL
        SELECT tenant_id, feed, record_id, source_id FROM landed_records WHERE NOT is_newest AND starts_with(feed, 'audit_')
    ) AS v
    INNER JOIN sources AS s ON v.source_id = s.source_id
    GROUP BY ALL
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
    e.feed,
    e.event_id,
    e.occurred_at,
    e.app_id,
    coalesce(a.app_name, e.app_name) AS app_name,
    e.access_kind,
    coalesce(e.actor_id, actor_by_name.user_id) AS actor_id,
    coalesce(e.actor_name, actor.user_name) AS actor_name,
    e.workload,
    e.operation,
    e.endpoint,
    e.permissions,
    CASE WHEN e.resource IS NOT NULL THEN e.resource_kind END AS resource_kind,
    CASE
        WHEN e.resource_kind = 'chat' THEN e.resource
        WHEN e.resource_kind = 'team' OR NOT contains(e.resource, '@') THEN lower(e.resource)
    END AS resource_id,
    CASE WHEN e.resource_kind NOT IN ('chat', 'team') AND contains(e.resource, '@') THEN lower(e.resource) END
        AS resource_name,
    e.item_count,
    e.ip_address,
    NULL::VARCHAR AS country,
    e.succeeded,
    'import' AS origin,
    least(s.imported_at, f.imported_at) AS first_seen_at,
    e.is_mapped,
    e.status_code,
    e.source_id
FROM accesses AS e
INNER JOIN sources AS s ON e.source_id = s.source_id
LEFT JOIN older AS f ON e.tenant_id = f.tenant_id AND e.feed = f.feed AND e.event_id = f.event_id
LEFT JOIN app_names AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
LEFT JOIN directory_users AS actor ON e.tenant_id = actor.tenant_id AND e.actor_id = actor.user_id
LEFT JOIN users_by_name AS actor_by_name
    ON e.tenant_id = actor_by_name.tenant_id AND e.actor_name = actor_by_name.user_name

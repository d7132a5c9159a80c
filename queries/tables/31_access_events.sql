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
  resource_id: id of the mailbox's or calendar's user, group, team or chat
  resource_name: user principal name where that is what the record says, lower-case
  item_count: items touched as the record says; NULL when it does not; a floor, never a total
  ip_address: address of the caller
  country: two-letter code where the record has one
  succeeded: false when the call was refused or failed; NULL when the record does not say
  origin: graph (collected) or import (from a file)
  first_seen_at: when the store first got it
  is_mapped: false when the catalogue knows no such call
  status_code: HTTP status of a Graph call
  source_id: file it came from (see sources)
---*/
WITH calls AS (
    SELECT
        c.tenant_id,
        'graph_activity' AS feed,
        c.event_id,
        c.occurred_at,
        c.app_id,
        NULL::VARCHAR AS said_app_name,
        CASE
            WHEN c.id_type = 'app' THEN 'application'
            WHEN c.id_type = 'user' OR c.user_id IS NOT NULL THEN 'delegated'
            WHEN c.sp_id IS NOT NULL OR (c.has_roles AND NOT c.has_scopes) THEN 'application'
            WHEN c.has_scopes AND NOT c.has_roles THEN 'delegated'
        END AS access_kind,
        coalesce(c.user_id, c.sp_id) AS actor_id,
        NULL::VARCHAR AS said_actor_name,
        m.workload,
        m.operation,
        c.method || ' ' || coalesce(m.template, c.shape) AS endpoint,
        m.permissions_application,
        m.permissions_delegated,
        m.resource_kind,
        CASE
            WHEN m.resource_segment > 0 THEN nullif(split_part(c.path, '/', m.resource_segment + 1), '')
            -- /me is the actor; an app on its own has no /me.
            WHEN m.resource_segment = 0 THEN c.user_id
        END AS resource,
        NULL::BIGINT AS item_count,
        c.ip_address,
        c.status_code BETWEEN 200 AND 399 AS succeeded,
        m.template IS NOT NULL AS is_mapped,
        c.status_code,
        c.source_id
    FROM landed_calls AS c
    LEFT JOIN catalogue_shapes AS m ON c.method = m.method AND c.shape = m.shape
    WHERE c.is_newest
),

audits AS (
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        source_id,
        record ->> '$.Operation' AS operation_name,
        -- Folded: kinds of dashes, blanks, the full stop at the end.
        lower(rtrim(trim(regexp_replace(
            regexp_replace(record ->> '$.Operation', '[\s\x{00A0}]+', ' ', 'g'),
            '[\x{2010}-\x{2015}\x{2212}\x{FE58}\x{FE63}\x{FF0D}]', '-', 'g'
        )), '. ')) AS folded,
        record ->> '$.Workload' AS audit_workload,
        coalesce(
            TRY_CAST(record ->> '$.RecordType' AS INTEGER),
            (SELECT t.record_type FROM audit_record_types AS t WHERE t.name = record ->> '$.RecordType')
        ) AS record_type,
        lower(nullif(coalesce(
            nullif(record ->> '$.ClientAppId', ''),
            nullif(record ->> '$.AppAccessContext.ClientAppId', ''),
            nullif(record ->> '$.AppAccessContext[0].ClientAppId', ''),
            nullif(record ->> '$.ApplicationId', ''),
            -- AppId alone is the caller, unless it is the API that was called.
            CASE
                WHEN lower(record ->> '$.AppId') NOT IN (
                    '00000003-0000-0000-c000-000000000000', '00000002-0000-0ff1-ce00-000000000000',
                    '00000003-0000-0ff1-ce00-000000000000', '00000002-0000-0000-c000-000000000000'
                ) THEN record ->> '$.AppId'
            END
        ), '')) AS app_id,
        coalesce(record ->> '$.AppAccessContext.ClientAppName', record ->> '$.AppAccessContext[0].ClientAppName')
            AS said_app_name,
        record ->> '$.UserType' AS user_type,
        record ->> '$.UserId' AS user_name,
        lower(record ->> '$.MailboxOwnerUPN') AS mailbox_name,
        lower(coalesce(record ->> '$.AADGroupId', record ->> '$.TeamGroupId')) AS team_id,
        coalesce(record ->> '$.ChatThreadId', record ->> '$.Messages[0].ChatThreadId') AS chat_id,
        coalesce(record ->> '$.TeamGuid', record ->> '$.ChannelGuid', record ->> '$.ChannelName') AS channel,
        TRY_CAST(record ->> '$.OperationCount' AS BIGINT) AS operation_count,
        record ->> '$.OperationProperties' AS operation_properties,
        nullif(coalesce(record ->> '$.ClientIPAddress', record ->> '$.ClientIP'), '') AS ip_address,
        lower(record ->> '$.ResultStatus') AS result_status
    FROM landed_records
    WHERE feed IN ('audit_exchange', 'audit_sharepoint', 'audit_teams', 'audit_other') AND is_newest
),

audited AS (
    SELECT
        a.tenant_id,
        a.feed,
        a.event_id,
        a.occurred_at,
        a.app_id,
        a.said_app_name,
        CASE
            WHEN a.user_type IN ('5', '6', 'Application', 'ServicePrincipal') THEN 'application'
            WHEN starts_with(a.user_name, 'ServicePrincipal_') THEN 'application'
            WHEN a.user_type IN ('0', '2', '3', '9', '10', 'Regular', 'Admin', 'DcAdmin', 'PartnerTechnician', 'Guest')
                AND contains(a.user_name, '@') THEN 'delegated'
        END AS access_kind,
        CASE WHEN starts_with(a.user_name, 'ServicePrincipal_') THEN lower(substr(a.user_name, 18)) END AS actor_id,
        CASE WHEN NOT starts_with(a.user_name, 'ServicePrincipal_') THEN lower(nullif(a.user_name, '')) END
            AS said_actor_name,
        CASE
            -- One operation serves chats and channels; the record's thread says which.
            WHEN o.decided_by = 'thread' AND (a.channel IS NOT NULL OR a.team_id IS NOT NULL) THEN 'teams_channel'
            WHEN o.decided_by = 'thread' AND a.chat_id LIKE '%@thread.tacv2' THEN 'teams_channel'
            WHEN o.decided_by = 'thread' AND a.chat_id IS NOT NULL THEN 'teams_chat'
            WHEN o.audit_operation IS NOT NULL THEN o.workload
            -- A cmdlet of Exchange's administration touches settings, not somebody's mail, unless listed above.
            WHEN a.feed = 'audit_exchange' AND a.record_type = 1 THEN 'other'
            ELSE w.workload
        END AS workload,
        o.operation,
        a.operation_name AS endpoint,
        o.permissions_application,
        o.permissions_delegated,
        CASE
            WHEN a.feed = 'audit_exchange' THEN 'user'
            WHEN a.channel IS NOT NULL OR a.team_id IS NOT NULL OR a.chat_id LIKE '%@thread.tacv2' THEN 'team'
            WHEN a.chat_id IS NOT NULL THEN 'chat'
            ELSE o.resource_kind
        END AS resource_kind,
        CASE
            WHEN a.feed = 'audit_exchange' THEN a.mailbox_name
            WHEN a.team_id IS NOT NULL THEN a.team_id
            WHEN a.channel IS NULL AND a.chat_id NOT LIKE '%@thread.tacv2' THEN a.chat_id
        END AS resource,
        -- A synchronised folder was read as a whole: its count of items is not known.
        CASE WHEN contains(a.operation_properties, '"Sync"') THEN NULL ELSE a.operation_count END AS item_count,
        a.ip_address,
        CASE
            WHEN a.result_status IN ('succeeded', 'success', 'true', 'partiallysucceeded') THEN TRUE
            WHEN a.result_status IN ('failed', 'failure', 'false') THEN FALSE
        END AS succeeded,
        o.audit_operation IS NOT NULL OR w.workload IS NOT NULL
        OR (a.feed = 'audit_exchange' AND a.record_type = 1) AS is_mapped,
        NULL::INTEGER AS status_code,
        a.source_id
    FROM audits AS a
    LEFT JOIN audit_operations AS o
        ON
            a.folded = o.audit_operation
            AND lower(coalesce(a.audit_workload, o.audit_workload)) = lower(o.audit_workload)
            AND (o.record_type IS NULL OR o.record_type = a.record_type)
    LEFT JOIN audit_workloads AS w ON lower(a.audit_workload) = lower(w.audit_workload)
    QUALIFY row_number() OVER (
        PARTITION BY a.tenant_id, a.feed, a.event_id ORDER BY o.record_type NULLS LAST, o.audit_workload
    ) = 1
),

accesses AS (
    SELECT * FROM calls
    UNION ALL BY NAME
    SELECT * FROM audited
)

SELECT
    e.tenant_id,
    e.feed,
    e.event_id,
    e.occurred_at,
    e.app_id,
    coalesce(a.app_name, e.said_app_name) AS app_name,
    e.access_kind,
    coalesce(e.actor_id, actor_by_name.user_id) AS actor_id,
    coalesce(e.said_actor_name, actor.user_name) AS actor_name,
    e.workload,
    e.operation,
    e.endpoint,
    CASE e.access_kind
        WHEN 'application' THEN e.permissions_application
        WHEN 'delegated' THEN e.permissions_delegated
        -- Of an unknown kind every alternative counts, and half of them would be a wrong list.
        ELSE CASE
            WHEN e.permissions_application IS NOT NULL AND e.permissions_delegated IS NOT NULL
                THEN list_sort(list_distinct(list_concat(e.permissions_application, e.permissions_delegated)))
        END
    END AS permissions,
    CASE WHEN e.resource IS NOT NULL THEN e.resource_kind END AS resource_kind,
    CASE WHEN NOT contains(e.resource, '@') OR e.resource_kind IN ('chat', 'team') THEN e.resource END AS resource_id,
    CASE WHEN contains(e.resource, '@') AND e.resource_kind NOT IN ('chat', 'team') THEN lower(e.resource) END
        AS resource_name,
    e.item_count,
    e.ip_address,
    NULL::VARCHAR AS country,
    e.succeeded,
    'import' AS origin,
    s.imported_at AS first_seen_at,
    e.is_mapped,
    e.status_code,
    e.source_id
FROM accesses AS e
INNER JOIN sources AS s ON e.source_id = s.source_id
LEFT JOIN app_names AS a ON e.tenant_id = a.tenant_id AND e.app_id = a.app_id
LEFT JOIN directory_users AS actor ON e.tenant_id = actor.tenant_id AND e.actor_id = actor.user_id
LEFT JOIN (
    SELECT tenant_id, user_name, min(user_id) AS user_id FROM directory_users GROUP BY ALL
) AS actor_by_name ON e.tenant_id = actor_by_name.tenant_id AND e.said_actor_name = actor_by_name.user_name

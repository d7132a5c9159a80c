/*---
table: audited_accesses
temporary: true
grain: one access that the unified audit log shows
columns:
  tenant_id: tenant whose data was touched
  feed: audit_exchange, audit_sharepoint, audit_teams or audit_other
  event_id: the record's own id
  occurred_at: event time in UTC
  app_id: application that called, never the API it called
  app_name: its name as the record has it
  access_kind: application, delegated or NULL
  actor_id: object id of who did it
  actor_name: user principal name of who did it
  workload: as in access_events
  operation: as in access_events
  endpoint: the audit operation as written
  protocol: as in access_events
  permissions: as in access_events
  resource_kind: user, team, chat or NULL
  resource: id or name of the mailbox's user, the team or the chat
  item_count: as in access_events
  floor_reason: as in access_events
  ip_address: address of the caller
  succeeded: as in access_events
  is_mapped: as in access_events
  source_id: file it came from
---*/
WITH extracted AS (
    -- All paths in one go: every single one would parse the record again.
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
            '$.ResultStatus', '$.ClientInfoString', '$.ClientProcessName'
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
        CASE
            WHEN feed = 'audit_exchange' AND f[23] IS NOT NULL AND json_valid(f[23]) THEN list_zip(
                json_extract_string(f[23], '$[*].Name'), json_extract_string(f[23], '$[*].Value')
            )
        END AS properties,
        CASE WHEN contains(f[23], '"Sync"') THEN NULL ELSE coalesce(TRY_CAST(f[22] AS BIGINT), nullif(listed_items, 0)) END
            AS item_count,
        nullif(coalesce(nullif(f[24], ''), f[25]), '') AS ip_address,
        lower(f[26]) AS result_status,
        -- `Client=WebServices;…`, `Client=POP3/IMAP4;Protocol=IMAP4`: the session's kind, before what the client says itself.
        CASE
            WHEN f[27] IS NULL AND f[28] IS NULL THEN NULL
            WHEN regexp_matches(f[27], '(?i)^Client=(WebServices|EWS)') THEN 'ews'
            WHEN regexp_matches(f[27], '(?i)^Client=[^;]*(IMAP|POP)[^;]*;Protocol=IMAP') THEN 'imap'
            WHEN regexp_matches(f[27], '(?i)^Client=[^;]*(IMAP|POP)[^;]*;Protocol=POP') THEN 'pop'
            WHEN regexp_matches(f[27], '(?i)^Client=POP3/IMAP4') THEN 'imap_or_pop'
            WHEN regexp_matches(f[27], '(?i)^Client=IMAP') THEN 'imap'
            WHEN regexp_matches(f[27], '(?i)^Client=POP') THEN 'pop'
            WHEN regexp_matches(f[27], '(?i)^Client=SMTP') THEN 'smtp'
            WHEN regexp_matches(f[27], '(?i)^Client=REST') THEN 'rest'
            WHEN regexp_matches(f[27], '(?i)^Client=(ActiveSync|AirSync)') THEN 'activesync'
            WHEN regexp_matches(f[27], '(?i)^Client=(MSExchangeRPC|MAPI)') THEN 'mapi'
            WHEN regexp_matches(f[27], '(?i)^Client=OWA') THEN 'owa'
            WHEN f[27] <> '' THEN NULL
            WHEN regexp_matches(f[28], '(?i)Imap4') THEN 'imap'
            WHEN regexp_matches(f[28], '(?i)Pop3') THEN 'pop'
            WHEN regexp_matches(f[28], '(?i)^OUTLOOK\.EXE') THEN 'mapi'
        END AS protocol
    FROM extracted
),

-- What the catalogue says, once for each operation and not for each record.
known AS (
    SELECT
        k.folded,
        k.audit_workload,
        k.record_type,
        k.protocol,
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
    FROM (SELECT DISTINCT folded, audit_workload, record_type, protocol FROM audits) AS k
    LEFT JOIN audit_record_types AS t ON coalesce(TRY_CAST(k.record_type AS INTEGER) = t.record_type, lower(t.name) = k.record_type)
    LEFT JOIN audit_operations AS o
        ON
            k.folded = o.audit_operation
            AND coalesce(k.audit_workload, lower(o.audit_workload)) = lower(o.audit_workload)
            AND (o.record_type IS NULL OR o.record_type = t.record_type)
            AND (o.protocol IS NULL OR o.protocol = k.protocol)
    LEFT JOIN audit_workloads AS w ON k.audit_workload = lower(w.audit_workload)
    QUALIFY row_number() OVER (
        PARTITION BY k.folded, k.audit_workload, k.record_type, k.protocol
        ORDER BY o.record_type NULLS LAST, o.protocol NULLS LAST, o.audit_workload
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
)

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
    a.protocol,
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
    CASE
        WHEN len(list_filter(a.properties, LAMBDA p: lower(p[1]) = 'isthrottled' AND lower(p[2]) = 'true')) > 0 THEN 'throttled'
        WHEN len(list_filter(a.properties, LAMBDA p: lower(p[1]) = 'mailaccesstype' AND lower(p[2]) = 'sync')) > 0 THEN 'sync'
    END AS floor_reason,
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
        AND a.protocol IS NOT DISTINCT FROM o.protocol

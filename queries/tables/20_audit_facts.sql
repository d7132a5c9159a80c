/*---
table: audit_facts
temporary: true
grain: one row per Entra audit event, from directory audits and from the unified audit log, in one shape
columns:
  tenant_id: tenant
  feed: directory_audits or audit_entra
  event_id: the record's own id
  occurred_at: event time
  activity: name of the activity; trailing full stop, blanks and kinds of dashes folded
  result: success, failure or another word, lower-case
  reason: why it failed, where written
  actor_id: object id of the person or app that did it
  actor_name: user principal name, or the app's name
  targets: ids of the objects concerned, in the record's order, lower-case
  target_kinds: their kinds, in the same order
  details: additional details, name → value
  properties: changed properties, each name, old and new value, JSON quotes taken off
---*/
WITH graph AS (
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        record ->> '$.activityDisplayName' AS activity,
        record ->> '$.result' AS result,
        record ->> '$.resultReason' AS reason,
        coalesce(record ->> '$.initiatedBy.user.id', record ->> '$.initiatedBy.app.servicePrincipalId') AS actor_id,
        coalesce(record ->> '$.initiatedBy.user.userPrincipalName', record ->> '$.initiatedBy.app.displayName')
            AS actor_name,
        json_extract_string(record, '$.targetResources[*].id') AS targets,
        json_extract_string(record, '$.targetResources[*].type') AS target_kinds,
        list_transform(
            coalesce(TRY_CAST(json_extract(record, '$.additionalDetails') AS JSON []), []),
            LAMBDA d: {'name': d ->> '$.key', 'value': d ->> '$.value'}
        ) AS details,
        list_transform(
            json_extract(record, '$.targetResources[*].modifiedProperties[*]'),
            LAMBDA p: {
                'name': p ->> '$.displayName',
                'old': trim(p ->> '$.oldValue', '"'),
                'new': trim(p ->> '$.newValue', '"')
            }
        ) AS properties
    FROM landed_records
    WHERE feed = 'directory_audits' AND is_newest
),

unified AS (
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        record ->> '$.Operation' AS activity,
        record ->> '$.ResultStatus' AS result,
        NULL AS reason,
        list_filter(
            json_extract(record, '$.Actor[*]'),
            LAMBDA a: regexp_full_match(a ->> '$.ID', '(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        )[-1] ->> '$.ID' AS actor_id,
        record ->> '$.UserId' AS actor_name,
        list_filter(
            json_extract_string(record, '$.Target[*].ID'),
            LAMBDA t: regexp_full_match(t, '(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        ) AS targets,
        []::VARCHAR [] AS target_kinds,
        list_filter(
            list_transform(
                json_keys(coalesce(TRY_CAST((list_filter(
                    json_extract(record, '$.ExtendedProperties[*]'), LAMBDA e: (e ->> '$.Name') = 'additionalDetails'
                )[1] ->> '$.Value') AS JSON), '{}')),
                LAMBDA k: {
                    'name': k,
                    'value': TRY_CAST((list_filter(
                        json_extract(record, '$.ExtendedProperties[*]'), LAMBDA e: (e ->> '$.Name') = 'additionalDetails'
                    )[1] ->> '$.Value') AS JSON) ->> concat('$."', replace(k, '"', ''), '"')
                }
            ),
            LAMBDA d: d.value IS NOT NULL
        ) AS details,
        list_transform(
            json_extract(record, '$.ModifiedProperties[*]'),
            LAMBDA p: {
                'name': p ->> '$.Name',
                'old': trim(p ->> '$.OldValue', '"'),
                'new': trim(p ->> '$.NewValue', '"')
            }
        ) AS properties
    FROM landed_records
    WHERE feed = 'audit_entra' AND is_newest AND (record ->> '$.RecordType') IN ('8', 'AzureActiveDirectory')
)

SELECT
    tenant_id,
    feed,
    event_id,
    occurred_at,
    rtrim(
        trim(regexp_replace(regexp_replace(activity, '[\x{2010}-\x{2015}\x{2212}]', '-', 'g'), '\s+', ' ', 'g')), '. '
    ) AS activity,
    lower(result) AS result,
    nullif(reason, '') AS reason,
    lower(actor_id) AS actor_id,
    actor_name,
    list_transform(targets, LAMBDA t: lower(t)) AS targets,
    target_kinds,
    details,
    properties
FROM (
    SELECT * FROM graph
    UNION ALL
    SELECT * FROM unified
)

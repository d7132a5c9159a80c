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
  result: success, failure or another word, lower-case; NULL when not written
  reason: why it failed, where written
  actor_id: object id of the person or app that did it
  actor_name: user principal name, or the app's name
  targets: object ids of the objects concerned, in the record's order, lower-case
  target_kinds: their kinds (user, group, serviceprincipal, application …), in the same order
  detail_app_id: application id among the additional details
  said: >-
    changed properties that matter for grants and memberships, name in lower-case → new value, or the old one of what was
    removed; quotes of JSON in strings taken off; of a name that stands twice the last
  said_before: the same properties' old values
  settings: >-
    changed properties that list an application's credentials or addresses: name in lower-case, old and new text, as written
---*/
WITH wanted AS (
    SELECT [
        'application.appid', 'approle.id', 'approle.value', 'consentaction.permissions', 'consentcontext.isadminconsent',
        'consentcontext.isapponly', 'delegatedpermissiongrant.consenttype', 'delegatedpermissiongrant.principalid',
        'delegatedpermissiongrant.scope', 'group.objectid', 'serviceprincipal.appid', 'serviceprincipal.objectid',
        'targetid.serviceprincipalnames', 'user.objectid'
    ] AS names
),

-- A row of the portal's table has no id of its own: where the record itself came too, that one speaks.
told_twice AS (
    SELECT DISTINCT t.tenant_id, t.record_id
    FROM landed_records AS t
    INNER JOIN landed_records AS r
        ON
            t.tenant_id = r.tenant_id
            AND date_trunc('second', t.occurred_at) = date_trunc('second', r.occurred_at)
            AND t.record ->> '$.correlationId' = r.record ->> '$.correlationId'
            AND t.record ->> '$.activityDisplayName' = r.record ->> '$.activityDisplayName'
    WHERE
        t.feed = 'directory_audits' AND t.is_newest AND starts_with(t.record_id, 'portal_')
        AND r.feed = 'directory_audits' AND r.is_newest AND NOT starts_with(r.record_id, 'portal_')
),

graph AS (
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
        list_transform(json_extract(record, '$.targetResources[*]'), LAMBDA t: t ->> '$.id') AS targets,
        list_transform(json_extract(record, '$.targetResources[*]'), LAMBDA t: t ->> '$.type') AS target_kinds,
        list_filter(
            json_extract(record, '$.additionalDetails[*]'), LAMBDA d: lower(d ->> '$.key') = 'appid'
        )[1] ->> '$.value' AS detail_app_id,
        list_transform(
            json_extract(record, '$.targetResources[*].modifiedProperties[*]'),
            LAMBDA p: {'name': p ->> '$.displayName', 'old': p ->> '$.oldValue', 'new': p ->> '$.newValue'}
        ) AS properties
    FROM landed_records
    WHERE
        feed = 'directory_audits'
        AND is_newest
        AND record_id NOT IN (SELECT t.record_id FROM told_twice AS t WHERE t.tenant_id = landed_records.tenant_id)
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
            json_extract_string(record, '$.Actor[*].ID'),
            LAMBDA a: regexp_full_match(a, '(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        )[-1] AS actor_id,
        record ->> '$.UserId' AS actor_name,
        -- An object stands in Target as Kind_<id>; the GUID alone may be its id or its application id.
        list_filter(
            json_extract_string(record, '$.Target[*].ID'),
            LAMBDA t: regexp_full_match(t, '(?i)[a-z]+_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}')
        ) AS objects,
        list_transform(objects, LAMBDA t: split_part(t, '_', 2)) AS targets,
        list_transform(objects, LAMBDA t: split_part(t, '_', 1)) AS target_kinds,
        TRY_CAST((list_filter(
            json_extract(record, '$.ExtendedProperties[*]'), LAMBDA e: lower(e ->> '$.Name') = 'additionaldetails'
        )[1] ->> '$.Value') AS JSON) ->> '$.AppId' AS detail_app_id,
        list_transform(
            json_extract(record, '$.ModifiedProperties[*]'),
            LAMBDA p: {'name': p ->> '$.Name', 'old': p ->> '$.OldValue', 'new': p ->> '$.NewValue'}
        ) AS properties
    FROM landed_records
    WHERE
        feed = 'audit_entra'
        AND is_newest
        AND coalesce(lower(record ->> '$.RecordType'), '8') IN ('8', 'azureactivedirectory')
),

folded AS (
    SELECT
        * EXCLUDE (properties),
        list_transform(
            properties,
            LAMBDA p: {
                'name': replace(lower(trim(p.name)), 'oauth2permissiongrant.', 'delegatedpermissiongrant.'),
                'old': nullif(trim(p.old, '"'), ''),
                'new': nullif(trim(p.new, '"'), '')
            }
        ) AS properties
    FROM (
        SELECT * FROM graph
        UNION ALL BY NAME
        SELECT * EXCLUDE (objects) FROM unified
    )
)

SELECT
    f.tenant_id,
    f.feed,
    f.event_id,
    f.occurred_at,
    rtrim(trim(regexp_replace(
        regexp_replace(f.activity, '[\x{2010}-\x{2015}\x{2212}\x{FE58}\x{FE63}\x{FF0D}]', '-', 'g'),
        '[\s\x{00A0}]+', ' ', 'g'
    )), '. ') AS activity,
    CASE lower(f.result)
        WHEN 'succeeded' THEN 'success' WHEN 'true' THEN 'success' WHEN 'failed' THEN 'failure' WHEN 'false' THEN 'failure'
        ELSE lower(nullif(f.result, ''))
    END AS result,
    nullif(f.reason, '') AS reason,
    lower(f.actor_id) AS actor_id,
    f.actor_name,
    list_transform(f.targets, LAMBDA t: lower(t)) AS targets,
    list_transform(f.target_kinds, LAMBDA k: lower(k)) AS target_kinds,
    lower(nullif(f.detail_app_id, '')) AS detail_app_id,
    map(w.names, list_transform(
        w.names,
        LAMBDA n: list_transform(
            list_filter(f.properties, LAMBDA p: p.name = n)[-1:], LAMBDA p: coalesce(p.new, p.old)
        )[1]
    )) AS said,
    map(w.names, list_transform(
        w.names, LAMBDA n: list_transform(list_filter(f.properties, LAMBDA p: p.name = n)[-1:], LAMBDA p: p.old)[1]
    )) AS said_before,
    list_filter(
        f.properties,
        LAMBDA p: list_contains(['keydescription', 'federatedidentitycredentials', 'appaddress', 'replyurls'], p.name)
    ) AS settings
FROM folded AS f
CROSS JOIN wanted AS w

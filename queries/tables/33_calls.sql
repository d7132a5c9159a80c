/*---
table: calls
grain: one call, as the call records tell of it; nobody's access to anything
columns:
  tenant_id: tenant
  event_id: the call record's own id; of a call of which only parts were collected, the id that they name
  kind: call (a call record), pstn (a call over Microsoft's telephone network) or direct_routing (over an own trunk)
  call_type: peerToPeer, groupCall, user_in, ByotOut …; NULL when not written
  started_at: when it began
  ended_at: when it ended; NULL when not written, or when nobody picked up
  organizer_id: object id of the user or app that organised it, or whose line it was; NULL for a telephone
  organizer_name: user principal name where the record has one, lower-case
  modalities: audio, video, videoBasedScreenSharing, data …, in order; NULL when not written
  participants: how many took part, as far as they are listed; NULL when the record lists none
  tenant_country: two-letter code of the tenant's country, for pstn
  usage_country: two-letter code of the country where the user was, for pstn
  media_region: where the media went through, for direct_routing
  signaling_region: where the signalling went through, for direct_routing
  trunk: domain name of the trunk that it went over, lower-case, for direct_routing
  succeeded: the call came about, for direct_routing; NULL when not written
  source_id: file it came from; of several the newest
---*/
WITH extracted AS (
    -- All paths in one go: every single one would parse the record again. Telephone numbers are left where they are.
    SELECT
        tenant_id,
        record_id,
        occurred_at,
        source_id,
        record ->> [
            '$.callId', '$.part', '$.endDateTime', '$.type', '$.callType', '$.userId', '$.userPrincipalName',
            '$.organizer_v2.identity.user.id', '$.organizer.user.id', '$.organizer_v2.identity.application.id',
            '$.organizer_v2.identity.applicationInstance.id', '$.organizer_v2.identity.guest.id',
            '$.organizer_v2.identity.acsUser.id', '$.organizer_v2.identity.user.userPrincipalName',
            '$.tenantCountryCode', '$.usageCountryCode', '$.mediaPathLocation', '$.signalingLocation',
            '$.successfulCall', '$.usageCountryCode', '$.trunkFullyQualifiedDomainName', '$.finalSipCode',
            '$.organizer.application.id', '$.licenseCapability'
        ] AS f,
        json_extract_string(record, '$.modalities[*]') AS modalities,
        list_concat(
            json_extract_string(record, '$.participants_v2[*].id'),
            json_extract_string(record, '$.sessions[*].caller.associatedIdentity.id'),
            json_extract_string(record, '$.sessions[*].callee.associatedIdentity.id'),
            json_extract_string(record, '$.sessions[*].caller.identity.user.id'),
            json_extract_string(record, '$.sessions[*].callee.identity.user.id'),
            record ->> [
                '$.caller.associatedIdentity.id', '$.callee.associatedIdentity.id', '$.caller.identity.user.id',
                '$.callee.identity.user.id'
            ]
        ) AS people
    FROM landed_records
    WHERE feed = 'call_records' AND is_newest
),

told AS (
    SELECT
        tenant_id,
        CASE WHEN f[2] IS NULL THEN record_id ELSE f[1] END AS event_id,
        f[2] AS part,
        CASE
            WHEN f[2] IS NOT NULL OR f[5] IS NULL THEN 'call'
            WHEN coalesce(f[17], f[18], f[21], f[22]) IS NOT NULL THEN 'direct_routing'
            ELSE 'pstn'
        END AS kind,
        coalesce(f[4], f[5]) AS call_type,
        occurred_at AS started_at,
        TRY_CAST(f[3] AS TIMESTAMPTZ) AS ended_at,
        lower(coalesce(f[8], f[9], f[10], f[11], f[12], f[13], f[23], f[6])) AS organizer_id,
        lower(coalesce(f[14], f[7])) AS organizer_name,
        modalities,
        CASE WHEN f[2] = 'participants_v2' THEN [split_part(record_id, '/', 3)] ELSE people END AS people,
        upper(nullif(f[15], '')) AS tenant_country,
        upper(nullif(f[16], '')) AS usage_country,
        nullif(f[17], '') AS media_region,
        nullif(f[18], '') AS signaling_region,
        lower(nullif(f[21], '')) AS trunk,
        TRY_CAST(f[19] AS BOOLEAN) AS succeeded,
        source_id
    FROM extracted
)

SELECT
    tenant_id,
    event_id,
    -- What the record itself says goes before what its parts say.
    coalesce(max(kind) FILTER (WHERE part IS NULL), 'call') AS kind,
    max(call_type) FILTER (WHERE part IS NULL) AS call_type,
    coalesce(min(started_at) FILTER (WHERE part IS NULL), min(started_at)) AS started_at,
    -- The first day of year 1 is how .NET writes that there is no time.
    nullif(
        coalesce(max(ended_at) FILTER (WHERE part IS NULL), max(ended_at)), TIMESTAMPTZ '0001-01-01 00:00:00+00'
    ) AS ended_at,
    max(organizer_id) FILTER (WHERE part IS NULL) AS organizer_id,
    max(organizer_name) FILTER (WHERE part IS NULL) AS organizer_name,
    nullif(list_sort(list_distinct(flatten(list(modalities)))), []) AS modalities,
    nullif(len(list_distinct(list_filter(flatten(list(people)), LAMBDA p: p IS NOT NULL))), 0) AS participants,
    max(tenant_country) AS tenant_country,
    max(usage_country) AS usage_country,
    max(media_region) AS media_region,
    max(signaling_region) AS signaling_region,
    max(trunk) AS trunk,
    bool_or(succeeded) AS succeeded,
    coalesce(max(source_id) FILTER (WHERE part IS NULL), max(source_id)) AS source_id
FROM told
GROUP BY tenant_id, event_id

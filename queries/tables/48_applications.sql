/*---
table: applications
grain: one application that a tenant itself registered, as last observed
columns:
  tenant_id: tenant
  object_id: object id of the application
  app_id: application (client) id
  app_name: display name
  audience: who may use it, e.g. AzureADMyOrg
  created_at: when it was registered
  certificates: certificates it may sign in with
  secrets: secrets it may sign in with
  last_credential_ends_at: when the last of them ends; NULL when it has none, or when they were not read
  reply_urls: addresses that sign-ins may be answered to, without query and fragment; NULL when they were not read
  owners: object ids of its owners; NULL when they were not read
  observed_at: when this was last observed
---*/
SELECT
    tenant_id,
    object_id,
    lower(record ->> '$.appId') AS app_id,
    record ->> '$.displayName' AS app_name,
    record ->> '$.signInAudience' AS audience,
    TRY_CAST(record ->> '$.createdDateTime' AS TIMESTAMPTZ) AS created_at,
    json_array_length(record, '$.keyCredentials') AS certificates,
    json_array_length(record, '$.passwordCredentials') AS secrets,
    list_max(list_transform(
        list_concat(
            json_extract_string(record, '$.keyCredentials[*].endDateTime'),
            json_extract_string(record, '$.passwordCredentials[*].endDateTime')
        ),
        LAMBDA e: TRY_CAST(e AS TIMESTAMPTZ)
    )) AS last_credential_ends_at,
    CASE
        WHEN coalesce(json_type(record, '$.web'), json_type(record, '$.spa'), json_type(record, '$.publicClient')) = 'OBJECT'
            THEN list_sort(list_distinct(list_transform(
                list_concat(
                    json_extract_string(record, '$.web.redirectUris[*]'),
                    json_extract_string(record, '$.spa.redirectUris[*]'),
                    json_extract_string(record, '$.publicClient.redirectUris[*]')
                ),
                LAMBDA u: regexp_replace(trim(u), '[?#].*$', '')
            )))
    END AS reply_urls,
    CASE WHEN json_type(record, '$.owners') = 'ARRAY'
        THEN list_transform(json_extract_string(record, '$.owners[*].id'), LAMBDA o: lower(o)) END AS owners,
    observed_at
FROM state_objects
WHERE feed = 'applications'
QUALIFY row_number() OVER (PARTITION BY tenant_id, object_id ORDER BY observed_at DESC) = 1

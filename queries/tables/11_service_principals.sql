/*---
table: service_principals
grain: one row per service principal of a tenant, as last observed
columns:
  tenant_id: tenant in which the service principal lives
  sp_id: object id of the service principal
  app_id: application (client) id
  app_name: display name; chosen by whoever registered the app
  owner_tenant_id: tenant that owns the application; NULL when not read
  publisher: verified publisher's name, else the publisher's name
  sp_type: Application, ManagedIdentity, Legacy or SocialIdp
  is_enabled: sign-in is allowed
  reply_urls: addresses that sign-ins may be answered to, without query and fragment; NULL when they were not read
  privacy_url: privacy statement that its owner shows; NULL when there is none, or when it was not read
  observed_at: when it was last observed
---*/
SELECT
    tenant_id,
    object_id AS sp_id,
    lower(record ->> '$.appId') AS app_id,
    coalesce(record ->> '$.displayName', record ->> '$.appDisplayName') AS app_name,
    lower(record ->> '$.appOwnerOrganizationId') AS owner_tenant_id,
    coalesce(record ->> '$.verifiedPublisher.displayName', record ->> '$.publisherName') AS publisher,
    record ->> '$.servicePrincipalType' AS sp_type,
    try_cast(record ->> '$.accountEnabled' AS BOOLEAN) AS is_enabled,
    CASE
        WHEN json_type(record, '$.replyUrls') = 'ARRAY'
            THEN list_sort(list_distinct(list_transform(
                json_extract_string(record, '$.replyUrls[*]'), LAMBDA u: regexp_replace(trim(u), '[?#].*$', '')
            )))
    END AS reply_urls,
    nullif(trim(record ->> '$.info.privacyStatementUrl'), '') AS privacy_url,
    observed_at
FROM state_objects
WHERE feed = 'service_principals'
QUALIFY row_number() OVER (PARTITION BY tenant_id, object_id ORDER BY observed_at DESC) = 1

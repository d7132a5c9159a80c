/*---
table: sign_ins
grain: one sign-in
columns:
  tenant_id: tenant
  feed: which of the four sign-in logs
  event_id: the record's own id
  kind: interactive, non_interactive, service_principal or managed_identity
  occurred_at: event time (never the time the log was written)
  app_id: application that signed in, or that the user signed in to
  app_name: its display name
  user_id: object id of the user; NULL for an app signing in as itself
  user_name: user principal name
  sp_id: service principal that signed in; NULL for users
  resource_app_id: API that the token is for
  ip_address: address of the client; for tokens renewed by a server, of the first request
  country: two-letter code as Microsoft derives it from the address
  is_mfa: more than one factor was required; NULL when not written
  succeeded: error code 0
  error_code: Entra's code; NULL when not written
  token_id: unique token identifier, the same in Graph activity and audit records
---*/
SELECT
    tenant_id,
    feed,
    record_id AS event_id,
    replace(feed, 'sign_ins_', '') AS kind,
    occurred_at,
    lower(nullif(record ->> '$.appId', '')) AS app_id,
    record ->> '$.appDisplayName' AS app_name,
    lower(nullif(record ->> '$.userId', '')) AS user_id,
    lower(nullif(record ->> '$.userPrincipalName', '')) AS user_name,
    lower(nullif(record ->> '$.servicePrincipalId', '')) AS sp_id,
    lower(nullif(record ->> '$.resourceId', '')) AS resource_app_id,
    nullif(record ->> '$.ipAddress', '') AS ip_address,
    nullif(record ->> '$.location.countryOrRegion', '') AS country,
    CASE record ->> '$.authenticationRequirement'
        WHEN 'multiFactorAuthentication' THEN TRUE WHEN 'singleFactorAuthentication' THEN FALSE
    END AS is_mfa,
    TRY_CAST(record ->> '$.status.errorCode' AS INTEGER) = 0 AS succeeded,
    TRY_CAST(record ->> '$.status.errorCode' AS INTEGER) AS error_code,
    nullif(rtrim(record ->> '$.uniqueTokenIdentifier', '='), '') AS token_id
FROM landed_records
WHERE starts_with(feed, 'sign_ins_') AND is_newest

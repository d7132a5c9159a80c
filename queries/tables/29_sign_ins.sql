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
  client_app: >-
    by which kind of client the user signed in, as Microsoft says it (Browser, IMAP4, Exchange ActiveSync …); NULL for apps,
    or when not written
  credential_type: >-
    with what an app signed in as itself: clientSecret, certificate, federatedIdentityCredential …; NULL for people, or when
    not written
  token_id: unique token identifier, the same in Graph activity and audit records
---*/
WITH extracted AS (
    -- All paths in one go: every single one would parse the record again.
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        record ->> [
            '$.appId', '$.appDisplayName', '$.userId', '$.userPrincipalName', '$.servicePrincipalId', '$.resourceId',
            '$.ipAddress', '$.location.countryOrRegion', '$.authenticationRequirement', '$.status.errorCode',
            '$.uniqueTokenIdentifier', '$.clientAppUsed',
            '$.clientCredentialType'
        ] AS f
    FROM landed_records
    WHERE starts_with(feed, 'sign_ins_') AND is_newest
)

SELECT
    tenant_id,
    feed,
    event_id,
    replace(feed, 'sign_ins_', '') AS kind,
    occurred_at,
    lower(nullif(f[1], '')) AS app_id,
    f[2] AS app_name,
    -- All zeros: a user who does not exist.
    lower(nullif(nullif(f[3], ''), '00000000-0000-0000-0000-000000000000')) AS user_id,
    lower(nullif(f[4], '')) AS user_name,
    lower(nullif(f[5], '')) AS sp_id,
    lower(nullif(f[6], '')) AS resource_app_id,
    nullif(f[7], '') AS ip_address,
    nullif(f[8], '') AS country,
    CASE lower(f[9]) WHEN 'multifactorauthentication' THEN TRUE WHEN 'singlefactorauthentication' THEN FALSE END AS is_mfa,
    TRY_CAST(f[10] AS INTEGER) = 0 AS succeeded,
    TRY_CAST(f[10] AS INTEGER) AS error_code,
    nullif(trim(f[12]), '') AS client_app,
    nullif(nullif(trim(f[13]), ''), 'none') AS credential_type,
    nullif(rtrim(f[11], '='), '') AS token_id
FROM extracted

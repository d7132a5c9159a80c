/*---
table: consented_grants
temporary: true
grain: one delegated grant as it stands after somebody consented to an application
columns:
  tenant_id: tenant
  feed: log of the consent
  event_id: the audit record's own id
  ordinal: position in the record's text, from 1
  client_sp_id: the client's service principal; NULL when the text gives zeros, as it does before there is one
  resource_sp_id: service principal of the API
  scope_for: all_users or one_user
  principal_id: the user, for one_user
  permissions: scopes
---*/
WITH told AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        -- [grants before] => [grants after]; a text without an arrow tells only of after.
        regexp_extract_all(split_part(said['consentaction.permissions'], '=>', -1), '\[[^\[\]]+') AS grants
    FROM audit_facts
    WHERE lower(activity) = 'consent to application' AND said['consentaction.permissions'] IS NOT NULL
)

SELECT
    tenant_id,
    feed,
    event_id,
    ordinal,
    nullif(lower(nullif(regexp_extract(told, '(?i)\bClientId: *([0-9a-f-]{36})', 1), '')), '00000000-0000-0000-0000-000000000000')
        AS client_sp_id,
    lower(nullif(regexp_extract(told, '(?i)\bResourceId: *([0-9a-f-]{36})', 1), '')) AS resource_sp_id,
    CASE lower(regexp_extract(told, '(?i)\bConsentType: *([a-z]+)', 1))
        WHEN 'allprincipals' THEN 'all_users' WHEN 'principal' THEN 'one_user'
    END AS scope_for,
    lower(nullif(regexp_extract(told, '(?i)\bPrincipalId: *([0-9a-f-]{36})', 1), '')) AS principal_id,
    -- Only up to its comma: a text that was cut ends in half a name.
    list_distinct(list_filter(
        string_split_regex(regexp_extract(told, '(?i)\bScope:([^,]*),', 1), '\s+'), LAMBDA s: s <> ''
    )) AS permissions
FROM (
    SELECT tenant_id, feed, event_id, unnest(grants) AS told, generate_subscripts(grants, 1) AS ordinal
    FROM told
)

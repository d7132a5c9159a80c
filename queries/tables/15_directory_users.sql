/*---
table: directory_users
grain: one row per user of a tenant, as last observed
columns:
  tenant_id: tenant
  user_id: object id
  user_name: user principal name, lower-case
  observed_at: when this was last observed
  user_type: member or guest; NULL when not written
  is_enabled: sign-in is allowed; NULL when not written
  country: two-letter code of the country where licences are used; NULL when not written
  age_group: minor, notadult or adult as the directory has it; NULL is not known, never adult
  parental_consent: granted, denied or notrequired, for a minor; NULL when not written
  legal_age_group: what Microsoft makes of the two, lower-case; NULL when not known
---*/
WITH listed AS (
    SELECT
        tenant_id,
        object_id AS user_id,
        lower(record ->> '$.userPrincipalName') AS user_name,
        observed_at,
        record ->> [
            '$.userType', '$.accountEnabled', '$.usageLocation', '$.ageGroup', '$.consentProvidedForMinor',
            '$.legalAgeGroupClassification'
        ] AS f
    FROM state_objects
    WHERE feed = 'users'
),

named AS (
    SELECT tenant_id, user_id, user_name, observed_at
    FROM (
        SELECT tenant_id, user_id, user_name, observed_at FROM listed
        UNION ALL
        SELECT tenant_id, member_id, member_name, observed_at
        FROM group_snapshot_members
        WHERE member_kind = 'user'
    )
    WHERE user_name IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY tenant_id, user_id ORDER BY observed_at DESC, user_name ASC) = 1
),

-- Members of groups are listed without these: the newest listing of users says them.
described AS (
    SELECT tenant_id, user_id, f
    FROM listed
    QUALIFY row_number() OVER (PARTITION BY tenant_id, user_id ORDER BY observed_at DESC) = 1
)

SELECT
    n.tenant_id,
    n.user_id,
    n.user_name,
    n.observed_at,
    lower(nullif(d.f[1], '')) AS user_type,
    TRY_CAST(d.f[2] AS BOOLEAN) AS is_enabled,
    upper(nullif(d.f[3], '')) AS country,
    lower(nullif(d.f[4], '')) AS age_group,
    lower(nullif(d.f[5], '')) AS parental_consent,
    lower(nullif(d.f[6], '')) AS legal_age_group
FROM named AS n
LEFT JOIN described AS d ON n.tenant_id = d.tenant_id AND n.user_id = d.user_id

/*---
table: tenant_policies
grain: one tenant of which policies on granting were read, as last observed
columns:
  tenant_id: tenant
  user_grants: >-
    what users may grant apps by themselves: off, low (permissions of little risk), recommended (as Microsoft recommends),
    legacy (everything that needs no administrator) or custom; NULL when not read
  user_grant_policies: the policies that say so, as written; NULL when not read
  may_grant_risky_apps: users may grant apps that Microsoft finds risky; NULL when not written
  may_create_apps: users may register applications; NULL when not written
  guests_are_limited: guests have the most restricted role in the directory; NULL when not written
  has_request_workflow: users may ask administrators to grant; NULL when not read
  observed_at: when the newest of them was observed
---*/
WITH newest AS (
    SELECT tenant_id, object_id, record, observed_at
    FROM state_objects
    WHERE feed = 'policies'
    QUALIFY row_number() OVER (PARTITION BY tenant_id, object_id ORDER BY observed_at DESC) = 1
),

authorization_policies AS (
    SELECT
        tenant_id,
        record,
        observed_at,
        -- v1.0 and beta have the list in different places.
        CASE
            WHEN json_type(record, '$.defaultUserRolePermissions.permissionGrantPoliciesAssigned') = 'ARRAY'
                THEN json_extract_string(record, '$.defaultUserRolePermissions.permissionGrantPoliciesAssigned[*]')
            WHEN json_type(record, '$.permissionGrantPolicyIdsAssignedToDefaultUserRole') = 'ARRAY'
                THEN json_extract_string(record, '$.permissionGrantPolicyIdsAssignedToDefaultUserRole[*]')
        END AS assigned
    FROM newest
    WHERE
        lower(object_id) = 'authorizationpolicy'
        OR json_exists(record, '$.defaultUserRolePermissions')
    QUALIFY row_number() OVER (PARTITION BY tenant_id ORDER BY observed_at DESC, object_id ASC) = 1
),

workflows AS (
    SELECT tenant_id, TRY_CAST(record ->> '$.isEnabled' AS BOOLEAN) AS is_enabled, observed_at
    FROM newest
    WHERE lower(object_id) = 'adminconsentrequestpolicy' OR json_exists(record, '$.requestDurationInDays')
    QUALIFY row_number() OVER (PARTITION BY tenant_id ORDER BY observed_at DESC, object_id ASC) = 1
),

-- Others that are assigned let people act for a team or chat they own, which is another matter.
own AS (
    SELECT
        *,
        list_filter(assigned, LAMBDA p: starts_with(lower(p), 'managepermissiongrantsforself.')) AS for_self
    FROM authorization_policies
)

SELECT
    n.tenant_id,
    CASE
        WHEN a.for_self IS NULL THEN NULL
        WHEN len(a.for_self) = 0 THEN 'off'
        WHEN list_contains(
            list_transform(a.for_self, LAMBDA p: lower(p)), 'managepermissiongrantsforself.microsoft-user-default-legacy'
        ) THEN 'legacy'
        WHEN len(list_filter(a.for_self, LAMBDA p: NOT contains(lower(p), '.microsoft-user-default-'))) > 0 THEN 'custom'
        WHEN list_contains(
            list_transform(a.for_self, LAMBDA p: lower(p)),
            'managepermissiongrantsforself.microsoft-user-default-recommended'
        ) THEN 'recommended'
        ELSE 'low'
    END AS user_grants,
    a.assigned AS user_grant_policies,
    TRY_CAST(a.record ->> '$.allowUserConsentForRiskyApps' AS BOOLEAN) AS may_grant_risky_apps,
    TRY_CAST(a.record ->> '$.defaultUserRolePermissions.allowedToCreateApps' AS BOOLEAN) AS may_create_apps,
    lower(a.record ->> '$.guestUserRoleId') = '2af84b1e-32c8-42b7-82bc-daa82404023b' AS guests_are_limited,
    w.is_enabled AS has_request_workflow,
    n.observed_at
FROM (SELECT tenant_id, max(observed_at) AS observed_at FROM newest GROUP BY ALL) AS n
LEFT JOIN own AS a ON n.tenant_id = a.tenant_id
LEFT JOIN workflows AS w ON n.tenant_id = w.tenant_id

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
  security_defaults: >-
    Microsoft's security defaults are on, which ask everybody for a second factor; NULL when not read
  mfa_policies: >-
    conditional access policies in force that ask for a second factor; those that let a known device do instead are not
    counted; NULL when not read
  mfa_for_all: >-
    one of these asks everybody (but those it excludes) and for every app, whatever the place, device and risk; NULL when not
    read
  mfa_exclusions: users, groups, roles and kinds of guests that those for everybody leave out; NULL when not read
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

defaults AS (
    SELECT tenant_id, TRY_CAST(record ->> '$.isEnabled' AS BOOLEAN) AS is_enabled
    FROM newest
    WHERE lower(object_id) IN ('identitysecuritydefaultsenforcementpolicy', '00000000-0000-0000-0000-000000000005')
    QUALIFY row_number() OVER (PARTITION BY tenant_id ORDER BY observed_at DESC, object_id ASC) = 1
),

-- The auditor notes how many there are, so that a tenant without any such policy is told from one that was not asked.
asked AS (
    SELECT tenant_id, max(snapshot_at) AS snapshot_at
    FROM state_objects
    WHERE feed = 'policies' AND (lower(object_id) = 'conditionalaccess' OR json_exists(record, '$.grantControls'))
    GROUP BY ALL
),

conditional AS (
    SELECT
        s.tenant_id,
        s.record -> '$.grantControls.authenticationStrength' AS strength,
        json_extract_string(s.record, '$.grantControls.builtInControls[*]') AS controls,
        upper(s.record ->> '$.grantControls.operator') AS operator,
        list_contains(json_extract_string(s.record, '$.conditions.users.includeUsers[*]'), 'All')
        AND list_contains(json_extract_string(s.record, '$.conditions.applications.includeApplications[*]'), 'All')
        AND coalesce(len(json_extract_string(s.record, '$.conditions.applications.excludeApplications[*]')), 0) = 0
        AND coalesce(json_array_length(s.record, '$.conditions.signInRiskLevels'), 0) = 0
        AND coalesce(json_array_length(s.record, '$.conditions.userRiskLevels'), 0) = 0
        AND coalesce(json_type(s.record, '$.conditions.platforms'), 'NULL') = 'NULL'
        AND coalesce(json_type(s.record, '$.conditions.locations'), 'NULL') = 'NULL'
        AND coalesce(json_type(s.record, '$.conditions.devices'), 'NULL') = 'NULL'
        AND (
            json_type(s.record, '$.conditions.clientAppTypes') IS NULL
            OR list_contains(json_extract_string(s.record, '$.conditions.clientAppTypes[*]'), 'all')
            OR list_has_all(
                json_extract_string(s.record, '$.conditions.clientAppTypes[*]'), ['browser', 'mobileAppsAndDesktopClients']
            )
        )
            AS is_for_all,
        coalesce(json_array_length(s.record, '$.conditions.users.excludeUsers'), 0)
        + coalesce(json_array_length(s.record, '$.conditions.users.excludeGroups'), 0)
        + coalesce(json_array_length(s.record, '$.conditions.users.excludeRoles'), 0)
        + CASE
            WHEN json_type(s.record, '$.conditions.users.excludeGuestsOrExternalUsers') = 'OBJECT' THEN 1 ELSE 0
        END AS exclusions
    FROM state_objects AS s
    INNER JOIN asked AS a ON s.tenant_id = a.tenant_id AND s.snapshot_at = a.snapshot_at
    WHERE s.feed = 'policies' AND json_exists(s.record, '$.grantControls') AND lower(s.record ->> '$.state') = 'enabled'
),

asking AS (
    SELECT
        a.tenant_id,
        count(c.tenant_id) AS policies,
        coalesce(bool_or(c.is_for_all), FALSE) AS is_for_all,
        coalesce(sum(c.exclusions) FILTER (WHERE c.is_for_all), 0)::BIGINT AS exclusions
    FROM asked AS a
    LEFT JOIN conditional AS c
        ON
            a.tenant_id = c.tenant_id
            AND (
                (list_contains(c.controls, 'mfa') AND (coalesce(c.operator, 'AND') = 'AND' OR len(c.controls) = 1))
                OR json_type(c.strength) = 'OBJECT'
            )
    GROUP BY ALL
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
    d.is_enabled AS security_defaults,
    m.policies AS mfa_policies,
    m.is_for_all AS mfa_for_all,
    m.exclusions AS mfa_exclusions,
    n.observed_at
FROM (SELECT tenant_id, max(observed_at) AS observed_at FROM newest GROUP BY ALL) AS n
LEFT JOIN own AS a ON n.tenant_id = a.tenant_id
LEFT JOIN workflows AS w ON n.tenant_id = w.tenant_id
LEFT JOIN defaults AS d ON n.tenant_id = d.tenant_id
LEFT JOIN asking AS m ON n.tenant_id = m.tenant_id

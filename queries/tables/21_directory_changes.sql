/*---
table: directory_changes
grain: one row per consent-relevant Entra audit event
columns:
  tenant_id: tenant
  event_id: the audit record's own id
  occurred_at: event time; NULL when it could not be read
  activity: e.g. Consent to application; trailing full stop, blanks and kinds of dashes folded
  actor_id: object id of who did it
  actor_name: user principal name or app name of who did it
  app_id: application that was granted, changed or removed (the client, never the resource API)
  sp_id: its service principal
  resource_app_id: API that a permission belongs to, where the record says it
  resource_sp_id: service principal of that API
  permissions: permissions concerned; NULL when the record names none
  kind: application or delegated, NULL when the change is not about a permission
  scope_for: all_users or one_user, for delegated grants
  principal_id: the user a delegated grant was made for
  is_admin_consent: an administrator consented; NULL when not written
  result: success, failure, or another word
  reason: why it failed, where written
  feed: directory_audits or audit_entra
---*/
WITH named AS (
    SELECT
        * EXCLUDE (properties, details),
        map_from_entries(list_distinct(list_transform(
            list_filter(properties, LAMBDA p: p.name IS NOT NULL),
            LAMBDA p: {'k': p.name, 'v': coalesce(nullif(p.new, ''), p.old)}
        ))) AS changed,
        list_filter(details, LAMBDA d: lower(d.name) = 'appid')[1].value AS detail_app_id,
        lower(activity) AS folded
    FROM (
        -- One value a name: the last one written wins, as in the portal.
        SELECT
            * EXCLUDE (properties),
            list_filter(
                properties,
                LAMBDA p, i: NOT list_contains(list_transform(properties[i + 1:], LAMBDA q: q.name), p.name)
            ) AS properties
        FROM audit_facts
    )
    WHERE regexp_matches(
        activity,
        '(?i)consent|permission ?grant|app role assignment|service principal|application|authorization policy'
    )
),

read AS (
    SELECT
        *,
        lower(changed['ServicePrincipal.ObjectID']) AS named_sp_id,
        lower(changed['ServicePrincipal.AppId']) AS named_app_id,
        regexp_extract_all(
            changed['TargetId.ServicePrincipalNames'], '(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}'
        ) AS target_names,
        split_part(changed['ConsentAction.Permissions'], '=>', 2) AS consented,
        contains(folded, 'app role assignment') OR contains(folded, 'delegated permission grant')
        OR contains(folded, 'oauth2permissiongrant') AS is_about_resource
    FROM named
)

SELECT
    tenant_id,
    event_id,
    occurred_at,
    activity,
    actor_id,
    actor_name,
    lower(coalesce(
        nullif(named_app_id, ''),
        CASE WHEN NOT is_about_resource THEN coalesce(target_names[1], detail_app_id) END
    )) AS app_id,
    coalesce(
        nullif(named_sp_id, ''),
        CASE
            WHEN is_about_resource THEN targets[2]
            WHEN contains(folded, 'service principal') OR contains(folded, 'consent') THEN targets[1]
        END
    ) AS sp_id,
    CASE WHEN is_about_resource THEN lower(coalesce(detail_app_id, target_names[1])) END AS resource_app_id,
    CASE
        WHEN is_about_resource THEN targets[1]
        ELSE lower(nullif(regexp_extract(consented, 'ResourceId: ([0-9a-fA-F-]{36})', 1), ''))
    END AS resource_sp_id,
    CASE
        WHEN contains(folded, 'app role assignment') THEN [changed['AppRole.Value']]
        WHEN is_about_resource THEN list_filter(
            string_split_regex(trim(changed['DelegatedPermissionGrant.Scope']), '\s+'), LAMBDA s: s <> ''
        )
        WHEN nullif(trim(consented), '') IS NOT NULL THEN list_sort(list_distinct(list_filter(
            string_split_regex(
                array_to_string(regexp_extract_all(consented, 'Scope:([^,\]]*)', 1), ' '), '\s+'
            ), LAMBDA s: s <> ''
        )))
    END AS permissions,
    CASE
        -- A role given to a person lets that person use the API; it grants nothing to an app.
        WHEN contains(folded, 'app role assignment') THEN CASE WHEN contains(folded, 'service principal') THEN 'application' END
        WHEN is_about_resource OR contains(folded, 'consent to application') THEN
            CASE WHEN lower(changed['ConsentContext.IsAppOnly']) = 'true' THEN 'application' ELSE 'delegated' END
    END AS kind,
    CASE
        WHEN
            changed['DelegatedPermissionGrant.ConsentType'] = 'AllPrincipals'
            OR contains(consented, 'ConsentType: AllPrincipals') THEN 'all_users'
        WHEN
            changed['DelegatedPermissionGrant.ConsentType'] = 'Principal'
            OR contains(consented, 'ConsentType: Principal') THEN 'one_user'
    END AS scope_for,
    lower(nullif(regexp_extract(consented, 'PrincipalId: ([0-9a-fA-F-]{36})', 1), '')) AS principal_id,
    TRY_CAST(lower(changed['ConsentContext.IsAdminConsent']) AS BOOLEAN) AS is_admin_consent,
    result,
    reason,
    feed
FROM read

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
  app_id: >-
    application that was granted, changed or removed (the client, never the resource API); where the record names only its
    service principal, as the directory or another record ties it
  sp_id: its service principal
  resource_app_id: API that a permission belongs to, where the record or the directory says it
  resource_sp_id: service principal of that API; NULL when the record concerns several
  permissions: permissions concerned, an app role that nothing names by its id; NULL when the record names none
  kind: application or delegated, NULL when the change gives or takes no permission of an app
  scope_for: all_users or one_user, for delegated grants
  principal_id: the user a delegated grant was made for
  is_admin_consent: an administrator consented; NULL when not written
  result: success, failure, or another word; NULL when not written
  reason: why it failed, where written
  feed: directory_audits or audit_entra
  changes: >-
    what became of the application itself: change is credential_added, credential_removed, credential_changed (the record does
    not say how), federated_credential_added or _removed, owner_added or _removed, redirect_added or _removed; what is the
    key's identifier, the federation's issuer and subject, the owner's object id, the address without its query; never a
    secret. Empty when it is none of these
---*/
WITH relevant AS (
    SELECT
        *,
        lower(activity) AS folded,
        string_split(said['targetid.serviceprincipalnames'], ';') AS names
    FROM audit_facts
    WHERE regexp_matches(
        activity,
        '(?i)consent|permission ?grant|app role assignment|service principal|application|authorization policy'
    )
),

read AS (
    SELECT
        *,
        lower(said['serviceprincipal.objectid']) AS named_sp_id,
        lower(said['serviceprincipal.appid']) AS named_app_id,
        lower(coalesce(
            list_filter(names, LAMBDA n: regexp_full_match(n, '(?i)[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}'))[1],
            nullif(regexp_extract(
                said['targetid.serviceprincipalnames'], '(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}'
            ), '')
        )) AS target_app_id,
        coalesce(target_kinds[1], 'serviceprincipal') = 'serviceprincipal' AS is_target_sp,
        contains(folded, 'app role assignment') AS is_role,
        -- A role given to a person lets that person use the app; it gives the app nothing.
        contains(folded, 'app role assignment') AND contains(folded, 'service principal') AS is_app_permission,
        contains(folded, 'delegated permission grant') OR contains(folded, 'oauth2permissiongrant') AS is_delegated,
        regexp_matches(folded, '^(add|remove) owner (to|from) ') AS is_owner
    FROM relevant
),

-- In the first two the first target is the API, of an owner it is the owner, in everything else it is the client.
parties AS (
    SELECT
        *,
        CASE
            WHEN is_owner THEN named_sp_id
            WHEN is_app_permission OR is_delegated
                THEN coalesce(named_sp_id, CASE WHEN coalesce(target_kinds[2], 'serviceprincipal') = 'serviceprincipal' THEN targets[2] END)
            WHEN is_target_sp AND (contains(folded, 'service principal') OR contains(folded, 'consent') OR is_role)
                THEN targets[1]
        END AS sp_id,
        CASE
            WHEN is_app_permission OR is_delegated THEN named_app_id
            WHEN is_owner THEN coalesce(lower(said['application.appid']), named_app_id)
            ELSE coalesce(target_app_id, detail_app_id)
        END AS said_app_id,
        CASE WHEN is_app_permission OR is_delegated THEN coalesce(target_app_id, detail_app_id) END AS said_resource_app_id,
        CASE WHEN is_app_permission OR is_delegated THEN targets[1] END AS said_resource_sp_id
    FROM read
),

ties AS (
    SELECT tenant_id, sp_id, min(app_id) AS app_id
    FROM (
        SELECT tenant_id, sp_id, app_id FROM service_principals
        UNION ALL
        SELECT tenant_id, sp_id, said_app_id FROM parties
        UNION ALL
        SELECT tenant_id, said_resource_sp_id, said_resource_app_id FROM parties
    )
    WHERE sp_id IS NOT NULL AND app_id IS NOT NULL
    GROUP BY ALL
    HAVING count(DISTINCT app_id) = 1
),

consented AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        CASE WHEN count(DISTINCT resource_sp_id) = 1 THEN min(resource_sp_id) END AS resource_sp_id,
        list_sort(list_distinct(flatten(list(permissions)))) AS permissions,
        min(scope_for) AS scope_for,  -- all_users, where one of the grants is for all
        CASE WHEN count(DISTINCT principal_id) = 1 THEN min(principal_id) END AS principal_id
    FROM consented_grants
    GROUP BY ALL
),

-- What credentials and addresses were before and after, each on a row of its own.
listed AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        side,
        CASE setting.name
            WHEN 'keydescription' THEN 'credential' WHEN 'federatedidentitycredentials' THEN 'federated_credential'
            ELSE 'redirect'
        END AS thing,
        CASE json_type(TRY_CAST(told AS JSON))
            WHEN 'ARRAY' THEN list_transform(json_extract(TRY_CAST(told AS JSON), '$[*]'), LAMBDA e: e ->> '$')
            ELSE [told]
        END AS members
    FROM (
        SELECT tenant_id, feed, event_id, 'added' AS side, setting, setting.new AS told
        FROM (SELECT tenant_id, feed, event_id, unnest(settings) AS setting FROM relevant)
        UNION ALL
        SELECT tenant_id, feed, event_id, 'removed', setting, setting.old
        FROM (SELECT tenant_id, feed, event_id, unnest(settings) AS setting FROM relevant)
    )
    WHERE told IS NOT NULL
),

named AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        side,
        thing,
        CASE thing
            WHEN 'credential'
                THEN coalesce(nullif(regexp_extract(lower(member), 'keyidentifier=([0-9a-f-]{36})', 1), ''), member)
            WHEN 'redirect' THEN split_part(split_part(
                coalesce(nullif(regexp_extract(member, '"Address"\s*:\s*"([^"]*)"', 1), ''), member), '?', 1
            ), '#', 1)
            ELSE member
        END AS told,
        CASE thing
            WHEN 'federated_credential' THEN nullif(concat_ws(
                ' ',
                nullif(regexp_extract(member, '(?i)issuer"?\s*[:=]\s*"?([^",}\]\s]+)', 1), ''),
                nullif(regexp_extract(member, '(?i)subject"?\s*[:=]\s*"?([^",}\]\s]+)', 1), '')
            ), '')
            ELSE told
        END AS what
    FROM (SELECT tenant_id, feed, event_id, side, thing, unnest(members) AS member FROM listed)
),

changed AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        list({'change': concat(thing, '_', side), 'what': left(what, 300)} ORDER BY thing, side, what) AS changes
    FROM (
        -- What stands on both sides stayed.
        SELECT tenant_id, feed, event_id, thing, told, min(side) AS side, min(what) AS what
        FROM named
        GROUP BY ALL
        HAVING count(DISTINCT side) = 1
    )
    GROUP BY ALL
),

joined AS (
    SELECT
        p.*,
        coalesce(p.said_resource_sp_id, c.resource_sp_id) AS resource_sp_id,
        coalesce(p.said_app_id, client.app_id) AS app_id,
        coalesce(api.app_id, p.said_resource_app_id) AS resource_app_id,
        c.event_id IS NOT NULL AS has_grants,
        c.permissions AS consented,
        c.scope_for AS consented_for,
        c.principal_id AS consented_principal_id,
        CASE
            WHEN p.is_owner
                THEN [{
                    'change': CASE WHEN starts_with(p.folded, 'add') THEN 'owner_added' ELSE 'owner_removed' END,
                    'what': p.targets[1]
                }]
            -- What an application is born with is no change of it.
            WHEN p.folded IN ('add service principal', 'add application') THEN []
            WHEN a.changes IS NOT NULL THEN a.changes
            WHEN p.folded = 'add service principal credentials' THEN [{'change': 'credential_added', 'what': NULL}]
            WHEN p.folded = 'remove service principal credentials' THEN [{'change': 'credential_removed', 'what': NULL}]
            WHEN contains(p.folded, 'certificates and secrets management') AND coalesce(len(p.settings), 0) = 0
                THEN [{'change': 'credential_changed', 'what': NULL}]
            ELSE []
        END AS changes
    FROM parties AS p
    LEFT JOIN changed AS a ON p.tenant_id = a.tenant_id AND p.feed = a.feed AND p.event_id = a.event_id
    LEFT JOIN consented AS c ON p.tenant_id = c.tenant_id AND p.feed = c.feed AND p.event_id = c.event_id
    LEFT JOIN ties AS client ON p.tenant_id = client.tenant_id AND p.sp_id = client.sp_id
    LEFT JOIN ties AS api
        ON p.tenant_id = api.tenant_id AND coalesce(p.said_resource_sp_id, c.resource_sp_id) = api.sp_id
)

SELECT
    j.tenant_id,
    j.event_id,
    j.occurred_at,
    j.activity,
    j.actor_id,
    j.actor_name,
    j.app_id,
    j.sp_id,
    j.resource_app_id,
    j.resource_sp_id,
    CASE
        WHEN j.is_role THEN list_filter(
            [coalesce(j.said['approle.value'], known.permission, lower(j.said['approle.id']))], LAMBDA s: s IS NOT NULL
        )
        WHEN j.is_delegated THEN list_distinct(list_filter(
            string_split_regex(j.said['delegatedpermissiongrant.scope'], '\s+'), LAMBDA s: s <> ''
        ))
        ELSE j.consented
    END AS permissions,
    CASE
        WHEN j.is_app_permission THEN 'application'
        WHEN j.is_delegated THEN 'delegated'
        WHEN j.folded = 'consent to application' THEN CASE
            WHEN NOT j.has_grants AND lower(j.said['consentcontext.isapponly']) = 'true' THEN 'application' ELSE 'delegated'
        END
    END AS kind,
    coalesce(
        CASE lower(j.said['delegatedpermissiongrant.consenttype'])
            WHEN 'allprincipals' THEN 'all_users' WHEN 'principal' THEN 'one_user'
        END,
        j.consented_for
    ) AS scope_for,
    coalesce(
        CASE WHEN j.is_delegated THEN coalesce(
            lower(j.said['delegatedpermissiongrant.principalid']),
            lower(j.said['user.objectid']),
            j.targets[list_position(j.target_kinds, 'user')]
        ) END,
        j.consented_principal_id
    ) AS principal_id,
    TRY_CAST(lower(j.said['consentcontext.isadminconsent']) AS BOOLEAN) AS is_admin_consent,
    j.result,
    j.reason,
    j.feed,
    j.changes
FROM joined AS j
LEFT JOIN permission_ids AS known
    ON
        j.is_app_permission
        AND j.resource_app_id = known.resource_app_id
        AND lower(j.said['approle.id']) = known.permission_id
        AND known.kind = 'application'

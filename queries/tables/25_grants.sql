/*---
table: grants
grain: one permission held by one app (for one user, where it was granted for one)
columns:
  tenant_id: tenant
  grant_id: >-
    Microsoft's id of the assignment or grant, with the permission for delegated ones; audit:<event id>:<permission> when
    only the audit log shows it
  app_id: the client's application id; NULL when its service principal was never seen
  app_name: the client's display name
  sp_id: the client's service principal
  resource_app_id: API that the permission belongs to; NULL when its service principal was never seen
  resource_sp_id: the API's service principal
  permission: permission name; NULL when a role id could not be resolved (then app_role_id says which)
  app_role_id: id of the app role, for application permissions
  kind: application or delegated
  granted_for: >-
    all_users or one_user for delegated permissions, NULL when not written; the team, chat or scope in Exchange where the
    permission was given inside one; NULL for other application permissions, which reach everything
  principal_id: the user, for one_user
  source: >-
    app_role_assignment, delegated_permission_grant, rsc (given inside one team or chat) or exchange_rbac (a role given
    inside Exchange); one adds to the other, none limits another
  workload: first audited workload that the permission reaches, NULL when it reaches none
  event_id: audit event that made the grant, where known
  first_seen_at: first time that the evidence shows it
  last_seen_at: last time that the evidence shows it
  is_current: >-
    the newest evidence shows it as granted: no whole listing was taken since without it, and no removal was logged since;
    a listing of which something is missing takes nothing away
---*/
WITH inside AS (
    -- Inside a team or chat. Microsoft's documents give clientId and clientAppId each for the other: both are tried.
    SELECT
        s.tenant_id,
        s.object_id AS grant_id,
        coalesce(by_app.sp_id, by_id.sp_id, lower(s.record ->> '$.clientId')) AS sp_id,
        coalesce(by_app.app_id, by_id.app_id, lower(s.record ->> '$.clientAppId')) AS app_id,
        coalesce(lower(s.record ->> '$.resourceAppId'), '00000003-0000-0000-c000-000000000000') AS resource_app_id,
        nullif(s.record ->> '$.permission', '') AS scope,
        lower(s.record ->> '$.permissionType') AS kind,
        coalesce(s.record ->> '$.resourceId', s.record ->> '$.teamId', s.record ->> '$.chatId') AS place,
        -- Ids of chats are no GUIDs, and are kept as written.
        CASE WHEN contains(place, ':') THEN place ELSE lower(place) END AS granted_for,
        s.observed_at,
        s.snapshot_at
    FROM state_objects AS s
    LEFT JOIN service_principals AS by_app
        ON s.tenant_id = by_app.tenant_id AND by_app.app_id IN (lower(s.record ->> '$.clientAppId'), lower(s.record ->> '$.clientId'))
    LEFT JOIN service_principals AS by_id
        ON s.tenant_id = by_id.tenant_id AND by_id.sp_id IN (lower(s.record ->> '$.clientId'), lower(s.record ->> '$.clientAppId'))
    WHERE s.feed = 'rsc_grants'
    QUALIFY row_number() OVER (
        PARTITION BY s.tenant_id, s.object_id, s.observed_at ORDER BY by_app.observed_at DESC, by_app.sp_id, by_id.sp_id
    ) = 1
),

roles AS (
    -- A role that Exchange gives to an app, for everything or within a scope.
    SELECT
        tenant_id,
        object_id AS grant_id,
        lower(nullif(regexp_extract(record ->> '$.principalId', '[^/]+$'), '')) AS sp_id,
        nullif(record ->> '$.roleDefinition.displayName', '') AS scope,
        CASE WHEN scope IS NULL THEN lower(record ->> '$.roleDefinitionId') END AS app_role_id,
        coalesce(nullif(record ->> '$.appScopeId', ''), nullif(nullif(record ->> '$.directoryScopeId', ''), '/')) AS granted_for,
        observed_at,
        snapshot_at
    FROM state_objects
    WHERE
        feed = 'exchange_role_assignments'
        AND (
            contains(lower(record ->> '$.principalId'), 'serviceprincipals/')
            OR starts_with(record ->> '$.roleDefinition.displayName', 'Application ')
        )
),

observed AS (
    SELECT
        tenant_id,
        object_id AS grant_id,
        lower(record ->> '$.principalId') AS sp_id,
        lower(record ->> '$.resourceId') AS resource_sp_id,
        lower(record ->> '$.appRoleId') AS app_role_id,
        -- Tables made by others name the role, not its id, and the client's app.
        nullif(record ->> '$.appRoleValue', '') AS scope,
        lower(nullif(record ->> '$.clientAppId', '')) AS app_id,
        NULL::VARCHAR AS resource_app_id,
        'application' AS kind,
        NULL::VARCHAR AS granted_for,
        NULL::VARCHAR AS principal_id,
        'app_role_assignment' AS source,
        observed_at,
        snapshot_at
    FROM state_objects
    WHERE
        feed = 'app_role_assignments'
        AND coalesce(lower(record ->> '$.principalType'), 'serviceprincipal') = 'serviceprincipal'
        -- All zeros is "default access": it lets the app in, and grants no permission.
        AND coalesce(record ->> '$.appRoleId', '') <> '00000000-0000-0000-0000-000000000000'
    UNION ALL
    SELECT
        s.tenant_id,
        s.object_id || ':' || p.scope AS grant_id,
        lower(s.record ->> '$.clientId') AS sp_id,
        lower(s.record ->> '$.resourceId') AS resource_sp_id,
        NULL AS app_role_id,
        p.scope,
        lower(nullif(s.record ->> '$.clientAppId', '')) AS app_id,
        NULL AS resource_app_id,
        'delegated' AS kind,
        CASE s.record ->> '$.consentType' WHEN 'AllPrincipals' THEN 'all_users' WHEN 'Principal' THEN 'one_user' END
            AS granted_for,
        lower(s.record ->> '$.principalId') AS principal_id,
        'delegated_permission_grant' AS source,
        s.observed_at,
        s.snapshot_at
    FROM state_objects AS s
    CROSS JOIN unnest(list_filter(string_split_regex(trim(s.record ->> '$.scope'), '\s+'), LAMBDA x: x <> '')) AS p (scope)
    WHERE s.feed = 'delegated_permission_grants'
    UNION ALL
    SELECT
        tenant_id, grant_id, sp_id, NULL AS resource_sp_id, NULL AS app_role_id, scope, app_id, resource_app_id, kind,
        granted_for, NULL AS principal_id, 'rsc' AS source, observed_at, snapshot_at
    FROM inside
    UNION ALL
    SELECT
        tenant_id, grant_id, sp_id, NULL AS resource_sp_id, app_role_id, scope, NULL AS app_id,
        '00000002-0000-0ff1-ce00-000000000000' AS resource_app_id, 'application' AS kind, granted_for,
        NULL AS principal_id, 'exchange_rbac' AS source, observed_at, snapshot_at
    FROM roles
),

named AS (
    SELECT
        o.tenant_id,
        o.grant_id,
        coalesce(client.app_id, o.app_id) AS app_id,
        o.sp_id,
        coalesce(api.app_id, o.resource_app_id) AS resource_app_id,
        o.resource_sp_id,
        coalesce(o.scope, declared.permission, known.permission) AS permission,
        CASE WHEN o.kind = 'application' THEN coalesce(o.app_role_id, by_name.app_role_id, known_by_name.app_role_id) END
            AS app_role_id,
        o.kind,
        o.granted_for,
        o.principal_id,
        o.source,
        NULL::VARCHAR AS event_id,
        o.observed_at AS seen_at,
        o.snapshot_at AS listed_in,
        FALSE AS is_removal
    FROM observed AS o
    LEFT JOIN service_principals AS client ON o.tenant_id = client.tenant_id AND o.sp_id = client.sp_id
    LEFT JOIN service_principals AS api ON o.tenant_id = api.tenant_id AND o.resource_sp_id = api.sp_id
    LEFT JOIN app_roles AS declared
        ON
            o.tenant_id = declared.tenant_id
            AND o.resource_sp_id = declared.resource_sp_id
            AND o.app_role_id = declared.app_role_id
    -- An id means something only together with its resource: without the resource's app id it stays unresolved.
    LEFT JOIN permission_ids AS known
        ON api.app_id = known.resource_app_id AND o.app_role_id = known.permission_id AND known.kind = 'application'
    LEFT JOIN (
        SELECT tenant_id, resource_sp_id, lower(permission) AS permission, min(app_role_id) AS app_role_id
        FROM app_roles
        GROUP BY ALL
    ) AS by_name
        ON
            o.tenant_id = by_name.tenant_id
            AND o.resource_sp_id = by_name.resource_sp_id
            AND lower(o.scope) = by_name.permission
    LEFT JOIN (
        SELECT resource_app_id, lower(permission) AS permission, min(permission_id) AS app_role_id
        FROM permission_ids
        WHERE kind = 'application'
        GROUP BY ALL
    ) AS known_by_name ON api.app_id = known_by_name.resource_app_id AND lower(o.scope) = known_by_name.permission
),

snapshots AS (
    -- Of the listings themselves, not of their objects: an empty one says that nothing is granted any more.
    SELECT tenant_id, feed, max(snapshot_from) AS snapshot_from, max(snapshot_at) AS snapshot_at
    FROM state_snapshots
    WHERE is_whole
    GROUP BY ALL
),

seen AS (
    SELECT * FROM named
    UNION ALL BY NAME  -- an audit event is in no listing
    SELECT
        tenant_id,
        concat_ws(':', 'audit', event_id, nullif(ordinal, 1), coalesce(permission, app_role_id)) AS grant_id,
        app_id,
        sp_id,
        resource_app_id,
        resource_sp_id,
        permission,
        app_role_id,
        kind,
        granted_for,
        principal_id,
        CASE kind WHEN 'application' THEN 'app_role_assignment' ELSE 'delegated_permission_grant' END AS source,
        event_id,
        occurred_at AS seen_at,
        is_removal
    FROM grant_events
),

-- The same grant, whether a listing or the audit log shows it.
merged AS (
    SELECT
        tenant_id,
        coalesce(sp_id, app_id) AS client_key,
        coalesce(resource_sp_id, resource_app_id) AS resource_key,
        coalesce(app_role_id, lower(permission)) AS permission_key,
        kind,
        granted_for,
        principal_id,
        coalesce(arg_max(grant_id, seen_at) FILTER (WHERE event_id IS NULL), max(grant_id)) AS grant_id,
        max(app_id) AS app_id,
        max(sp_id) AS sp_id,
        max(resource_app_id) AS resource_app_id,
        max(resource_sp_id) AS resource_sp_id,
        max(permission) AS permission,
        max(app_role_id) AS app_role_id,
        source,
        arg_max(event_id, seen_at) FILTER (WHERE event_id IS NOT NULL AND NOT is_removal) AS event_id,
        min(seen_at) FILTER (WHERE NOT is_removal) AS first_seen_at,
        max(seen_at) FILTER (WHERE NOT is_removal) AS last_seen_at,
        max(listed_in) AS listed_in,
        max(seen_at) FILTER (WHERE event_id IS NOT NULL AND NOT is_removal) AS added_at,
        max(seen_at) FILTER (WHERE is_removal) AS removed_at
    FROM seen
    GROUP BY ALL
)

SELECT
    m.tenant_id,
    -- Exports by hand may use an id again: the grant that came later then has its place beside it.
    concat_ws('#', m.grant_id, nullif(row_number() OVER (
        PARTITION BY m.tenant_id, m.grant_id
        ORDER BY m.first_seen_at, m.client_key, m.resource_key, m.permission_key, m.granted_for, m.principal_id
    ), 1)) AS grant_id,
    coalesce(m.app_id, client.app_id) AS app_id,
    client.app_name,
    m.sp_id,
    m.resource_app_id,
    m.resource_sp_id,
    m.permission,
    m.app_role_id,
    m.kind,
    m.granted_for,
    m.principal_id,
    m.source,
    reach.workload,
    m.event_id,
    m.first_seen_at,
    m.last_seen_at,
    coalesce(m.listed_in >= s.snapshot_at OR m.added_at >= s.snapshot_from, s.snapshot_at IS NULL)
    AND coalesce(m.removed_at <= m.last_seen_at, TRUE) AS is_current
FROM merged AS m
LEFT JOIN service_principals AS client ON m.tenant_id = client.tenant_id AND m.sp_id = client.sp_id
LEFT JOIN snapshots AS s
    ON
        m.tenant_id = s.tenant_id
        AND s.feed = CASE m.source
            WHEN 'app_role_assignment' THEN 'app_role_assignments' WHEN 'rsc' THEN 'rsc_grants'
            WHEN 'exchange_rbac' THEN 'exchange_role_assignments' ELSE 'delegated_permission_grants'
        END
LEFT JOIN (
    SELECT resource_app_id, lower(permission) AS permission, kind, min(workload) AS workload
    FROM permission_reach
    WHERE workload IN (SELECT workload FROM policy_workloads)
    GROUP BY ALL
) AS reach
    ON m.resource_app_id = reach.resource_app_id AND lower(m.permission) = reach.permission AND m.kind = reach.kind
-- The log often names no user where the consent beside it, or the listing, does: the same grant, told with less.
WHERE
    m.first_seen_at IS NOT NULL
    AND NOT (
        m.granted_for IS NOT DISTINCT FROM 'one_user' AND m.principal_id IS NULL AND EXISTS (
            SELECT 1 FROM merged AS k
            WHERE
                k.tenant_id = m.tenant_id
                AND k.client_key = m.client_key
                AND k.resource_key = m.resource_key
                AND k.permission_key = m.permission_key
                AND k.kind = m.kind
                AND k.principal_id IS NOT NULL
                AND k.first_seen_at IS NOT NULL
        )
    )

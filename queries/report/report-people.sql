/*---
query: report-people
grain: one row per person that any table names, those with an id first
columns:
  tenant_id: tenant
  person_id: object id, where one is known
  person_name: user principal name, mail address or name, where one is known
---*/
WITH named AS (
    SELECT tenant_id, user_id AS person_id, user_name AS person_name FROM directory_users
    UNION
    SELECT tenant_id, user_id AS person_id, user_name AS person_name FROM sign_ins
    UNION
    -- Addresses are known by their form; here is who is named another way.
    SELECT tenant_id, actor_id AS person_id, actor_name AS person_name FROM judged_forms
    WHERE access_kind = 'delegated' AND NOT contains(actor_name, '@')
    UNION
    SELECT tenant_id, resource_id AS person_id, resource_name AS person_name FROM judged_forms
    WHERE resource_kind = 'user' AND NOT contains(resource_name, '@')
    UNION
    SELECT tenant_id, principal_id AS person_id, NULL AS person_name FROM grants WHERE granted_for = 'one_user'
    UNION
    SELECT tenant_id, actor_id AS person_id, actor_name AS person_name FROM directory_changes
    UNION
    SELECT tenant_id, NULL AS person_id, actor_name AS person_name FROM admin_changes
    UNION
    SELECT tenant_id, NULL AS person_id, grantee AS person_name FROM admin_changes
    WHERE app_id IS NULL AND grantee_kind IS DISTINCT FROM 'service_principal'
    UNION
    SELECT tenant_id, NULL AS person_id, subject AS person_name FROM admin_changes
    -- A plan is what new mailboxes are made after, and nobody's own.
    WHERE starts_with(change, 'mailbox') AND lower(operation) IS DISTINCT FROM 'set-mailboxplan'
)
SELECT tenant_id, person_id, person_name
FROM named
WHERE
    coalesce(person_id, person_name) IS NOT NULL
    -- Some logs name an app as the one who acts: an app's name is no person's.
    AND NOT EXISTS (
        SELECT 1 FROM apps AS a
        WHERE
            a.tenant_id = named.tenant_id
            AND (lower(named.person_id) IN (a.app_id, a.sp_id) OR lower(named.person_name) IN (a.app_id, lower(a.app_name)))
    )
ORDER BY person_id NULLS LAST, tenant_id, person_name

/*---
id: impersonation-granted
version: 1
severity: high
title: "{grantee} was given {role} inside Exchange, where no grant shows it"
question: Which programs were let into mailboxes by a door that Entra's grants do not show?
identity: [grantee, role]
needs: [audit_exchange]
needs_register: true
evidence: >
  Commands in Exchange, not known to have failed and not Microsoft's own, that give somebody ApplicationImpersonation, give an
  app a role of RBAC for Applications, or give full access or sending as a mailbox to a service principal or to an id that the
  directory does not know. Quiet where a record in force at that time names the role for the app exactly.
misses: >
  Rights given before the watched time, or given to a group whose members change later; a mailbox right given to a program by
  a display name that the directory does not know; that a role was limited to some mailboxes.
advice: >
  Ask for whom it was needed. Take it back, or limit it to the agreed mailboxes, and record it under its exact name.
control: [C12-10, C07-6]
references: ["GDPR Art. 5(1)(c)", "GDPR Art. 25(2)", "GDPR Art. 32(1)(b)", "Policy §5"]
---*/
WITH given AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        occurred_at,
        change,
        app_id,
        coalesce(grantee, 'unknown') AS grantee,
        grantee_kind,
        unnest(rights) AS role
    FROM admin_changes
    WHERE
        change IN ('impersonation_granted', 'application_role_granted', 'mailbox_right_granted')
        AND succeeded IS DISTINCT FROM FALSE
        AND NOT starts_with(upper(coalesce(actor_name, '')), 'NT AUTHORITY\SYSTEM')
),
wanted AS (
    SELECT *
    FROM given
    WHERE
        (change = 'impersonation_granted' AND lower(role) = 'applicationimpersonation')
        OR (change = 'application_role_granted' AND starts_with(lower(role), 'application '))
        OR (
            change = 'mailbox_right_granted' AND lower(role) IN ('fullaccess', 'sendas')
            AND (
                grantee_kind = 'service_principal'
                -- An id is never a display name: who it is, nobody knows.
                OR (
                    grantee_kind IS DISTINCT FROM 'user'
                    AND regexp_full_match(lower(grantee), '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
                )
            )
        )
),
named AS (
    SELECT a.tenant_id, a.app_id, lower(u.permission.name) AS role, s.valid_from, s.valid_to
    FROM register_apps AS a
    INNER JOIN register_segments AS s
        ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
    INNER JOIN register_versions AS v
        ON
            s.tenant_id = v.tenant_id AND s.record = v.record
            AND s.process = v.process AND s.version = v.version
    CROSS JOIN unnest(v.permissions) AS u (permission)
    WHERE u.permission.kind = 'application'
)
SELECT
    w.tenant_id,
    w.app_id,
    w.grantee,
    w.role,
    w.feed,
    w.event_id,
    w.occurred_at,
    [CASE w.grantee_kind WHEN 'user' THEN 'granted_to_user' WHEN 'service_principal' THEN w.change ELSE 'grantee_unknown' END]
        AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM wanted AS w
WHERE NOT EXISTS (
    SELECT 1 FROM named AS n
    WHERE
        n.tenant_id = w.tenant_id AND n.app_id = w.app_id AND n.role = lower(w.role)
        AND coalesce(w.occurred_at >= n.valid_from, TRUE) AND coalesce(w.occurred_at < n.valid_to, TRUE)
)

/*---
table: admin_changes
grain: one audited command of an administrator that weakens the audit itself, or that gives a right inside Exchange (and grantee, where it names several)
columns:
  tenant_id: tenant
  feed: audit_exchange or audit_other
  event_id: the record's own id
  occurred_at: event time
  operation: the command, e.g. Set-AdminAuditLogConfig
  change: >-
    audit_log_off, admin_audit_off, mailbox_audit_off, mailbox_audit_bypass, mailbox_audit_short (kept for less than 90 days),
    retention_removed (what weakens the audit); impersonation_granted, application_role_granted, mailbox_right_granted (what
    gives a right)
  subject: what it concerns as written, e.g. the mailbox; NULL when it is the whole tenant
  grantee: who was given the right, as written; NULL when the record does not say
  grantee_kind: service_principal or user as the directory knows the grantee, unknown when it does not
  app_id: application of the grantee, where the directory knows it
  rights: roles or access rights given, as written; NULL when the command gives none
  actor_name: who did it
  succeeded: the command was carried out; NULL when not written
---*/
WITH commands AS (
    -- Commands carry parameters, accesses do not: the text is searched first, because parsing every access costs minutes.
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        record ->> ['$.Operation', '$.ObjectId', '$.UserId', '$.ResultStatus'] AS f,
        json_extract(record, '$.Parameters[*]') AS parameters
    FROM landed_records
    WHERE feed IN ('audit_exchange', 'audit_other') AND is_newest AND contains(record::VARCHAR, '"Parameters"')
),

wanted AS (
    SELECT
        tenant_id,
        feed,
        event_id,
        occurred_at,
        f[1] AS operation,
        lower(f[1]) AS command,
        nullif(trim(f[2]), '') AS object_id,
        f[3] AS actor_name,
        CASE lower(f[4])
            WHEN 'true' THEN TRUE WHEN 'success' THEN TRUE WHEN 'succeeded' THEN TRUE WHEN 'partiallysucceeded' THEN TRUE
            WHEN 'false' THEN FALSE WHEN 'failed' THEN FALSE
        END AS succeeded,
        map_from_entries(list_transform(
            list_distinct(list_transform(parameters, LAMBDA p: lower(p ->> '$.Name'))),
            LAMBDA n: {
                'key': coalesce(n, ''),
                'value': trim(list_filter(parameters, LAMBDA p: lower(p ->> '$.Name') = n)[1] ->> '$.Value')
            }
        )) AS said
    FROM commands
    WHERE
        lower(f[1]) IN (
            'set-adminauditlogconfig', 'set-organizationconfig', 'set-mailboxauditbypassassociation', 'set-mailbox',
            'set-mailboxplan', 'remove-unifiedauditlogretentionpolicy', 'new-managementroleassignment', 'new-rolegroup',
            'add-mailboxpermission', 'add-recipientpermission'
        )
),

read AS (
    SELECT
        *,
        CASE
            WHEN command IN ('set-mailbox', 'set-mailboxplan') THEN TRY_CAST(coalesce(
                nullif(regexp_extract(said['auditlogagelimit'], '^([0-9]+)\.', 1), ''),
                CASE WHEN regexp_matches(said['auditlogagelimit'], '^[0-9]+:') THEN '0' END,
                said['auditlogagelimit']
            ) AS INTEGER)
        END AS kept_days,
        list_filter(
            list_transform(
                string_split_regex(coalesce(
                    CASE command WHEN 'new-managementroleassignment' THEN said['role'] WHEN 'new-rolegroup' THEN said['roles'] END,
                    said['accessrights']
                ), '[,;]'),
                LAMBDA r: trim(r, ' "''')
            ),
            LAMBDA r: r <> ''
        ) AS rights,
        list_distinct(list_transform(string_split_regex(coalesce(
            CASE command
                WHEN 'new-managementroleassignment'
                    THEN coalesce(said['app'], said['user'], said['securitygroup'], said['computer'], said['policy'])
                WHEN 'new-rolegroup' THEN said['members']
                WHEN 'add-mailboxpermission' THEN said['user']
                WHEN 'add-recipientpermission' THEN said['trustee']
            END,
            ''
        ), '[,;]'), LAMBDA g: trim(g, ' "'''))) AS grantees
    FROM wanted
),

meant AS (
    SELECT
        * EXCLUDE (grantees),
        unnest(grantees) AS grantee,
        CASE
            WHEN command = 'set-adminauditlogconfig' AND lower(said['unifiedauditlogingestionenabled']) = 'false'
                THEN 'audit_log_off'
            WHEN command = 'set-adminauditlogconfig' AND lower(said['adminauditlogenabled']) = 'false'
                THEN 'admin_audit_off'
            WHEN command = 'set-organizationconfig' AND lower(said['auditdisabled']) = 'true' THEN 'mailbox_audit_off'
            WHEN command = 'set-mailboxauditbypassassociation' AND lower(said['auditbypassenabled']) = 'true'
                THEN 'mailbox_audit_bypass'
            WHEN command IN ('set-mailbox', 'set-mailboxplan') AND lower(said['auditenabled']) = 'false'
                THEN 'mailbox_audit_off'
            WHEN kept_days < 90 THEN 'mailbox_audit_short'
            WHEN command = 'remove-unifiedauditlogretentionpolicy' THEN 'retention_removed'
            WHEN list_bool_or(list_transform(rights, LAMBDA r: lower(r) = 'applicationimpersonation'))
                THEN 'impersonation_granted'
            WHEN list_bool_or(list_transform(rights, LAMBDA r: starts_with(lower(r), 'application ')))
                THEN 'application_role_granted'
            WHEN
                command IN ('add-mailboxpermission', 'add-recipientpermission')
                AND list_has_any(list_transform(rights, LAMBDA r: lower(r)), ['fullaccess', 'sendas'])
                THEN 'mailbox_right_granted'
        END AS change
    FROM read
),

-- A grantee may be named by object id, application id or name; a name that a person and a program share is the program's.
known AS (
    SELECT tenant_id, name, min(kind) AS kind, CASE WHEN count(DISTINCT app_id) = 1 THEN min(app_id) END AS app_id
    FROM (
        SELECT tenant_id, sp_id AS name, 'service_principal' AS kind, app_id FROM service_principals
        UNION ALL
        SELECT tenant_id, app_id, 'service_principal', lower(app_id) FROM service_principals WHERE app_id IS NOT NULL
        UNION ALL
        SELECT tenant_id, lower(trim(app_name)), 'service_principal', app_id
        FROM service_principals
        WHERE trim(app_name) <> ''
        UNION ALL
        SELECT tenant_id, user_id, 'user', NULL FROM directory_users
        UNION ALL
        SELECT tenant_id, user_name, 'user', NULL FROM directory_users WHERE user_name IS NOT NULL
    )
    GROUP BY ALL
)

SELECT
    m.tenant_id,
    m.feed,
    m.event_id,
    m.occurred_at,
    m.operation,
    m.change,
    CASE
        WHEN m.change NOT IN ('audit_log_off', 'admin_audit_off') AND m.command <> 'set-organizationconfig'
            THEN coalesce(nullif(m.said['identity'], ''), m.object_id)
    END AS subject,
    nullif(m.grantee, '') AS grantee,
    CASE WHEN m.grantee <> '' THEN coalesce(k.kind, 'unknown') END AS grantee_kind,
    k.app_id,
    m.rights,
    m.actor_name,
    m.succeeded
FROM meant AS m
LEFT JOIN known AS k ON m.tenant_id = k.tenant_id AND lower(m.grantee) = k.name
WHERE m.change IS NOT NULL

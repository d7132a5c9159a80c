/*---
table: mail_forwarding
grain: one address that one audited command made mail of one mailbox go to, or be copied to
columns:
  tenant_id: tenant
  feed: audit_exchange or audit_other
  event_id: the record's own id
  occurred_at: event time
  operation: New-InboxRule, Set-InboxRule, UpdateInboxRules or Set-Mailbox
  mailbox: whose mail it is, as written, lower-case; NULL when the record does not say
  mailbox_id: its user, where the directory knows it
  target: address or name that mail goes to, lower-case; NULL when only the fact is written
  target_domain: domain of the address; NULL when the target is a name
  is_external: the domain is none of the tenant's own; NULL when the tenant's domains, or the target's, are not known
  app_id: program by which it was done; NULL when not written
  actor_name: who did it
  succeeded: the command was carried out; NULL when not written
---*/
WITH commands AS (
    -- The text is searched first, because parsing every access costs minutes.
    SELECT
        tenant_id,
        feed,
        record_id AS event_id,
        occurred_at,
        record ->> [
            '$.Operation', '$.ObjectId', '$.UserId', '$.ResultStatus', '$.MailboxOwnerUPN', '$.ClientAppId', '$.AppId',
            '$.AppAccessContext.ClientAppId'
        ] AS f,
        json_extract(record, '$.Parameters[*]') AS parameters,
        json_extract(record, '$.OperationProperties[*]') AS properties
    FROM landed_records
    WHERE
        feed IN ('audit_exchange', 'audit_other') AND is_newest
        AND regexp_matches(record::VARCHAR, '(?i)(New-InboxRule|Set-InboxRule|UpdateInboxRules|Set-Mailbox)"')
),

said AS (
    SELECT
        * EXCLUDE (parameters, properties),
        lower(f[1]) AS command,
        list_filter(parameters, LAMBDA p: lower(p ->> '$.Name') IN (
            'forwardto', 'forwardasattachmentto', 'redirectto', 'forwardingsmtpaddress', 'forwardingaddress'
        )) AS targets,
        list_filter(parameters, LAMBDA p: lower(p ->> '$.Name') IN ('mailbox', 'identity')) AS named,
        list_filter(properties, LAMBDA p: lower(p ->> '$.Name') IN ('ruleactions', 'ruleoperation')) AS actions
    FROM commands
    WHERE lower(f[1]) IN ('new-inboxrule', 'set-inboxrule', 'updateinboxrules', 'set-mailbox')
),

meant AS (
    SELECT
        *,
        -- An inbox rule is named mailbox\rule; its parameter Mailbox says whose it is.
        lower(coalesce(
            nullif(trim(list_filter(named, LAMBDA p: lower(p ->> '$.Name') = 'mailbox')[1] ->> '$.Value'), ''),
            nullif(f[5], ''),
            CASE WHEN command = 'set-mailbox' THEN nullif(trim(named[1] ->> '$.Value'), '') END,
            CASE WHEN command = 'set-mailbox' THEN nullif(f[2], '') END,
            nullif(f[3], '')
        )) AS mailbox,
        CASE
            WHEN command = 'updateinboxrules'
                THEN list_filter(
                    list_transform(actions, LAMBDA a: a ->> '$.Value'),
                    LAMBDA v: regexp_matches(v, '(?i)forward|redirect')
                )
            ELSE list_filter(list_transform(targets, LAMBDA p: trim(p ->> '$.Value')), LAMBDA v: v <> '')
        END AS texts
    FROM said
),

addressed AS (
    SELECT
        * EXCLUDE (texts),
        unnest(list_distinct(flatten(list_transform(texts, LAMBDA v: CASE
            WHEN regexp_matches(v, '@')
                THEN regexp_extract_all(
                    lower(regexp_replace(v, '(?i)smtp:', ' ', 'g')), '[a-z0-9._%+&''/=-]+@[a-z0-9.-]+[a-z0-9]'
                )
            WHEN command = 'updateinboxrules' THEN ['']
            ELSE [lower(trim(v, ' "'''))]
        END)))) AS target
    FROM meant
    WHERE len(texts) > 0
)

SELECT
    a.tenant_id,
    a.feed,
    a.event_id,
    a.occurred_at,
    a.f[1] AS operation,
    a.mailbox,
    u.user_id AS mailbox_id,
    nullif(a.target, '') AS target,
    nullif(split_part(a.target, '@', 2), '') AS target_domain,
    NOT list_contains(t.domains, nullif(split_part(a.target, '@', 2), '')) AS is_external,
    lower(coalesce(nullif(a.f[6], ''), nullif(a.f[8], ''), nullif(a.f[7], ''))) AS app_id,
    a.f[3] AS actor_name,
    CASE lower(a.f[4])
        WHEN 'true' THEN TRUE WHEN 'success' THEN TRUE WHEN 'succeeded' THEN TRUE WHEN 'partiallysucceeded' THEN TRUE
        WHEN 'false' THEN FALSE WHEN 'failed' THEN FALSE
    END AS succeeded
FROM addressed AS a
LEFT JOIN tenant_profiles AS t ON a.tenant_id = t.tenant_id
LEFT JOIN directory_users AS u ON a.tenant_id = u.tenant_id AND (a.mailbox = u.user_name OR a.mailbox = u.user_id)

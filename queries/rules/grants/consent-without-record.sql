/*---
id: consent-without-record
version: 1
severity: high
title: "{app_id} was given permissions, and no record followed"
question: Where did somebody give an app permissions without anybody writing down what was agreed to?
identity: [app_id]
needs: [directory_audits]
needs_register: true
evidence: >
  Successful authorisations in Entra (an approval of an app, a delegated grant, an app role) of permissions that reach an
  audited workload or are not known by name, where the policy's days have passed and no entry of a record that lists the
  app was written down about that time or was in force.
misses: >
  Grants given before the watched time (granted-not-recorded sees those that still exist), and authorisations that are
  younger than the policy's days. Whether the entry agrees to these very permissions: granted-not-recorded asks that.
advice: >
  Ask who authorised the app, and why; record it or take the permissions back.
control: [C12-7]
references: ["GDPR Art. 7(1)", "GDPR Art. 24(1)", "GDPR Art. 30(1)", "Policy §4"]
---*/
WITH reach AS (
    SELECT DISTINCT lower(permission) AS permission, kind
    FROM permission_reach
    WHERE workload IN (SELECT p.workload FROM policy_workloads AS p)
),
authorised AS (
    SELECT
        c.tenant_id,
        c.app_id,
        c.event_id,
        c.occurred_at,
        c.kind,
        c.permissions,
        epoch_us(c.occurred_at) AS at_us,
        s.consent_record_within_seconds * 1000000 AS within_us
    FROM directory_changes AS c
    CROSS JOIN policy_settings AS s
    WHERE
        -- The same activity ends with a full stop in the unified audit log.
        lower(rtrim(c.activity, '. ')) IN (
            'consent to application',
            'add delegated permission grant',
            'add oauth2permissiongrant',
            'add app role assignment to service principal'
        )
        AND lower(c.result) = 'success'
        AND NOT EXISTS (
            SELECT 1 FROM apps AS a
            WHERE a.tenant_id = c.tenant_id AND a.app_id = c.app_id AND a.is_first_party
        )
),
reaching AS (
    SELECT DISTINCT n.tenant_id, n.event_id
    FROM (SELECT tenant_id, event_id, kind, unnest(permissions) AS permission FROM authorised) AS n
    LEFT JOIN reach AS r ON lower(n.permission) = r.permission AND coalesce(n.kind = r.kind, TRUE)
    WHERE r.permission IS NOT NULL OR regexp_matches(lower(n.permission), '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
)
SELECT
    c.tenant_id,
    c.app_id,
    'directory_audits' AS feed,
    c.event_id,
    c.occurred_at,
    [CASE WHEN c.app_id IS NULL THEN 'app_unknown' ELSE 'no_record' END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM authorised AS c
INNER JOIN tenants AS t ON c.tenant_id = t.tenant_id
LEFT JOIN reaching AS r ON c.tenant_id = r.tenant_id AND c.event_id = r.event_id
WHERE
    c.at_us + c.within_us <= epoch_us(t.watched_to)
    AND (r.event_id IS NOT NULL OR coalesce(len(c.permissions), 0) = 0)
    AND NOT EXISTS (
        SELECT 1
        FROM register_apps AS a
        INNER JOIN register_versions AS v ON a.tenant_id = v.tenant_id AND a.record = v.record
        WHERE
            a.tenant_id = c.tenant_id AND a.app_id = c.app_id
            AND (
                epoch_us(v.recorded_at) BETWEEN c.at_us - c.within_us AND c.at_us + c.within_us
                OR (
                    epoch_us(v.effective_from) <= c.at_us + c.within_us
                    AND coalesce(least(v.effective_until, v.ended_at) > c.occurred_at, TRUE)
                )
            )
    )

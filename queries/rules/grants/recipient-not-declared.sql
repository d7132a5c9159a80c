/*---
id: recipient-not-declared
version: 1
severity: high
title: "{app_id} belongs to {owner}, whom {record} does not name"
question: Who gets data through the integrations that nobody named as a recipient?
identity: [app_id, record, owner]
needs: [service_principals, app_role_assignments, delegated_permission_grants]
needs_register: true
evidence: >
  A recorded app that holds a current permission on an audited workload, of which neither the publisher nor the owning tenant
  is the record's processor, its publisher or owner, nor among the recipients of a process in force; or whose publisher
  nobody has verified while its owner is not named. Names are compared without regard to case.
misses: >
  Sub-processors behind the publisher. Apps that stand in no record: unrecorded-app-with-reach. A company that verified its
  name in another spelling.
advice: >
  Ask who stands behind the app. Name it as recipient in the record and in the record of processing, or remove the app.
control: [C06-1]
references: ["GDPR Art. 13(1)(e)", "GDPR Art. 28(2)", "GDPR Art. 30(1)(d)", "Policy §6"]
---*/
WITH named AS (
    SELECT
        r.tenant_id,
        r.record,
        list_distinct(list_transform(
            flatten([[r.processor, r.publisher, r.owner_tenant_id], coalesce(flatten(list(v.recipients)), [])]),
            LAMBDA n: lower(trim(n))
        )) AS names
    FROM register_records AS r
    INNER JOIN tenants AS t ON r.tenant_id = t.tenant_id
    LEFT JOIN register_segments AS s
        ON
            r.tenant_id = s.tenant_id AND r.record = s.record AND s.period_reason IS NULL
            AND coalesce(t.watched_to >= s.valid_from, TRUE) AND coalesce(t.watched_to < s.valid_to, TRUE)
    LEFT JOIN register_versions AS v
        ON s.tenant_id = v.tenant_id AND s.record = v.record AND s.process = v.process AND s.version = v.version
    GROUP BY r.tenant_id, r.record, r.processor, r.publisher, r.owner_tenant_id
)
SELECT
    p.tenant_id,
    p.app_id,
    a.record,
    coalesce(p.publisher, p.owner_tenant_id, 'nobody that is known') AS owner,
    'service_principals' AS feed,
    p.sp_id AS event_id,
    p.observed_at AS occurred_at,
    [CASE WHEN p.publisher IS NULL THEN 'publisher_not_verified' ELSE 'recipient' END] AS reasons,
    cast(NULL AS VARCHAR) AS process
FROM service_principals AS p
INNER JOIN register_apps AS a ON p.tenant_id = a.tenant_id AND p.app_id = a.app_id
INNER JOIN named AS n ON a.tenant_id = n.tenant_id AND a.record = n.record
WHERE
    p.owner_tenant_id IS DISTINCT FROM p.tenant_id
    AND NOT coalesce(list_contains(n.names, lower(trim(p.publisher))), FALSE)
    AND NOT coalesce(list_contains(n.names, p.owner_tenant_id), FALSE)
    AND EXISTS (
        SELECT 1 FROM grants AS g
        WHERE
            g.tenant_id = p.tenant_id AND g.app_id = p.app_id AND g.is_current
            AND g.workload IN (SELECT w.workload FROM policy_workloads AS w)
    )

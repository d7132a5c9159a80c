/*---
id: publisher-not-recorded
version: 1
severity: high
title: "{app_id} does not belong to whom {record} names"
question: Is each integration really the vendor's?
identity: [app_id, record]
needs: [service_principals]
needs_register: true
evidence: >
  An app of a record that names the tenant that owns it, or its verified publisher, where Entra shows another one, or none.
misses: >
  Records that name neither. A publisher's name is verified by Microsoft, that it is the vendor meant is not. Who has the
  keys of the app.
advice: >
  Ask the vendor for the application id and the tenant it is registered in. If they differ, disable the app; else correct the record.
control: [C01-3]
references: ["GDPR Art. 28(1)", "GDPR Art. 32(1)(b)", "Policy §1"]
---*/
SELECT
    a.tenant_id,
    a.app_id,
    a.record,
    'service_principals' AS feed,
    s.sp_id AS event_id,
    s.observed_at AS occurred_at,
    list_filter(
        [
            CASE
                WHEN r.owner_tenant_id IS NULL THEN NULL
                WHEN s.owner_tenant_id IS NULL THEN 'owner_unknown'
                WHEN s.owner_tenant_id <> r.owner_tenant_id THEN 'owner'
            END,
            CASE
                WHEN r.publisher IS NULL THEN NULL
                WHEN s.publisher IS NULL THEN 'publisher_not_verified'
                WHEN lower(trim(s.publisher)) <> lower(trim(r.publisher)) THEN 'publisher'
            END
        ],
        LAMBDA w: w IS NOT NULL
    ) AS reasons,
    cast(NULL AS VARCHAR) AS process
FROM register_apps AS a
INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
INNER JOIN service_principals AS s ON a.tenant_id = s.tenant_id AND a.app_id = s.app_id
WHERE len(reasons) > 0

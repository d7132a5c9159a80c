/*---
query: report-art30
grain: one row per tenant, record and process, in its last version, with what the evidence shows beside it
columns:
  tenant_id: tenant
  record: consent record
  process: process
  integration_name: integration
  controller: controller, as written
  processor: processor, as written
  purpose: purpose, as written
  legal_basis: GDPR Art. 6 ground, as written
  data_subjects: whose data, as written; NULL when the record does not say
  data_categories: kinds of data, as written; NULL when the record does not say
  recipients: who gets the data beside the processor, as written; NULL when the record does not say
  transfers: transfers out of the EEA, as written; empty when the record names none
  retention: how long it is kept, ISO 8601; NULL when the record does not say
  workload: kind of data in Microsoft 365
  operations: operations agreed to
  permissions: permissions agreed to
  regions: countries it may be used from; NULL when the record names none
  policy_version: version of the privacy policy that it names
  effective_from: begin
  effective_until: agreed end
  ended_at: end by withdrawal, revocation or invalidation
  ended_by: what ended it
  observed_permissions: permissions of this kind of data that its apps hold today
  observed_operations: what its apps did with this kind of data
  observed_countries: countries that its apps called or signed in from, where the logs say
  observed_publishers: publishers of its apps, as Entra shows them
  observed_owners: tenants that own its apps
  observed_uses: logged uses of this kind of data by its apps
  observed_outside: of these, outside the record
  observed_first_at: first of them
  observed_last_at: last of them
  observed_coverage: complete, provisional or gap; the worst of its apps; NULL when none was looked for
  differs: >-
    yes, no, or unknown (the logs have gaps, something could not be judged, or what is granted is not known); no needs
    evidence that is complete
  differs_in: use, permission, country, publisher, owner
---*/
WITH newest AS (
    SELECT * FROM register_versions
    QUALIFY row_number() OVER (PARTITION BY tenant_id, record, process ORDER BY version DESC) = 1
),
agreed AS (
    SELECT tenant_id, record, list_distinct(flatten(list(list_transform(permissions, LAMBDA p: lower(p.name))))) AS names
    FROM newest
    GROUP BY tenant_id, record
),
used AS (
    SELECT
        a.tenant_id,
        a.record,
        c.workload,
        sum(c.used) AS uses,
        sum(c.outside) AS outside,
        sum(c.not_assessable) AS not_assessable,
        min(c.first_used_at) AS first_at,
        max(c.last_used_at) AS last_at,
        bool_or(c.granted = 'unknown') AS has_unknown_grants,
        CASE
            WHEN bool_or(c.coverage = 'gap') THEN 'gap'
            WHEN bool_or(c.coverage = 'provisional') THEN 'provisional'
            ELSE 'complete'
        END AS coverage
    FROM register_apps AS a
    INNER JOIN cells AS c ON a.tenant_id = c.tenant_id AND a.app_id = c.app_id
    GROUP BY a.tenant_id, a.record, c.workload
),
done AS (
    SELECT a.tenant_id, a.record, f.workload, list_sort(list_distinct(list(f.operation))) AS operations
    FROM register_apps AS a
    INNER JOIN judged_forms AS f ON a.tenant_id = f.tenant_id AND a.app_id = f.app_id
    WHERE f.verdict <> 'out_of_scope'
    GROUP BY a.tenant_id, a.record, f.workload
),
places AS (
    SELECT a.tenant_id, a.record, list_sort(list_distinct(list(upper(s.country)))) AS countries
    FROM register_apps AS a
    INNER JOIN (
        SELECT tenant_id, app_id, country FROM judged_forms
        UNION
        SELECT tenant_id, app_id, country FROM sign_ins WHERE kind = 'service_principal'
    ) AS s ON a.tenant_id = s.tenant_id AND a.app_id = s.app_id
    WHERE s.country IS NOT NULL AND s.country <> ''
    GROUP BY a.tenant_id, a.record
),
makers AS (
    SELECT
        a.tenant_id,
        a.record,
        list_sort(list_distinct(list(nullif(p.publisher, '')))) AS publishers,
        list_sort(list_distinct(list(p.owner_tenant_id))) AS owners
    FROM register_apps AS a
    INNER JOIN apps AS p ON a.tenant_id = p.tenant_id AND a.app_id = p.app_id
    GROUP BY a.tenant_id, a.record
),
held AS (
    SELECT a.tenant_id, a.record, r.workload, list_sort(list_distinct(list(g.permission))) AS permissions
    FROM register_apps AS a
    INNER JOIN grants AS g ON a.tenant_id = g.tenant_id AND a.app_id = g.app_id
    INNER JOIN permission_reach AS r
        ON g.resource_app_id = r.resource_app_id AND lower(g.permission) = lower(r.permission) AND g.kind = r.kind
    WHERE g.is_current
    GROUP BY a.tenant_id, a.record, r.workload
),
compared AS (
    SELECT
        v.*,
        e.integration_name,
        e.controller,
        e.processor,
        h.permissions AS observed_permissions,
        d.operations AS observed_operations,
        p.countries AS observed_countries,
        m.publishers AS observed_publishers,
        m.owners AS observed_owners,
        u.uses AS observed_uses,
        u.outside AS observed_outside,
        u.first_at AS observed_first_at,
        u.last_at AS observed_last_at,
        u.coverage AS observed_coverage,
        list_filter(
            [
                CASE WHEN u.outside > 0 THEN 'use' END,
                CASE
                    WHEN
                        len(
                            list_filter(h.permissions, LAMBDA n: NOT list_contains(g.names, lower(n)))
                        ) > 0 THEN 'permission'
                END,
                CASE
                    WHEN
                        v.regions IS NOT NULL
                        AND len(list_filter(p.countries, LAMBDA n: NOT list_contains(v.regions, n))) > 0 THEN 'country'
                END,
                CASE
                    WHEN
                        e.publisher IS NOT NULL
                        AND len(list_filter(m.publishers, LAMBDA n: lower(n) <> lower(e.publisher))) > 0
                        THEN 'publisher'
                END,
                CASE
                    WHEN
                        e.owner_tenant_id IS NOT NULL
                        AND len(list_filter(m.owners, LAMBDA n: lower(n) <> lower(e.owner_tenant_id))) > 0 THEN 'owner'
                END
            ],
            LAMBDA n: n IS NOT NULL
        ) AS differs_in,
        coalesce(
            u.coverage = 'complete' AND u.not_assessable = 0 AND NOT u.has_unknown_grants
            AND v.workload IN (SELECT w.workload FROM policy_workloads AS w)
            AND v.tenant_id IN (SELECT t.tenant_id FROM tenants AS t WHERE t.is_evaluated),
            FALSE
        ) AS is_known
    FROM newest AS v
    LEFT JOIN register_records AS e ON v.tenant_id = e.tenant_id AND v.record = e.record
    LEFT JOIN agreed AS g ON v.tenant_id = g.tenant_id AND v.record = g.record
    LEFT JOIN used AS u ON v.tenant_id = u.tenant_id AND v.record = u.record AND v.workload = u.workload
    LEFT JOIN done AS d ON v.tenant_id = d.tenant_id AND v.record = d.record AND v.workload = d.workload
    LEFT JOIN places AS p ON v.tenant_id = p.tenant_id AND v.record = p.record
    LEFT JOIN makers AS m ON v.tenant_id = m.tenant_id AND v.record = m.record
    LEFT JOIN held AS h ON v.tenant_id = h.tenant_id AND v.record = h.record AND v.workload = h.workload
)
SELECT
    tenant_id,
    record,
    process,
    integration_name,
    controller,
    processor,
    purpose,
    legal_basis,
    data_subjects,
    data_categories,
    recipients,
    list_transform(
        transfers,
        LAMBDA t: concat_ws(' ', t.country, t.recipient, t.tool, t.ref)
    ) AS transfers,
    retention,
    workload,
    operations,
    list_transform(permissions, LAMBDA p: p.name || ' (' || p.kind || ')') AS permissions,
    regions,
    policy_version,
    effective_from,
    effective_until,
    ended_at,
    ended_by,
    observed_permissions,
    observed_operations,
    observed_countries,
    observed_publishers,
    observed_owners,
    observed_uses,
    observed_outside,
    observed_first_at,
    observed_last_at,
    observed_coverage,
    CASE WHEN len(differs_in) > 0 THEN 'yes' WHEN is_known THEN 'no' ELSE 'unknown' END AS differs,
    differs_in
FROM compared
ORDER BY tenant_id, record, process

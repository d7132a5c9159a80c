/*---
table: compared_versions
temporary: true
grain: one version of one process of one consent record
columns:
  tenant_id: the record's tenant
  record: the consent record
  process: the process inside the record
  version: which full-state entry of the history
  workload: what the process may touch
  operations: what it may do there
  permission_names: names of its permissions, of both kinds
  application_names: names of its application permissions
  delegated_names: names of its delegated permissions
  scope_id: number of its resource scope; equal scopes of a tenant share one
  covers_all: the process covers every resource
  resource_ids: listed ids and user names, lower case, sorted
  resource_groups: listed groups, lower case, sorted
  names_id: the list holds something that is an id
  names_user: the list holds something that is a user name
  names_group: groups are listed
---*/
WITH versions AS (
    SELECT
        tenant_id,
        record,
        process,
        version,
        workload,
        coalesce(operations, []) AS operations,
        coalesce(permissions, []) AS permissions,
        coalesce(covers_all, FALSE) AS covers_all,
        CASE WHEN coalesce(covers_all, FALSE) THEN []
            ELSE list_sort(list_distinct(list_transform(coalesce(resource_ids, []), LAMBDA r: lower(r))))
        END AS resource_ids,
        CASE WHEN coalesce(covers_all, FALSE) THEN []
            ELSE list_sort(list_distinct(list_transform(coalesce(resource_groups, []), LAMBDA g: lower(g))))
        END AS resource_groups
    FROM register_versions
)

SELECT
    tenant_id,
    record,
    process,
    version,
    workload,
    operations,
    list_transform(permissions, LAMBDA p: p.name) AS permission_names,
    list_transform(list_filter(permissions, LAMBDA p: p.kind = 'application'), LAMBDA p: p.name) AS application_names,
    list_transform(list_filter(permissions, LAMBDA p: p.kind = 'delegated'), LAMBDA p: p.name) AS delegated_names,
    dense_rank() OVER (ORDER BY tenant_id, covers_all, resource_ids, resource_groups) AS scope_id,
    covers_all,
    resource_ids,
    resource_groups,
    len(list_filter(resource_ids, LAMBDA r: NOT contains(r, '@'))) > 0 AS names_id,
    len(list_filter(resource_ids, LAMBDA r: contains(r, '@'))) > 0 AS names_user,
    len(resource_groups) > 0 AS names_group
FROM versions

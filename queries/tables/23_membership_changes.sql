/*---
table: membership_changes
grain: one row per audited change of a group's membership that succeeded
columns:
  tenant_id: tenant
  event_id: the audit record's own id
  occurred_at: event time
  group_id: object id of the group
  member_id: object id of the member added or removed
  change: add or remove
---*/
SELECT
    tenant_id,
    event_id,
    occurred_at,
    group_id,
    list_filter(targets, LAMBDA t: t <> group_id)[1] AS member_id,
    CASE WHEN starts_with(lower(activity), 'add') THEN 'add' ELSE 'remove' END AS change
FROM (
    SELECT
        *,
        lower(said['group.objectid']) AS group_id
    FROM audit_facts
    WHERE lower(activity) IN ('add member to group', 'remove member from group') AND result = 'success'
)
WHERE group_id IS NOT NULL AND occurred_at IS NOT NULL AND len(list_filter(targets, LAMBDA t: t <> group_id)) > 0

/*---
table: licences
grain: one service plan of one licence (SKU) that a tenant subscribes to, as last observed
columns:
  tenant_id: tenant
  sku_id: id of the licence
  sku: its short name, e.g. SPE_E5; NULL when not written
  plan_id: id of the service plan
  plan: its short name, e.g. AAD_PREMIUM; by this one tells which logs there can be
  is_enabled: the licence can be used and the plan is provisioned in it
  units: how many were bought and are enabled; NULL when not written
  used_units: how many are given to somebody; NULL when not written
  observed_at: when this was last observed
---*/
SELECT
    s.tenant_id,
    coalesce(lower(s.record ->> '$.skuId'), s.object_id) AS sku_id,
    s.record ->> '$.skuPartNumber' AS sku,
    coalesce(lower(p.plan ->> '$.servicePlanId'), '') AS plan_id,
    p.plan ->> '$.servicePlanName' AS plan,
    coalesce(lower(s.record ->> '$.capabilityStatus') IN ('enabled', 'warning'), FALSE)
    AND coalesce(lower(p.plan ->> '$.provisioningStatus') IN ('success', 'pendingprovisioning'), FALSE) AS is_enabled,
    TRY_CAST(s.record ->> '$.prepaidUnits.enabled' AS BIGINT) AS units,
    TRY_CAST(s.record ->> '$.consumedUnits' AS BIGINT) AS used_units,
    s.observed_at
FROM state_objects AS s, unnest(CAST(s.record -> '$.servicePlans' AS JSON [])) AS p (plan)
WHERE
    s.feed = 'subscribed_skus' AND json_type(s.record, '$.servicePlans') = 'ARRAY'
    AND s.observed_at = (
        SELECT max(n.observed_at) FROM state_objects AS n
        WHERE n.tenant_id = s.tenant_id AND n.feed = s.feed AND n.object_id = s.object_id
    )
QUALIFY row_number() OVER (PARTITION BY s.tenant_id, sku_id, plan_id ORDER BY s.observed_at DESC, plan ASC) = 1

/*---
id: direct-routing-without-record
version: 1
severity: medium
title: "Calls go over the trunk {trunk}, which no record names"
question: Over which telephone lines of our own do calls go that nobody recorded?
identity: [trunk]
needs: [call_records]
needs_register: true
evidence: >
  Calls of direct routing over a trunk that no telephony record names while it is in force, or of which the trunk is not
  written. The evidence is the calls; numbers and people are not read.
misses: >
  Calls of a telephone exchange that never touch Teams; recordings and call lists inside the exchange; calls over
  Microsoft's own telephone network.
advice: >
  Ask who runs the trunk, and under which agreement; name it in the record of the telephony (telephony.trunks).
control: [C12-12]
references: ["GDPR Art. 5(2)", "GDPR Art. 28(3)", "GDPR Art. 30(1)", "Policy §12"]
---*/
WITH recorded AS (
    SELECT DISTINCT r.tenant_id, lower(t.trunk) AS trunk, s.valid_from, s.valid_to
    FROM register_records AS r, unnest(r.trunks) AS t (trunk)
    INNER JOIN register_segments AS s
        ON r.tenant_id = s.tenant_id AND r.record = s.record AND s.period_reason IS NULL
)
SELECT
    c.tenant_id,
    coalesce(c.trunk, 'unknown') AS trunk,
    'call_records' AS feed,
    c.event_id,
    c.started_at AS occurred_at,
    [
        CASE
            WHEN c.trunk IS NULL THEN 'trunk_unknown'
            WHEN EXISTS (SELECT 1 FROM recorded AS k WHERE k.tenant_id = c.tenant_id AND k.trunk = c.trunk) THEN 'not_in_force'
            ELSE 'no_record'
        END
    ] AS reasons,
    cast(NULL AS VARCHAR) AS app_id,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM calls AS c
WHERE
    c.kind = 'direct_routing'
    AND NOT EXISTS (
        SELECT 1 FROM recorded AS k
        WHERE
            k.tenant_id = c.tenant_id AND k.trunk = c.trunk
            AND coalesce(c.started_at >= k.valid_from, TRUE) AND coalesce(c.started_at < k.valid_to, TRUE)
    )

/*---
table: register_changes
grain: one entry of a consent record that was judged with and that is not in the register any more as it was
columns:
  tenant_id: tenant of the record
  record: consent record
  entry: position of the entry in the record's history, from 0
  event: what the entry said had happened, as it was judged with
  change: changed (another entry stands there) or vanished (none does)
  judged_hash: hash of the entry as it was judged with
  present_hash: hash of the entry that stands there now; NULL when none does
  first_judged_at: when the entry was first judged with, by the clock of that run
---*/
SELECT
    l.tenant_id,
    l.record,
    l.entry,
    l.event,
    CASE WHEN e.entry_hash IS NULL THEN 'vanished' ELSE 'changed' END AS change,
    l.entry_hash AS judged_hash,
    e.entry_hash AS present_hash,
    l.first_judged_at
FROM register_ledger AS l
-- Of a register that cannot be read nothing is known: neither that an entry is there nor that it is gone.
INNER JOIN tenants AS t ON l.tenant_id = t.tenant_id AND t.is_evaluated
LEFT JOIN register_entries AS e ON l.tenant_id = e.tenant_id AND l.record = e.record AND l.entry = e.entry
WHERE l.is_canonical AND (e.entry_hash IS NULL OR e.entry_hash <> l.entry_hash)
ORDER BY l.tenant_id, l.record, l.entry

/*---
table: quarantine
grain: one record that could not be taken in
columns:
  tenant_id: tenant
  source_id: file it is in
  path: the file as it was named
  record: ordinal of the record in the file, from 1
  line: line where it begins, from 1
  byte_offset: where it begins, in bytes of the decompressed file
  reason: why it could not be taken in
  excerpt: its beginning
---*/
SELECT
    q.tenant_id,
    q.source_id,
    s.path,
    q.record,
    q.line,
    q.byte_offset,
    q.reason,
    q.excerpt
FROM quarantine AS q
INNER JOIN sources AS s ON q.source_id = s.source_id

/*---
table: sources
grain: one file of evidence, offered or collected
columns:
  tenant_id: tenant
  source_id: number of the file in the store
  path: as it was named
  kind: what its records are; NULL when it was refused before that was known
  sha256: hash of its bytes, which the spool keeps
  bytes: its size
  records: records read; equals stored + duplicate + quarantined
  stored: records new to the store, new versions included
  duplicate: records it had already
  quarantined: records that could not be taken in
  bad_times: stored records whose event time could not be read
  imported_at: when it was imported
  observed_at: when the tenant was in the state it shows; the file's own time unless the user said it
  outcome: imported, partial or refused
  message: what there is to say about it
  origin: graph (written by the collector from Microsoft's answers) or import (a file that somebody offered)
  run_id: the run that collected it; NULL for what was imported
---*/
SELECT
    tenant_id,
    source_id,
    path,
    kind,
    sha256,
    bytes,
    records,
    stored,
    duplicate,
    quarantined,
    bad_times,
    imported_at,
    observed_at,
    outcome,
    message,
    origin,
    run_id
FROM sources

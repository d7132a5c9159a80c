/*---
query: report-journal
grain: one row per entry of the journal, the newest first; views are left to their own list
params:
  limit: how many at most
columns:
  tenant_id: tenant
  seq: place in the journal
  at: when
  kind: finding, case, request, attestation, hold, purge or erasure
  subject_id: what it is about
  event: what was done
  roles: roles of who did it, at that time
  person: who did it, as a natural person
  how: entra, os or machine
  asked_state: state that was decided or asked for
  reason: why
  opinion: what the data protection officer thinks of it
  total: entries in all, beyond the limit too
---*/
SELECT
    tenant_id,
    seq,
    "at",
    kind,
    subject AS subject_id,
    event,
    roles,
    person,
    how,
    body ->> '$.to' AS asked_state,
    body ->> '$.reason' AS reason,
    body ->> '$.opinion' AS opinion,
    (SELECT count(*) FROM review_events AS a WHERE a.kind <> 'view') AS total
FROM review_events
WHERE kind <> 'view'
ORDER BY seq DESC
LIMIT CAST($limit AS BIGINT)

/*---
table: given_answers
temporary: true
grain: one answer that accesses of a tenant got
columns:
  answer_no: number of the row
  tenant_id: the accesses' tenant
  code: row of answer_codes
  app_no: as in form_answers
  place: as in form_answers
  record: the consent record that is within or nearest
  process: its process
---*/
WITH places AS (
    SELECT DISTINCT
        app_no,
        place,
        record,
        process
    FROM candidates
)

SELECT
    row_number() OVER (ORDER BY g.tenant_id, g.code, g.app_no, g.place) AS answer_no,
    g.tenant_id,
    g.code,
    g.app_no,
    g.place,
    p.record,
    p.process
FROM (
    SELECT DISTINCT
        tenant_id,
        code,
        app_no,
        place
    FROM form_answers
) AS g
LEFT JOIN places AS p ON g.app_no = p.app_no AND g.place = p.place

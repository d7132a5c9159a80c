/*---
query: age-unknown
controls: [C14-2]
needs: [users]
question: Of how many people does the directory not know the age group?
---*/
SELECT
    tenant_id,
    'not_assessable' AS outcome,
    'no_source' AS reason_code,
    CASE WHEN count(*) FILTER (WHERE age_group IS NULL) > 0 THEN 'age_unknown' ELSE 'age_known' END AS says,
    json_object('count', count(*), 'unknown', count(*) FILTER (WHERE age_group IS NULL)) AS facts
FROM directory_users
WHERE is_enabled IS DISTINCT FROM FALSE
GROUP BY tenant_id

/*---
query: independent-officer
controls: [C01-2]
needs: []
question: Does the data protection officer hold an office or a role that decides?
---*/
WITH officers AS (
    SELECT
        coalesce(bool_or(list_contains(roles, 'dpo')), FALSE) AS is_named,
        coalesce(bool_or(list_contains(roles, 'dpo') AND list_has_any(roles, ['risk_owner', 'admin'])), FALSE) AS is_deciding
    FROM control_people
),
text AS (
    SELECT
        -- A policy that could not be read, or that names nobody, cannot give one person two offices.
        EXISTS(SELECT 1 FROM policy_commitments AS c WHERE starts_with(c.key, 'persons.')) AS is_read,
        EXISTS(SELECT 1 FROM policy_findings AS f WHERE f.rule = 'POL-01') AS is_deciding
)
SELECT
    t.tenant_id,
    CASE WHEN x.is_deciding OR o.is_deciding THEN 'outside' WHEN o.is_named AND x.is_read THEN 'within' ELSE 'not_assessable' END
        AS outcome,
    CASE WHEN NOT (x.is_deciding OR o.is_deciding OR (o.is_named AND x.is_read)) THEN 'definition_missing' END AS reason_code,
    CASE
        WHEN x.is_deciding OR o.is_deciding THEN 'officer_same_person'
        WHEN o.is_named AND x.is_read THEN 'officer_independent'
        ELSE 'definition_missing'
    END AS says,
    json_object(
        'roles', CASE WHEN x.is_deciding THEN 'chief executive, by the policy' ELSE 'risk owner or administrator' END,
        'what',
        CASE
            WHEN o.is_named THEN 'who holds which office (persons of the policy)'
            ELSE 'who is data protection officer (review.people)'
        END
    ) AS facts
FROM tenants AS t
CROSS JOIN officers AS o
CROSS JOIN text AS x

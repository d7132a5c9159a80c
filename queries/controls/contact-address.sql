/*---
query: contact-address
controls: [C16-2]
needs: [users, organization]
question: Does the policy's contact address belong to somebody, where its domain is one of the tenant's?
---*/
WITH address AS (
    SELECT lower(value) AS address, split_part(lower(value), '@', 2) AS domain
    FROM policy_commitments
    WHERE key = 'contact.email'
)
SELECT
    t.tenant_id,
    CASE
        WHEN a.address IS NULL THEN 'not_assessable'
        WHEN u.is_enabled THEN 'within'
        WHEN u.user_name IS NOT NULL THEN 'review'
        WHEN list_contains(p.domains, a.domain) THEN 'review'
        ELSE 'not_assessable'
    END AS outcome,
    CASE
        WHEN a.address IS NULL THEN 'definition_missing'
        WHEN u.user_name IS NULL AND NOT coalesce(list_contains(p.domains, a.domain), FALSE) THEN 'no_source'
    END AS reason_code,
    CASE
        WHEN a.address IS NULL THEN 'definition_missing'
        WHEN u.is_enabled THEN 'address_found'
        WHEN u.user_name IS NOT NULL THEN 'address_uncertain'
        WHEN list_contains(p.domains, a.domain) THEN 'address_missing'
        ELSE 'address_elsewhere'
    END AS says,
    json_object('what', 'the contact address (contact.email)') AS facts
FROM tenants AS t
LEFT JOIN address AS a ON TRUE
LEFT JOIN tenant_profiles AS p ON t.tenant_id = p.tenant_id
LEFT JOIN (
    -- Of somebody whom only a group still lists nobody knows whether the account is there.
    SELECT tenant_id, user_name, coalesce(bool_or(is_enabled), FALSE) AS is_enabled
    FROM directory_users
    WHERE is_enabled IS DISTINCT FROM FALSE
    GROUP BY tenant_id, user_name
) AS u
    ON t.tenant_id = u.tenant_id AND a.address = u.user_name

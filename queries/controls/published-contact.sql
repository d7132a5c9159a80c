/*---
query: published-contact
controls: [C01-1]
needs: [organization]
question: Does the tenant name whom to ask about privacy, and where its privacy statement is?
---*/
SELECT
    p.tenant_id,
    CASE WHEN p.privacy_contact IS NULL OR p.privacy_url IS NULL THEN 'review' ELSE 'within' END AS outcome,
    cast(NULL AS VARCHAR) AS reason_code,
    CASE WHEN p.privacy_contact IS NULL OR p.privacy_url IS NULL THEN 'contact_unset' ELSE 'contact_agrees' END AS says,
    json_object(
        'what',
        CASE
            WHEN p.privacy_contact IS NULL AND p.privacy_url IS NULL THEN 'privacy contact and privacy statement'
            WHEN p.privacy_contact IS NULL THEN 'privacy contact'
            ELSE 'privacy statement'
        END
    ) AS facts
FROM tenant_profiles AS p

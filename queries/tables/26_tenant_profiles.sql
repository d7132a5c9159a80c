/*---
table: tenant_profiles
grain: one tenant whose own profile was read, as last observed
columns:
  tenant_id: tenant
  country: two-letter code of the country it is registered in; NULL when not written
  domains: its verified domains, lower-case; NULL when they were not read
  privacy_url: privacy statement that it shows its people; NULL when there is none, or when it was not read
  privacy_contact: address that it names for questions about privacy; NULL when there is none, or when it was not read
  observed_at: when this was last observed
---*/
SELECT
    tenant_id,
    upper(nullif(record ->> '$.countryLetterCode', '')) AS country,
    CASE
        WHEN json_type(record, '$.verifiedDomains') = 'ARRAY'
            THEN list_sort(list_distinct(list_transform(
                json_extract_string(record, '$.verifiedDomains[*].name'), LAMBDA d: lower(trim(d))
            )))
    END AS domains,
    nullif(trim(record ->> '$.privacyProfile.statementUrl'), '') AS privacy_url,
    lower(nullif(trim(record ->> '$.privacyProfile.contactEmail'), '')) AS privacy_contact,
    observed_at
FROM state_objects
WHERE feed = 'organization'
QUALIFY row_number() OVER (PARTITION BY tenant_id ORDER BY observed_at DESC, object_id ASC) = 1

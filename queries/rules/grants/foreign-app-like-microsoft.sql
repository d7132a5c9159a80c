/*---
id: foreign-app-like-microsoft
version: 1
severity: medium
title: "{app_name} is named like an app of Microsoft's and is not ({app_id})"
question: Which apps could our people take for Microsoft's own although they are a stranger's?
identity: [app_id, app_name]
needs: [service_principals]
needs_register: true
evidence: >
  A service principal whose name begins with the name of a product of Microsoft's (signs that look alike, cannot be seen or
  carry accents are read as what they seem to be), whose app is owned neither by one of Microsoft's tenants nor by this tenant,
  and that no record lists. Where the owner is not known, an app on the list of Microsoft's apps is left out.
misses: >
  Names that hold such a word further on ("SalSoft for Outlook" is how partners are told to write it), look-alikes in other
  scripts than Latin, Greek and Cyrillic, logos, and apps that were removed before the listing.
advice: >
  Look up the publisher and who let the app in. Remove an app that pretends; record one that is meant.
control: [C01-3, C03-2]
references: ["GDPR Art. 5(1)(a)", "GDPR Art. 32(1)(b)", "GDPR Art. 32(4)", "Policy §6"]
---*/
WITH strangers AS (
    SELECT s.tenant_id, s.sp_id, s.app_id, s.app_name, s.owner_tenant_id, s.observed_at
    FROM service_principals AS s
    WHERE
        s.app_name IS NOT NULL
        AND s.sp_type IS DISTINCT FROM 'ManagedIdentity'
        AND s.owner_tenant_id IS DISTINCT FROM s.tenant_id
        AND NOT EXISTS (SELECT 1 FROM microsoft_tenants AS m WHERE m.tenant_id = s.owner_tenant_id)
        AND NOT (s.owner_tenant_id IS NULL AND EXISTS (SELECT 1 FROM first_party_apps AS f WHERE f.app_id = s.app_id))
        AND NOT EXISTS (
            SELECT 1 FROM register_apps AS r
            WHERE r.tenant_id = s.tenant_id AND r.app_id = s.app_id
        )
),
folded AS (
    -- What the name seems to say. Marks and signs that are not seen fall away, every other sign parts words.
    SELECT
        *,
        trim(regexp_replace(replace(replace(
            translate(
                translate(
                    regexp_replace(lower(strip_accents(nfc_normalize(app_name))), '[\p{Cf}\p{Mn}\p{Cc}]', '', 'g'),
                    'абвгеёіїјкмнорсѕтухһԁԛԝьѵαβγεηικνορτυχωϲϳıɩɡɑԍⅼⅰⅿⅽⅾ',
                    'a6breeiijkmhopcstyxhdqwbvabyenikvoptuxwcjiigagiimcd'
                ),
                'ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ0135!|$l',
                'abcdefghijkimnopqrstuvwxyzoiesiisi'
            ),
            'rn', 'm'
        ), 'vv', 'w'), '[^\p{L}\p{N}]+', ' ', 'g')) AS seems
    FROM strangers
)
SELECT
    tenant_id,
    app_id,
    app_name,
    'service_principals' AS feed,
    sp_id AS event_id,
    observed_at AS occurred_at,
    [CASE WHEN owner_tenant_id IS NULL THEN 'owner_unknown' ELSE 'foreign_owner' END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM folded
WHERE
    starts_with(replace(seems, ' ', ''), 'microsoft')
    -- Folded as the names are: l, 1 and ! read as i, 0 as o, 3 as e, 5 as s.
    OR regexp_matches(
        seems,
        '^(ms|me6s|oe6s|office|outiook|teams|sharepoint|onedrive|onenote|azure|entra|intune|windows|defender|skype|copiiot'
        || '|exchange oniine|active directory|power (bi|apps|automate)|graph expiorer)( ?e6s)?( |$)'
    )

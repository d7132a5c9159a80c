/*---
id: insecure-redirect
version: 1
severity: medium
title: "Sign-ins to {app_id} may be answered to {address}, unencrypted"
question: Where may a sign-in travel unencrypted?
identity: [app_id, address]
needs: [service_principals, applications, app_role_assignments, delegated_permission_grants]
evidence: >
  A reply address that begins with http://, and does not lead to the same computer, of an app that is not Microsoft's and that
  stands in a record or holds a current grant; from the app as the tenant shows it, or as it is registered there.
misses: >
  How the app encrypts what it does with the data; old versions of TLS; addresses of an app that the tenant does not show.
advice: >
  Have the owner of the app replace the address by one with https, and remove the old one.
control: [C07-3]
references: ["GDPR Art. 32(1)(a)", "Policy §7"]
---*/
WITH shown AS (
    SELECT tenant_id, app_id, 'service_principals' AS feed, sp_id AS object_id, observed_at, unnest(reply_urls) AS address
    FROM service_principals
    UNION ALL
    SELECT tenant_id, app_id, 'applications' AS feed, object_id, observed_at, unnest(reply_urls) AS address
    FROM applications
)
SELECT
    s.tenant_id,
    s.app_id,
    s.address,
    s.feed,
    s.object_id || ' ' || s.address AS event_id,
    s.observed_at AS occurred_at,
    [CASE WHEN a.is_recorded THEN 'recorded' ELSE 'no_record' END] AS reasons,
    cast(NULL AS VARCHAR) AS record,
    cast(NULL AS VARCHAR) AS process
FROM shown AS s
LEFT JOIN apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
WHERE
    starts_with(lower(s.address), 'http://')
    AND NOT regexp_matches(lower(s.address), '^http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)')
    AND a.is_first_party IS DISTINCT FROM TRUE
    AND (
        a.is_recorded
        OR EXISTS (
            SELECT 1 FROM grants AS g
            WHERE g.tenant_id = s.tenant_id AND g.app_id = s.app_id AND g.is_current
        )
    )

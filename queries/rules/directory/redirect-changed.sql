/*---
id: redirect-changed
version: 1
severity: medium
title: "The sign-in addresses of {app_id} changed ({change}: {address})"
question: To which new address may sign-ins to an app that we trust be sent?
identity: [app_id, change, address]
needs: [directory_audits]
needs_register: true
evidence: >
  A change, not known to have failed, that added or removed a redirect address of a recorded app's application or service
  principal, or of an app the log does not name. Whoever holds the address receives the people's sign-ins to the app.
misses: >
  Addresses of an application that lives in its processor's tenant; addresses from before the watched time; who holds the
  address. What follows a question mark in it is not kept.
advice: >
  Ask the processor whether the address is its own. Remove the one that is not, and revoke the sessions of who signed in.
control: [C07-7]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 32(1)(d)", "GDPR Art. 28(3)(c)", "Policy §7"]
---*/
SELECT
    c.tenant_id,
    c.app_id,
    c.changed.change,
    coalesce(c.changed.what, 'unknown') AS address,
    c.feed,
    c.event_id,
    c.occurred_at,
    list_filter([
        c.changed.change,
        CASE WHEN c.app_id IS NULL THEN 'app_unknown' END
    ], LAMBDA r: r IS NOT NULL) AS reasons,
    a.record,
    cast(NULL AS VARCHAR) AS process
FROM (
    SELECT tenant_id, app_id, feed, event_id, occurred_at, result, unnest(changes) AS changed
    FROM directory_changes
    WHERE len(changes) > 0
) AS c
LEFT JOIN (SELECT tenant_id, app_id, min(record) AS record FROM register_apps GROUP BY tenant_id, app_id) AS a
    ON c.tenant_id = a.tenant_id AND c.app_id = a.app_id
WHERE
    c.changed.change IN ('redirect_added', 'redirect_removed')
    AND c.result IS DISTINCT FROM 'failure'
    AND (a.app_id IS NOT NULL OR c.app_id IS NULL)

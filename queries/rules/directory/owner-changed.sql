/*---
id: owner-changed
version: 1
severity: medium
title: "The owners of {app_id} changed ({change}: {owner})"
question: Who became, or stopped being, owner of an app that we trust with our people's data?
identity: [app_id, change, owner]
needs: [directory_audits]
needs_register: true
evidence: >
  A change, not known to have failed, that added an owner to a recorded app's application or service principal or took one
  away, or that did so to an app the log does not name. An owner can add keys to the app and so sign in as it.
misses: >
  Owners of an application that lives in its processor's tenant, owners from before the watched time, and roles that may
  change every application.
advice: >
  Ask why. Remove owners who are not responsible for the integration; see that one is left who is.
control: [C07-7]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 32(4)", "GDPR Art. 24(1)", "Policy §7"]
---*/
SELECT
    c.tenant_id,
    c.app_id,
    c.changed.change,
    coalesce(c.changed.what, 'unknown') AS owner,
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
    c.changed.change IN ('owner_added', 'owner_removed')
    AND c.result IS DISTINCT FROM 'failure'
    AND (a.app_id IS NOT NULL OR c.app_id IS NULL)

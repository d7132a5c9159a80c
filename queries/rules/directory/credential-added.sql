/*---
id: credential-added
version: 1
severity: high
title: "Somebody can sign in as {app_id} with a new credential ({credential})"
question: Who was given a new key to an app that we trust with our people's data?
identity: [app_id, credential]
needs: [directory_audits]
needs_register: true
evidence: >
  A change of an application or service principal, not known to have failed, that added a secret, a certificate or a federated
  credential to an app that a record lists, or to an app that the log does not name.
misses: >
  Keys that a processor adds to its own application in its own tenant: no log here shows them. Keys that an app had before the
  watched time, and keys given together with a new service principal. Who holds the key.
advice: >
  Ask the person who did it, and the integration's owner, whether the key was agreed. If not, remove it, revoke the app's
  sessions and read what was done with it since.
control: [C07-7]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 32(4)", "GDPR Art. 28(3)(c)", "Policy §7"]
---*/
SELECT
    c.tenant_id,
    c.app_id,
    coalesce(c.changed.what, 'unknown') AS credential,
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
    c.changed.change IN ('credential_added', 'credential_changed', 'federated_credential_added')
    AND c.result IS DISTINCT FROM 'failure'
    AND (a.app_id IS NOT NULL OR c.app_id IS NULL)

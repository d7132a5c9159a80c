/*---
id: long-lived-secret
version: 1
severity: medium
title: "{app_id} signs in with a secret: {weakness}"
question: Which integrations sign in with a password that lives too long, or that was not agreed to?
identity: [app_id, weakness]
needs: [applications, service_principals, sign_ins_service_principal]
needs_register: true
evidence: >
  A secret of an app that is not Microsoft's, valid for more than twelve months (or without an end), and not ended when it
  was last seen; and, of apps whose record says that they sign in with something else, each secret and each sign-in of the
  app itself with one.
misses: >
  Secrets of another tenant's app that it holds at home: only its sign-ins tell of them. How long a certificate lives. Who
  else knows the secret. Sign-ins of which it is not written with what they were made.
advice: >
  Let the app sign in with a certificate or a federated credential; until then give it secrets of six months and renew them.
control: [C07-7]
references: ["GDPR Art. 32(1)(b)", "GDPR Art. 32(1)(d)", "Policy §7"]
---*/
WITH agreed AS (
    SELECT a.tenant_id, a.app_id, min(a.record) AS record, bool_and(r.credential <> 'secret') AS is_without_secret
    FROM register_apps AS a
    INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
    GROUP BY ALL
),
secrets AS (
    SELECT
        c.tenant_id,
        c.app_id,
        CASE c.place WHEN 'application' THEN 'applications' ELSE 'service_principals' END AS feed,
        c.key_id AS event_id,
        c.observed_at AS occurred_at,
        coalesce(c.ends_at > c.starts_at + INTERVAL 1 YEAR, TRUE) AS is_long
    FROM app_credentials AS c
    WHERE c.kind = 'secret' AND coalesce(c.ends_at > c.observed_at, TRUE)
),
weak AS (
    SELECT tenant_id, app_id, 'it lives for more than a year' AS weakness, 'lifetime' AS reason, feed, event_id, occurred_at
    FROM secrets
    WHERE is_long
    UNION ALL
    SELECT s.tenant_id, s.app_id, 'the record says otherwise' AS weakness, 'credential_kind' AS reason, s.feed, s.event_id, s.occurred_at
    FROM secrets AS s
    INNER JOIN agreed AS g ON s.tenant_id = g.tenant_id AND s.app_id = g.app_id AND g.is_without_secret
    UNION ALL
    SELECT i.tenant_id, i.app_id, 'the record says otherwise' AS weakness, 'credential_kind' AS reason, i.feed, i.event_id, i.occurred_at
    FROM sign_ins AS i
    INNER JOIN agreed AS g ON i.tenant_id = g.tenant_id AND i.app_id = g.app_id AND g.is_without_secret
    WHERE
        i.feed = 'sign_ins_service_principal' AND lower(i.credential_type) = 'clientsecret'
        AND i.succeeded IS DISTINCT FROM FALSE
)
SELECT
    w.tenant_id,
    w.app_id,
    w.weakness,
    w.feed,
    w.event_id,
    w.occurred_at,
    [w.reason] AS reasons,
    g.record,
    cast(NULL AS VARCHAR) AS process
FROM weak AS w
LEFT JOIN agreed AS g ON w.tenant_id = g.tenant_id AND w.app_id = g.app_id
LEFT JOIN apps AS a ON w.tenant_id = a.tenant_id AND w.app_id = a.app_id
WHERE a.is_first_party IS DISTINCT FROM TRUE

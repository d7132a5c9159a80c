/*---
table: auditor
grain: one tenant that the auditor signed in to, or tried to
columns:
  tenant_id: tenant
  app_id: application (client) id of the auditor in its token; NULL when it never got one
  is_signed_in: the newest attempt succeeded
  permissions: >-
    application permissions in its newest token, by service, e.g. graph/AuditLog.Read.All
  scopes: delegated permissions in it, when a person signed in
  credential_expires_at: >-
    end of its certificate's life, else the next end of a secret or certificate that its own registration shows; NULL when
    nobody can know
  signed_in_at: when it was last let in, by Microsoft's clock
  failed_at: when it was last not let in
  is_refused: Microsoft refused; false when nobody could be asked; NULL when the newest attempt succeeded
  code: Microsoft's code for the refusal, e.g. AADSTS7000222
  message: what was wrong, in words
  hint: the next step
  clock_at: newest moment of Microsoft's clock that the auditor saw, in any tenant
---*/
WITH moments AS (
    SELECT signed_in_at AS moment FROM sign_in_states
    UNION ALL
    SELECT failed_at FROM sign_in_states WHERE is_refused
    UNION ALL
    SELECT max(greatest(tried_at, last_pulled_at)) FROM collection_windows
    UNION ALL
    SELECT max(observed_at) FROM collection_listings
)

SELECT
    tenant_id,
    client_id AS app_id,
    is_signed_in,
    coalesce(roles, []) AS permissions,
    coalesce(scopes, []) AS scopes,
    coalesce(
        credential_expires_at,
        (
            SELECT min(c.ends_at) FROM app_credentials AS c
            WHERE
                c.tenant_id = s.tenant_id AND c.app_id = lower(s.client_id) AND c.place = 'application'
                AND c.ends_at > (SELECT max(m.moment) FROM moments AS m)
        )
    ) AS credential_expires_at,
    signed_in_at,
    failed_at,
    is_refused,
    code,
    message,
    hint,
    (SELECT max(m.moment) FROM moments AS m) AS clock_at
FROM sign_in_states AS s

/*---
id: privacy-statement-differs
version: 1
severity: low
title: "{app_id} goes with another privacy statement ({difference})"
question: Do the integrations follow the privacy policy that people were shown?
identity: [app_id, difference]
needs: [service_principals]
needs_register: true
evidence: >
  A recorded app whose privacy statement in Entra is not at an address of the policy's known versions, or whose statement
  changed between two observations; and processes in force whose record holds the hash of a notice that is no known
  version's. Hashes and addresses are compared only where the policy lists some.
misses: >
  Apps that show no statement, and records without a hash: nothing can be compared. What stands on the page.
advice: >
  Read the statement. If it is the vendor's own, decide whether both hold; if the text changed, register the new version.
control: [C12-14, C15-3]
references: ["GDPR Art. 13(1)", "GDPR Art. 12(1)", "Policy §12", "Policy §15"]
---*/
WITH known AS (
    SELECT DISTINCT rtrim(lower(url), '/') AS url, lower(text_sha256) AS notice
    FROM policy_versions
),
differing AS (
    SELECT
        s.tenant_id,
        s.app_id,
        'address' AS difference,
        'service_principals' AS feed,
        s.url AS event_id,
        s.last_seen_at AS occurred_at,
        'other_statement' AS reason,
        a.record,
        NULL AS process
    FROM privacy_statements AS s
    INNER JOIN register_apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
    WHERE
        s.shown_by = 'app' AND s.is_current
        AND EXISTS (SELECT 1 FROM known AS k WHERE k.url IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM known AS k WHERE k.url = rtrim(lower(s.url), '/'))
    UNION ALL
    SELECT
        s.tenant_id,
        s.app_id,
        'changed' AS difference,
        'service_principals' AS feed,
        s.url AS event_id,
        s.last_seen_at AS occurred_at,
        'statement_changed' AS reason,
        a.record,
        NULL AS process
    FROM privacy_statements AS s
    INNER JOIN register_apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
    WHERE s.shown_by = 'app' AND NOT s.is_current
    UNION ALL
    SELECT
        v.tenant_id,
        a.app_id,
        'notice' AS difference,
        'register' AS feed,
        v.record || '/' || v.process || ' ' || v.version AS event_id,
        v.recorded_at AS occurred_at,
        'notice_unknown' AS reason,
        v.record,
        v.process
    FROM register_versions AS v
    INNER JOIN register_apps AS a ON v.tenant_id = a.tenant_id AND v.record = a.record
    INNER JOIN tenants AS t ON v.tenant_id = t.tenant_id
    INNER JOIN register_segments AS s
        ON
            v.tenant_id = s.tenant_id AND v.record = s.record AND v.process = s.process AND v.version = s.version
            AND s.period_reason IS NULL AND coalesce(t.watched_to >= s.valid_from, TRUE)
            AND coalesce(t.watched_to < s.valid_to, TRUE)
    WHERE
        v.notice_sha256 IS NOT NULL
        AND EXISTS (SELECT 1 FROM known AS k WHERE k.notice IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM known AS k WHERE k.notice = lower(v.notice_sha256))
)
SELECT
    tenant_id,
    app_id,
    difference,
    feed,
    event_id,
    occurred_at,
    [reason] AS reasons,
    record,
    process
FROM differing

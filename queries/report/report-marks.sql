/*---
query: report-marks
grain: one row per thing that happened to record or grant of the apps asked for, in order of time
params:
  apps: tenant id, a bar, and app id, for each app
columns:
  tenant_id: tenant
  app_id: app
  at: when
  mark: recorded, amended, ended, expires, granted or removed
  what: process of a record, or permissions of a grant
---*/
WITH versions AS (
    SELECT a.app_id, v.*, v.version = max(v.version) OVER (PARTITION BY v.tenant_id, v.record, v.process) AS is_last
    FROM register_versions AS v
    INNER JOIN register_apps AS a ON v.tenant_id = a.tenant_id AND v.record = a.record
),
marks AS (
    SELECT
        tenant_id, app_id, effective_from AS "at", CASE WHEN version = 1 THEN 'recorded' ELSE 'amended' END AS mark,
        process AS what
    FROM versions
    UNION
    SELECT tenant_id, app_id, ended_at AS "at", 'ended' AS mark, process AS what FROM versions WHERE is_last
    UNION
    SELECT tenant_id, app_id, effective_until AS "at", 'expires' AS mark, process AS what
    FROM versions
    WHERE is_last AND ended_at IS NULL
    UNION
    SELECT
        tenant_id,
        app_id,
        occurred_at AS "at",
        CASE WHEN starts_with(activity, 'Remove') OR starts_with(activity, 'Delete') THEN 'removed' ELSE 'granted' END
            AS mark,
        array_to_string(permissions, ', ') AS what
    FROM directory_changes
    WHERE
        len(permissions) > 0 AND coalesce(lower(result), 'success') = 'success'
        AND regexp_matches(activity, '^(Consent|Add|Remove|Delete)')
)
SELECT tenant_id, app_id, "at", mark, what
FROM marks
WHERE
    "at" IS NOT NULL
    AND tenant_id || '|' || coalesce(app_id, '') IN (SELECT unnest(CAST($apps AS VARCHAR [])))
ORDER BY tenant_id, app_id, "at", mark, what

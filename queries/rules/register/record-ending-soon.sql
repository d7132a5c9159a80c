/*---
id: record-ending-soon
version: 1
severity: medium
title: "{record}/{process} is in use and ends on {ends_on}"
question: Which agreements that are in use run out soon?
identity: [record, process, ends_on]
needs: [graph_activity, audit_exchange, audit_teams]
needs_register: true
evidence: >
  A recorded process in force at the end of the watched time, whose effective_until lies within the policy's notice
  (record_ending_notice) after it, that an app used within the same time before it, and that nothing continues: no later
  version of it from that moment on, and no other process that lists the app, the workload and all its operations. One
  piece of evidence for each app, at the time of its last use. Use that could not be assessed counts as use.
misses: >
  Use that no log shows. A continuing process may cover other people, or need other permissions. An ending that somebody
  decided (withdrawal, a version without the process) is no news to the register and not named.
advice: >
  Decide before that day: renew the agreement and add an entry to the record, or have the app stop. From then on every
  access is used-after-end.
control: [C12-6]
references: ["GDPR Art. 5(1)(a)", "GDPR Art. 28(3)", "GDPR Art. 24(1)", "Policy §4"]
---*/
WITH ending AS (
    SELECT
        t.tenant_id,
        s.record,
        s.process,
        s.valid_to,
        r.workload,
        r.operations,
        epoch_us(t.watched_to) - n.record_ending_notice_seconds * 1000000 AS used_from_us
    FROM tenants AS t
    CROSS JOIN policy_settings AS n
    INNER JOIN register_segments AS s
        ON
            t.tenant_id = s.tenant_id AND s.period_reason IS NULL
            AND coalesce(s.valid_from <= t.watched_to, TRUE) AND s.valid_to > t.watched_to
            AND epoch_us(s.valid_to) <= epoch_us(t.watched_to) + n.record_ending_notice_seconds * 1000000
    INNER JOIN register_versions AS r
        ON
            s.tenant_id = r.tenant_id AND s.record = r.record AND s.process = r.process AND s.version = r.version
            AND s.valid_to = r.effective_until
    WHERE
        NOT EXISTS (
            SELECT 1 FROM register_segments AS c
            WHERE
                c.tenant_id = s.tenant_id AND c.record = s.record AND c.process = s.process
                AND c.period_reason IS NULL AND c.valid_from = s.valid_to
        )
),
in_use AS (
    SELECT
        v.tenant_id,
        v.record,
        v.process,
        v.app_id,
        max(v.last_at) AS last_used_at
    FROM judged_forms AS v
    WHERE v.verdict IN ('within', 'not_assessable') AND v.record IS NOT NULL
    GROUP BY ALL
)
SELECT
    e.tenant_id,
    u.app_id,
    e.record,
    e.process,
    strftime(make_timestamp(epoch_us(e.valid_to)), '%Y-%m-%d') AS ends_on,
    'register' AS feed,
    e.record || '/' || e.process || ' ' || u.app_id AS event_id,
    u.last_used_at AS occurred_at,
    ['ending_soon'] AS reasons
FROM ending AS e
INNER JOIN in_use AS u ON e.tenant_id = u.tenant_id AND e.record = u.record AND e.process = u.process
WHERE
    epoch_us(u.last_used_at) >= e.used_from_us
    AND NOT EXISTS (
        SELECT 1
        FROM register_apps AS a
        INNER JOIN register_segments AS s
            ON a.tenant_id = s.tenant_id AND a.record = s.record AND s.period_reason IS NULL
        INNER JOIN register_versions AS r
            ON s.tenant_id = r.tenant_id AND s.record = r.record AND s.process = r.process AND s.version = r.version
        WHERE
            a.tenant_id = e.tenant_id AND a.app_id = u.app_id
            AND coalesce(s.valid_from <= e.valid_to, TRUE) AND coalesce(s.valid_to > e.valid_to, TRUE)
            AND r.workload = e.workload AND list_has_all(r.operations, e.operations)
    )

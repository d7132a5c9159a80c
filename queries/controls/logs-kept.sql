/*---
query: logs-kept
controls: [C08-2]
needs: []
question: Is every log there for as long as the policy promises?
---*/
WITH promised AS (
    SELECT value AS words, period
    FROM policy_commitments
    -- A time that is longer than any calendar promises nothing that can be looked at.
    WHERE key = 'retention.system_logs.duration' AND period IS NOT NULL
),
logs AS (
    SELECT feed FROM workload_feeds
    UNION
    SELECT unnest(['directory_audits', 'sign_ins_interactive', 'sign_ins_service_principal'])
),
judged AS (
    SELECT
        t.tenant_id,
        p.words,
        n.feed,
        make_timestamp(epoch_us(m.moment)) - p.period AS since,
        make_timestamp(epoch_us(t.watched_from)) AS watched_from,
        make_timestamp(epoch_us(t.watched_to)) AS watched_to,
        -- Logs are read by the day or by the week; whoever has read none for longer does not know that they are there.
        make_timestamp(epoch_us(m.moment)) - INTERVAL 14 DAY AS fresh_from,
        count(c.feed) FILTER (WHERE c.state <> 'gap') AS seen,
        count(c.feed) FILTER (
            WHERE c.state = 'gap' AND c.reason IS DISTINCT FROM 'records_missing'
            AND coalesce(make_timestamp(epoch_us(c.covered_to)) > make_timestamp(epoch_us(m.moment)) - p.period, TRUE)
        ) AS gaps,
        -- The log was kept; what could not be taken of it is nobody's proof of the opposite, and no proof that all is there.
        count(c.feed) FILTER (WHERE c.state = 'gap' AND c.reason = 'records_missing') AS unread
    FROM tenants AS t
    CROSS JOIN control_moment AS m
    CROSS JOIN logs AS n
    LEFT JOIN promised AS p ON TRUE
    LEFT JOIN coverage AS c ON t.tenant_id = c.tenant_id AND n.feed = c.feed
    GROUP BY ALL
),
counted AS (
    SELECT
        tenant_id,
        any_value(words) AS words,
        any_value(since) AS since,
        any_value(watched_from) AS watched_from,
        any_value(watched_to) AS watched_to,
        coalesce(any_value(watched_to) >= any_value(fresh_from), FALSE) AS is_fresh,
        count(*) FILTER (WHERE gaps > 0 OR seen = 0) AS lacking,
        string_agg(feed, ', ' ORDER BY feed) FILTER (WHERE gaps > 0 OR seen = 0) AS feeds,
        min(feed) FILTER (WHERE unread > 0) AS unread_feed
    FROM judged
    GROUP BY tenant_id
)
SELECT
    tenant_id,
    CASE
        WHEN words IS NULL THEN 'not_assessable'
        WHEN lacking > 0 THEN 'outside'
        WHEN unread_feed IS NOT NULL THEN 'not_assessable'
        WHEN watched_from <= since AND is_fresh THEN 'within'
        ELSE 'not_assessable'
    END AS outcome,
    CASE
        WHEN words IS NULL THEN 'definition_missing'
        WHEN lacking = 0 AND unread_feed IS NOT NULL THEN 'throttled_or_partial'
        WHEN lacking = 0 AND NOT coalesce(watched_from <= since AND is_fresh, FALSE) THEN 'coverage_gap'
    END AS reason_code,
    CASE
        WHEN words IS NULL THEN 'definition_missing'
        WHEN lacking > 0 THEN 'logs_gap'
        WHEN unread_feed IS NOT NULL THEN 'gap'
        WHEN watched_from <= since AND is_fresh THEN 'logs_complete'
        WHEN NOT is_fresh THEN 'logs_ended'
        ELSE 'logs_short'
    END AS says,
    json_object(
        'since', strftime(CASE WHEN watched_from > since THEN watched_from ELSE since END, '%Y-%m-%d'),
        'until', strftime(watched_to, '%Y-%m-%d'), 'count', lacking, 'feeds', feeds,
        'feed', unread_feed, 'code', 'throttled_or_partial', 'limit', words, 'what', 'how long logs are kept (retention: system_logs)'
    ) AS facts
FROM counted

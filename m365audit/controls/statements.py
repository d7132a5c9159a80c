"""The SQL by which controls are evaluated, for all tenants at once. Holds text only; runs nothing.

Whatever is known of a control goes into ``control_answers``, one row for each thing known: what open findings say,
whether every rule has spoken, what a query answers, what cannot be seen. Of the rows the first by ``OUTCOMES`` is the
outcome. So a gap only ever adds a row of ``not_assessable``, and nothing that is missing can make a control ``within``.
"""

from __future__ import annotations

from typing import Final

TABLES: Final = (
    """
    CREATE TEMP TABLE control_list (
        position INTEGER, control VARCHAR, clause VARCHAR, title VARCHAR, commitment VARCHAR, severity VARCHAR,
        way VARCHAR, reason_code VARCHAR, "object" VARCHAR, part_reason VARCHAR, part_object VARCHAR,
        kinds VARCHAR[], is_each BOOLEAN, attach VARCHAR, owner VARCHAR, gdpr VARCHAR, iso VARCHAR, rules VARCHAR[],
        query VARCHAR, gates VARCHAR[]
    )
    """,
    "CREATE TEMP TABLE control_rules (control VARCHAR, rule VARCHAR, means VARCHAR, position INTEGER)",
    "CREATE TEMP TABLE rule_facts (rule VARCHAR, needs_register BOOLEAN)",
    "CREATE TEMP TABLE rule_feeds (rule VARCHAR, feed VARCHAR, position INTEGER)",
    "CREATE TEMP TABLE query_feeds (query VARCHAR, feed VARCHAR, position INTEGER)",
    "CREATE TEMP TABLE query_rules (query VARCHAR, rule VARCHAR)",
    "CREATE TEMP TABLE control_moment (moment TIMESTAMPTZ)",
    """
    CREATE TEMP TABLE control_answers (
        tenant_id VARCHAR, control VARCHAR, integration_name VARCHAR, outcome VARCHAR, reason_code VARCHAR,
        says VARCHAR, facts JSON, finding_ids VARCHAR[], position INTEGER
    )
    """,
)
"""What is filled first. ``position`` orders what is said of one outcome."""

INTEGRATIONS: Final = """
CREATE TEMP TABLE control_integrations AS
SELECT tenant_id, coalesce(integration_name, record) AS integration_name, min(integration_kind) AS kind
FROM register_records
GROUP BY ALL
"""

SCOPES: Final = """
CREATE TEMP TABLE control_scopes AS
SELECT t.tenant_id, c.control, NULL::VARCHAR AS integration_name
FROM tenants AS t CROSS JOIN control_list AS c
UNION ALL
SELECT i.tenant_id, c.control, i.integration_name
FROM control_integrations AS i
INNER JOIN control_list AS c ON c.is_each OR list_contains(c.kinds, i.kind)
"""
"""Every line that there will be: one for the tenant, one for each integration that the control is also about."""

FINDINGS: Final = """
CREATE TEMP TABLE open_findings AS
SELECT f.tenant_id, f.finding_id, f.rule, f.decision, f.app_id, f.record, f.subject
FROM findings AS f
WHERE f.state = 'open' AND f.rule IN (SELECT rule FROM control_rules UNION ALL SELECT rule FROM query_rules)
"""

FINDING_INTEGRATIONS: Final = """
CREATE TEMP TABLE finding_integrations AS
SELECT DISTINCT f.tenant_id, f.finding_id, i.integration_name, i.kind
FROM open_findings AS f
INNER JOIN register_records AS r ON f.tenant_id = r.tenant_id
LEFT JOIN register_apps AS a ON r.tenant_id = a.tenant_id AND r.record = a.record
INNER JOIN control_integrations AS i
    ON r.tenant_id = i.tenant_id AND coalesce(r.integration_name, r.record) = i.integration_name
WHERE coalesce(f.record = r.record, f.app_id = a.app_id)
"""
"""A finding belongs to the integration of its record; without a record, to those that list its app."""

SCOPED_FINDINGS: Final = """
CREATE TEMP TABLE scoped_findings AS
SELECT f.tenant_id, u.control, NULL::VARCHAR AS integration_name, u.means, f.finding_id, f.rule, f.decision
FROM open_findings AS f
INNER JOIN control_rules AS u ON f.rule = u.rule
INNER JOIN control_list AS c ON u.control = c.control
WHERE
    len(c.kinds) = 0
    OR EXISTS (
        SELECT 1 FROM finding_integrations AS i
        WHERE i.tenant_id = f.tenant_id AND i.finding_id = f.finding_id AND list_contains(c.kinds, i.kind)
    )
UNION ALL
SELECT f.tenant_id, u.control, i.integration_name, u.means, f.finding_id, f.rule, f.decision
FROM open_findings AS f
INNER JOIN control_rules AS u ON f.rule = u.rule
INNER JOIN control_list AS c ON u.control = c.control
INNER JOIN finding_integrations AS i ON f.tenant_id = i.tenant_id AND f.finding_id = i.finding_id
WHERE c.is_each OR list_contains(c.kinds, i.kind)
"""

ANSWER_FINDINGS: Final = """
INSERT INTO control_answers
SELECT
    tenant_id,
    control,
    integration_name,
    outcome,
    CASE outcome WHEN 'not_assessable' THEN 'coverage_gap' END,
    CASE outcome WHEN 'outside' THEN 'outside_findings' WHEN 'review' THEN 'review_findings' ELSE 'gap_findings' END,
    json_object(
        'count', count(*),
        'rules', string_agg(DISTINCT rule, ', ' ORDER BY rule),
        'false_positive', count(*) FILTER (WHERE decision = 'false_positive'),
        'explained', count(*) FILTER (WHERE decision = 'explained'),
        'accepted', count(*) FILTER (WHERE decision = 'accepted')
    ),
    list(finding_id ORDER BY finding_id),
    1
FROM (
    SELECT
        *,
        -- A person says that it is none: that is for people to weigh, and no evidence that all is well.
        CASE WHEN means = 'outside' AND decision = 'false_positive' THEN 'review' ELSE means END AS outcome
    FROM scoped_findings
)
GROUP BY tenant_id, control, integration_name, outcome
"""
"""No decision makes a control pass: an explained or accepted finding counts on, a false positive is for review."""

FEED_STATES: Final = """
CREATE TEMP TABLE feed_states AS
WITH told AS (
    SELECT
        tenant_id,
        feed,
        count(*) FILTER (WHERE state <> 'gap') AS seen,
        count(*) FILTER (WHERE state = 'provisional') AS provisional,
        count(*) FILTER (WHERE state = 'gap') AS gaps,
        arg_min(reason, covered_from) FILTER (WHERE state = 'gap') AS first_reason,
        any_value(reason) FILTER (WHERE state = 'gap') AS any_reason
    FROM coverage
    GROUP BY tenant_id, feed
)
SELECT
    t.tenant_id,
    n.feed,
    coalesce(c.provisional > 0, FALSE) AS is_provisional,
    -- Every hole of a log is a row, and so is whatever came of a listing after it was whole, or that nothing did.
    CASE
        WHEN coalesce(c.seen, 0) > 0 AND c.gaps = 0 THEN NULL
        ELSE CASE coalesce(c.first_reason, c.any_reason, 'not_collected')
            WHEN 'licence' THEN 'not_licensed'
            WHEN 'permission' THEN 'no_permission'
            WHEN 'disabled' THEN 'not_enabled'
            WHEN 'throttled' THEN 'throttled_or_partial'
            WHEN 'error' THEN 'throttled_or_partial'
            WHEN 'next_page_missing' THEN 'throttled_or_partial'
            WHEN 'records_missing' THEN 'throttled_or_partial'
            WHEN 'not_collected' THEN 'no_source'
            ELSE 'coverage_gap'
        END
    END AS gap
FROM tenants AS t
CROSS JOIN (SELECT unnest($feeds) AS feed) AS n
LEFT JOIN told AS c ON t.tenant_id = c.tenant_id AND n.feed = c.feed
"""
"""For every tenant and feed: the reason code of what is missing, NULL when it was watched for the whole window."""

RULE_STATES: Final = """
CREATE TEMP TABLE rule_states AS
WITH gaps AS (
    SELECT s.tenant_id, f.rule, arg_min(s.gap, f.position) AS gap, arg_min(s.feed, f.position) AS feed
    FROM rule_feeds AS f
    INNER JOIN feed_states AS s ON f.feed = s.feed
    WHERE s.gap IS NOT NULL
    GROUP BY ALL
),
growing AS (
    SELECT DISTINCT s.tenant_id, f.rule
    FROM rule_feeds AS f
    INNER JOIN feed_states AS s ON f.feed = s.feed
    WHERE s.is_provisional
)
SELECT
    t.tenant_id,
    n.rule,
    CASE
        WHEN o.rule IS NULL OR o.outcome = 'error' THEN 'not_evaluated'
        WHEN r.needs_register AND NOT t.is_evaluated THEN 'register_invalid'
        WHEN o.outcome IN ('findings', 'clean') AND o.is_covered AND g.gap IS NULL THEN NULL
        WHEN g.gap IS NOT NULL THEN g.gap
        WHEN o.outcome = 'not_evaluated' AND NOT t.is_collected THEN 'no_source'
        ELSE 'coverage_gap'
    END AS gap,
    coalesce(
        o.reason, CASE WHEN o.rule IS NULL THEN 'the rule ' || n.rule || ' was not evaluated' END, g.feed, 'no evidence'
    ) AS words,
    w.rule IS NOT NULL AS is_provisional
FROM tenants AS t
CROSS JOIN (SELECT DISTINCT rule FROM control_rules) AS n
LEFT JOIN rule_facts AS r ON n.rule = r.rule
LEFT JOIN rule_outcomes AS o ON t.tenant_id = o.tenant_id AND n.rule = o.rule
LEFT JOIN gaps AS g ON t.tenant_id = g.tenant_id AND n.rule = g.rule
LEFT JOIN growing AS w ON t.tenant_id = w.tenant_id AND n.rule = w.rule
"""
"""For every tenant and rule: the reason code of why it cannot be believed when it is silent, NULL when it can."""

ANSWER_RULES: Final = """
INSERT INTO control_answers
WITH spoken AS (
    SELECT
        s.tenant_id,
        u.control,
        count(*) FILTER (WHERE s.gap IS NOT NULL) AS silent,
        arg_min(s.gap, u.position) FILTER (WHERE s.gap IS NOT NULL) AS gap,
        arg_min(s.words, u.position) FILTER (WHERE s.gap IS NOT NULL) AS words,
        bool_or(s.is_provisional) AS is_provisional
    FROM control_rules AS u
    INNER JOIN rule_states AS s ON u.rule = s.rule
    GROUP BY ALL
)
SELECT
    c.tenant_id,
    c.control,
    c.integration_name,
    CASE WHEN s.silent = 0 THEN 'within' ELSE 'not_assessable' END,
    s.gap,
    CASE WHEN s.silent > 0 AND s.gap = 'register_invalid' THEN 'register_invalid'
        WHEN s.silent > 0 THEN 'gap' WHEN s.is_provisional THEN 'within_provisional' ELSE 'within' END,
    CASE WHEN s.silent > 0 THEN json_object('reason', s.words) ELSE '{}'::JSON END,
    [],
    2
FROM control_scopes AS c
INNER JOIN spoken AS s ON c.tenant_id = s.tenant_id AND c.control = s.control
"""

ANSWER_FIXED: Final = """
INSERT INTO control_answers
SELECT
    s.tenant_id,
    s.control,
    s.integration_name,
    'not_assessable',
    c.reason_code,
    CASE c.reason_code WHEN 'content_needed' THEN 'content_needed' ELSE 'not_recorded' END,
    json_object('clause', c.clause, 'object', c.object, 'attach', c.attach, 'owner', c.owner),
    [],
    3
FROM control_scopes AS s
INNER JOIN control_list AS c ON s.control = c.control
WHERE c.way IN ('attestation', 'not_assessable')
"""
"""What nobody can see from here: this row is there whatever else is known."""

ANSWER_PARTS: Final = """
INSERT INTO control_answers
SELECT
    s.tenant_id,
    s.control,
    s.integration_name,
    'not_assessable',
    c.part_reason,
    'part_not_recorded',
    json_object('object', c.part_object, 'attach', c.attach, 'owner', c.owner),
    [],
    4
FROM control_scopes AS s
INNER JOIN control_list AS c ON s.control = c.control
WHERE
    c.part_reason IS NOT NULL
    AND NOT EXISTS (
        SELECT 1 FROM control_answers AS a
        WHERE
            a.tenant_id = s.tenant_id AND a.control = s.control AND a.outcome = 'not_applicable'
            AND a.integration_name IS NOT DISTINCT FROM s.integration_name
    )
"""
"""What nobody can see from here: such a control is never within, and not applicable only where it has no object."""

QUERY_GAPS: Final = """
INSERT INTO control_answers
WITH gaps AS (
    SELECT s.tenant_id, f.query, arg_min(s.gap, f.position) AS gap, arg_min(s.feed, f.position) AS feed
    FROM query_feeds AS f
    INNER JOIN feed_states AS s ON f.feed = s.feed
    WHERE s.gap IS NOT NULL
    GROUP BY ALL
)
SELECT s.tenant_id, s.control, s.integration_name, 'not_assessable', g.gap, 'gap',
    json_object('feed', g.feed, 'code', g.gap), [], 0
FROM control_scopes AS s
INNER JOIN control_list AS c ON s.control = c.control
INNER JOIN gaps AS g ON s.tenant_id = g.tenant_id AND c.query = g.query
"""

QUERY_REGISTER: Final = """
INSERT INTO control_answers
SELECT s.tenant_id, s.control, s.integration_name, 'not_assessable', 'register_invalid', 'register_invalid',
    '{}'::JSON, [], 0
FROM control_scopes AS s
INNER JOIN control_list AS c ON s.control = c.control
INNER JOIN tenants AS t ON s.tenant_id = t.tenant_id
INNER JOIN (SELECT unnest($queries::VARCHAR[]) AS query) AS q ON c.query = q.query OR list_contains(c.gates, q.query)
WHERE NOT t.is_evaluated
"""

QUERY_FAILED: Final = """
INSERT INTO control_answers
SELECT s.tenant_id, s.control, s.integration_name, 'not_assessable', 'not_evaluated', 'rule_missing',
    json_object('reason', $reason::VARCHAR), [], 1
FROM control_scopes AS s
INNER JOIN control_list AS c ON s.control = c.control
WHERE c.query = $query OR list_contains(c.gates, $query)
"""

NO_INTEGRATION: Final = """
CREATE TEMP TABLE without_integration AS
SELECT t.tenant_id, c.control, c.kinds
FROM tenants AS t
CROSS JOIN control_list AS c
WHERE
    len(c.kinds) > 0 AND t.is_evaluated
    AND NOT EXISTS (
        SELECT 1 FROM control_integrations AS i
        WHERE i.tenant_id = t.tenant_id AND list_contains(c.kinds, i.kind)
    )
"""

NOT_APPLICABLE: Final = (
    """
    DELETE FROM control_answers AS a
    WHERE EXISTS (SELECT 1 FROM without_integration AS w WHERE w.tenant_id = a.tenant_id AND w.control = a.control)
    """,
    """
    INSERT INTO control_answers
    SELECT tenant_id, control, NULL, 'not_applicable', NULL, 'no_integration',
        json_object('kinds', array_to_string(kinds, ', ')), [], 1
    FROM without_integration
    """,
)
"""A control about telephony alone says nothing of a tenant whose valid register names none."""

WORK_TABLES: Final = (
    "control_list", "control_rules", "rule_facts", "rule_feeds", "query_feeds", "query_rules", "control_answers",
    "control_integrations", "control_scopes", "open_findings", "finding_integrations", "scoped_findings",
    "feed_states", "rule_states", "without_integration", "control_results", "control_said", "control_sentences",
    "control_moment",
)  # fmt: skip

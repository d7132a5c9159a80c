"""SQL that ends an evaluation of the controls: the gravest of all answers, what is said with it, and the lines.

It reads the temporary tables that ``statements`` filled. Every line of ``control_scopes`` comes out, silent or not.
"""

from __future__ import annotations

from typing import Final

NO_ANSWER: Final = """
INSERT INTO control_answers
SELECT s.tenant_id, s.control, s.integration_name, 'not_assessable', 'no_source', 'no_answer', '{}'::JSON, [], 9
FROM control_scopes AS s
WHERE NOT EXISTS (
    SELECT 1 FROM control_answers AS a
    WHERE
        a.tenant_id = s.tenant_id AND a.control = s.control
        AND a.integration_name IS NOT DISTINCT FROM s.integration_name
)
"""
"""Silence is never an answer."""

BEST: Final = """
CREATE TEMP TABLE control_results AS
WITH ranked AS (
    SELECT *, list_position($outcomes, outcome) AS rank
    FROM control_answers
),
best AS (
    SELECT *, min(rank) OVER (PARTITION BY tenant_id, control, integration_name) AS best
    FROM ranked
)
SELECT
    b.tenant_id,
    b.control,
    b.integration_name,
    any_value(b.outcome) FILTER (WHERE b.rank = b.best) AS outcome,
    arg_min(b.reason_code, b.position) FILTER (WHERE b.rank = b.best) AS reason_code,
    list(struct_pack(says := b.says, facts := b.facts) ORDER BY b.position, b.says, b.facts)
        FILTER (WHERE b.rank = b.best) AS said,
    arg_min(b.reason_code, b.position) FILTER (WHERE b.outcome = 'not_assessable' AND b.best < b.rank) AS also_gap,
    list_sort(list_distinct(flatten(list(b.finding_ids)))) AS finding_ids
FROM best AS b
GROUP BY b.tenant_id, b.control, b.integration_name
"""

SAID: Final = """
CREATE TEMP TABLE control_said AS
SELECT r.* REPLACE (to_json(struct_pack(
    said := r.said,
    also := CASE WHEN r.outcome IN ('outside', 'review') THEN r.also_gap END,
    attested := CASE WHEN a.control IS NOT NULL THEN struct_pack(
        role := a.by_role,
        day := strftime(make_timestamp(epoch_us(a.attested_at)), '%Y-%m-%d'),
        until := strftime(make_timestamp(epoch_us(a.valid_until)), '%Y-%m-%d')
    ) END
))::VARCHAR AS said), a.by_role, a.attested_at, a.valid_until
FROM control_results AS r
LEFT JOIN (
    SELECT tenant_id, control, by_role, attested_at, valid_until
    FROM attestations
    WHERE is_valid
    QUALIFY row_number() OVER (PARTITION BY tenant_id, control ORDER BY attested_at DESC, ref ASC) = 1
) AS a ON r.tenant_id = a.tenant_id AND r.control = a.control
"""
"""What is to be said of each line, as JSON; the newest attestation stands beside it and changes nothing."""

CONTROLS: Final = """
SELECT
    r.tenant_id,
    c.control,
    c.clause,
    c.title,
    c.commitment,
    c.severity,
    r.outcome,
    r.reason_code,
    s.sentence,
    c.attach,
    c.owner,
    r.integration_name,
    c.rules,
    r.finding_ids,
    c.gdpr,
    c.iso,
    r.by_role AS attested_by,
    r.attested_at,
    r.valid_until AS attested_until,
    r.said::JSON AS said
FROM control_said AS r
INNER JOIN control_list AS c ON r.control = c.control
INNER JOIN control_sentences AS s ON r.said = s.said
ORDER BY r.tenant_id, c.position, r.integration_name NULLS FIRST
"""

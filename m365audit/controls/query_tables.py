"""What several queries of ``queries/controls`` ask, answered once, as temporary tables. Holds text only; runs nothing.

Beside the published tables a query of a control may read these, and ``control_moment`` (one row: ``moment``, now) and
``control_people`` (of each person who may decide, the ``roles``).
"""

from __future__ import annotations

from typing import Final

LINES: Final = """
CREATE TEMP TABLE control_lines AS
SELECT tenant_id, NULL::VARCHAR AS integration_name FROM tenants
UNION ALL
SELECT tenant_id, integration_name FROM control_integrations
"""
"""Every line that a control may have: one for the tenant, without an integration, and one for each integration."""

APPS: Final = """
CREATE TEMP TABLE control_apps AS
SELECT DISTINCT a.tenant_id, a.app_id, a.record, coalesce(r.integration_name, r.record) AS integration_name
FROM register_apps AS a
INNER JOIN register_records AS r ON a.tenant_id = r.tenant_id AND a.record = r.record
"""
"""The applications of every record, with the integration that the record is about."""

PLACES: Final = """
CREATE TEMP TABLE control_places AS
SELECT
    s.tenant_id,
    s.app_id,
    upper(s.country) AS country,
    cast(make_timestamp(epoch_us(s.occurred_at)) AS DATE) AS day,
    count(*) AS sign_ins
FROM sign_ins AS s
SEMI JOIN control_apps AS a ON s.tenant_id = a.tenant_id AND s.app_id = a.app_id
WHERE s.kind = 'service_principal' AND s.succeeded IS DISTINCT FROM FALSE
GROUP BY ALL
UNION ALL
SELECT a.tenant_id, a.app_id, NULL, n.day, n.sign_ins
FROM (SELECT DISTINCT tenant_id, app_id FROM control_apps) AS a
INNER JOIN (
    SELECT tenant_id, cast(make_timestamp(epoch_us(occurred_at)) AS DATE) AS day, count(*) AS sign_ins
    FROM sign_ins
    WHERE kind = 'service_principal' AND succeeded IS DISTINCT FROM FALSE AND app_id IS NULL
    GROUP BY ALL
) AS n ON a.tenant_id = n.tenant_id
"""
"""From where recorded applications themselves signed in, day by day.

Only an application's own sign-ins are its place of work: a person on holiday transfers nothing for the vendor. Of a
sign-in that names no application nobody knows whose it was: it may be anybody's, from anywhere.
"""

FINDINGS: Final = """
CREATE TEMP TABLE control_findings AS
SELECT q.query, f.tenant_id, NULL::VARCHAR AS integration_name, f.finding_id, f.rule, f.app_id, f.subject
FROM open_findings AS f
INNER JOIN query_rules AS q ON f.rule = q.rule
UNION ALL
SELECT q.query, f.tenant_id, i.integration_name, f.finding_id, f.rule, f.app_id, f.subject
FROM open_findings AS f
INNER JOIN query_rules AS q ON f.rule = q.rule
INNER JOIN finding_integrations AS i ON f.tenant_id = i.tenant_id AND f.finding_id = i.finding_id
"""
"""The open findings of the rules that a query's header names, once for each line that they stand in."""

SILENCE: Final = """
CREATE TEMP TABLE control_silence AS
SELECT DISTINCT q.query, t.tenant_id
FROM tenants AS t
CROSS JOIN query_rules AS q
LEFT JOIN rule_outcomes AS o ON t.tenant_id = o.tenant_id AND q.rule = o.rule
WHERE o.rule IS NULL OR o.outcome NOT IN ('clean', 'findings') OR NOT coalesce(o.is_covered, FALSE)
"""
"""The tenants in which a rule that a query's header names was not evaluated, not by all its evidence, or failed."""

QUERY_TABLES: Final = (LINES, APPS, PLACES, FINDINGS, SILENCE)
QUERY_TABLE_NAMES: Final = ("control_lines", "control_apps", "control_places", "control_findings", "control_silence")

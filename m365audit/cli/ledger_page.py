"""How findings look on a terminal: what is asked of the published database, and the lines made of the answer."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from m365audit.cli.harmless import harmless
from m365audit.cli.output import plain
from m365audit.cli.table import cut

_SHORTEST_ID: Final = 9
_MARGIN: Final = 10
_LONGEST_NAME: Final = 40

FINDINGS_SQL: Final = """
    SELECT f.finding_id, f.severity, f.state, f.change, f.rule, f.title, f.evidence_count AS evidence,
        f.first_seen_at, f.last_seen_at, f.tenant_id, t.name AS tenant_name, f.app_id, a.app_name, f.decision,
        f.pending, f.returned, r.due_at
    FROM findings AS f
    LEFT JOIN finding_reviews AS r USING (tenant_id, finding_id)
    LEFT JOIN tenants AS t USING (tenant_id)
    LEFT JOIN apps AS a USING (tenant_id, app_id)
    WHERE ($all OR f.state = 'open') AND (
        NOT $waiting OR f.pending IS NOT NULL OR f.returned IS NOT NULL
        OR (f.decision IS NULL AND f.state = 'open' AND f.severity IN ('high', 'critical'))
    )
    ORDER BY list_position(['critical', 'high', 'medium', 'low', 'info'], f.severity), f.tenant_id, f.title,
        f.finding_id
"""

FINDING_SQL: Final = """
    SELECT f.*, t.name AS tenant_name, a.app_name
    FROM findings AS f
    LEFT JOIN tenants AS t USING (tenant_id)
    LEFT JOIN apps AS a USING (tenant_id, app_id)
    WHERE starts_with(f.finding_id, $id)
"""

EVIDENCE_SQL: Final = """
    SELECT f.occurred_at, f.feed, f.event_id, e.endpoint, coalesce(e.resource_name, e.resource_id) AS resource,
        v.reasons
    FROM finding_evidence AS f
    LEFT JOIN access_events AS e USING (tenant_id, feed, event_id)
    LEFT JOIN verdicts AS v USING (tenant_id, feed, event_id)
    WHERE f.tenant_id = $tenant AND f.finding_id = $finding
    ORDER BY f.occurred_at NULLS LAST, f.event_id LIMIT 20
"""


def list_lines(findings: Sequence[Mapping[str, Any]], width: int) -> Iterator[str]:
    """Yield two lines or more a finding: what it says, and underneath where, since when, how often."""
    if not findings:
        yield "no open finding"
        return
    length = _distinct_length([str(finding["finding_id"]) for finding in findings])
    for finding in findings:
        head = f"{finding['severity']:<{_MARGIN}}"
        yield from textwrap.wrap(
            harmless(_named(finding)), max(30, width), initial_indent=head, subsequent_indent=" " * _MARGIN
        )
        yield " " * _MARGIN + "  ".join(_facts(finding, length))
    yield f"{len(findings)} findings; `m365audit findings show ID` shows one with its evidence"


def finding_lines(finding: Mapping[str, Any]) -> Iterator[str]:
    """Yield everything known of one finding, a line each."""
    yield _named(finding)
    for name, value in finding.items():
        if value is not None and name != "title":
            shown = plain(value)
            yield f"  {name:15} {', '.join(map(str, shown)) if isinstance(shown, list) else shown}"


def _named(finding: Mapping[str, Any]) -> str:
    """Return the title with the app's name, which its owner chose, beside the id that says which app it is."""
    title, app, name = str(finding["title"]), finding["app_id"], finding["app_name"]
    return title.replace(app, f"'{cut(harmless(name), _LONGEST_NAME)}' ({app})", 1) if app and name else title


def _facts(finding: Mapping[str, Any], length: int) -> Iterator[str]:
    yield str(finding["finding_id"])[:length]
    yield str(finding["rule"])
    yield harmless(str(finding["tenant_name"] or finding["tenant_id"]))
    yield f"{finding['evidence']} pieces of evidence"
    days = [moment.date().isoformat() for moment in _seen(finding)]
    yield " to ".join(dict.fromkeys(days))
    yield from (str(finding[name]) for name in ("state", "change") if finding[name] not in {"open", "unchanged"})
    if finding["decision"]:
        yield f"{finding['decision']} again: {finding['returned']}" if finding["returned"] else str(finding["decision"])
    if finding["pending"]:
        yield f"{finding['pending']} waits for a second person"


def _seen(finding: Mapping[str, Any]) -> list[datetime]:
    return [moment for moment in (finding["first_seen_at"], finding["last_seen_at"]) if moment is not None]


def _distinct_length(ids: Sequence[str]) -> int:
    """Return how many characters of the ids tell them apart."""
    longest = max(map(len, ids))
    enough = (length for length in range(_SHORTEST_ID, longest) if len({name[:length] for name in ids}) == len(ids))
    return next(enough, longest)

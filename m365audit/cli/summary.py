"""What a run says at its end: counts that add up, what was found, what could not be seen, where to look."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from m365audit.config import iso

if TYPE_CHECKING:
    from m365audit.pipeline import Collected, Evaluation, Outcome
    from m365audit.pipeline.values import Gathered, Unseen
    from m365audit.store.arrivals import Landed

_GRAVEST_FIRST = ("critical", "high", "medium", "low", "info")
_INDENT = 12
"""Where the text of a line about what was not seen begins."""
_NARROWEST = 40
_VERDICTS = {
    "outside": "outside the recorded consent",
    "not_assessable": "not assessable: the evidence does not say enough",
    "within": "within the recorded consent",
    "out_of_scope": "out of scope (not audited, refused, or Microsoft's own)",
}


def outcome_facts(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as plain values."""
    evaluation = outcome.evaluation
    return {
        "tenants": [_tenant_facts(tenant) for tenant in outcome.collected],
        "files": [asdict(file) for file in outcome.landed],
        "evaluation": None if evaluation is None else asdict(evaluation),
    }


def outcome_lines(outcome: Outcome, *, brief: bool) -> list[str]:
    """Return the outcome as lines of text; ``brief`` leaves out the line of each file that went in whole.

    Files that were imported before are one line together: a scheduled run meets thousands of them every night.
    """
    told = {"partial", "refused"} if brief else {"imported", "partial", "refused"}
    lines = [line for tenant in outcome.collected for line in _tenant_lines(tenant, brief=brief)]
    lines += [_file_line(file) for file in outcome.landed if file.outcome in told]
    known = sum(file.outcome == "known" for file in outcome.landed)
    if known and not brief:
        lines.append(f"known     {known} file{'s' if known != 1 else ''} imported before: nothing new in them")
    if outcome.landed:
        lines.append(_total(outcome))
    if outcome.evaluation is not None:
        lines += _evaluation_lines(outcome.evaluation)
    return lines


def folded(lines: Iterable[str], width: int | None) -> list[str]:
    """Return lines that break between words and go on below their text; ``None`` leaves them as they are."""
    if width is None:
        return list(lines)
    return [
        piece
        for line in lines
        for piece in textwrap.wrap(
            line, max(width, _NARROWEST), subsequent_indent=" " * (_INDENT if line.startswith("  ") else 2),
            break_long_words=False, break_on_hyphens=False,
        ) or [""]
    ]  # fmt: skip


def collected_line(outcome: Outcome) -> str:
    """Return what came from living tenants, all together."""
    gathered = [each for tenant in outcome.collected for each in tenant.collections.values()]
    tenants = sum(tenant.is_signed_in for tenant in outcome.collected)
    read, stored, duplicate, quarantined = (
        sum(getattr(each, name) for each in gathered) for name in ("records", "stored", "duplicate", "quarantined")
    )
    counts = f"{read} records read = {stored} stored + {duplicate} duplicate + {quarantined} quarantined"
    return f"collected from {tenants} tenant{'s' if tenants != 1 else ''}: {counts}"


def _tenant_facts(tenant: Collected) -> dict[str, object]:
    facts = asdict(tenant)
    for gathered in facts["collections"].values():
        for unseen in gathered["unseen"]:
            unseen |= {side: iso(unseen[side]) if unseen[side] else None for side in ("begin", "end")}
    return facts


def _tenant_lines(tenant: Collected, *, brief: bool) -> list[str]:
    """Return what was and what was not seen of a tenant: a line for each collection, and one for each kind of gap."""
    if tenant.refusal:
        return [f"{tenant.name}: NOT LET IN: {tenant.refusal}"]
    gathered = list(tenant.collections.values())
    records, stored, duplicate, quarantined = (
        sum(getattr(each, name) for each in gathered) for name in ("records", "stored", "duplicate", "quarantined")
    )
    windows = sum(each.windows for each in gathered)
    counts = f"{records} records read = {stored} stored + {duplicate} duplicate + {quarantined} quarantined"
    lines = [f"{tenant.name}: {windows} windows and listings, {counts}"]
    if not brief:
        lines += [f"  seen      {each.collection}: {each.records} records" for each in gathered if each.windows]
    lines += _unseen_lines(gathered)
    if tenant.refused_links:
        lines.append(f"  REFUSED   {tenant.refused_links} links to places that the configuration does not name")
    return lines


def _unseen_lines(gathered: list[Gathered]) -> list[str]:
    """Return two lines for each time and reason: every collection that was not seen then, and what to do about it."""
    spans: dict[tuple[str, str, str], list[str]] = {}
    for each in gathered:
        by_reason: dict[tuple[str, str], list[Unseen]] = {}
        for unseen in each.unseen:
            by_reason.setdefault((unseen.reason, unseen.detail), []).append(unseen)
        for (reason, detail), group in by_reason.items():
            spans.setdefault((_span(group), reason, detail), []).append(each.collection)
    lines = []
    for (span, reason, detail), names in spans.items():
        lines.append(f"  NOT SEEN  {', '.join(names)}{span} ({reason})")
        lines += [f"            {detail}"] if detail else []
    return lines


def _span(group: list[Unseen]) -> str:
    """Return the time that was not seen; where something in between was seen, that it is several times."""
    times = sorted((unseen.begin, unseen.end) for unseen in group if unseen.begin and unseen.end)
    if not times:
        return ""
    apart, until = 1, times[0][1]
    for begin, end in times:
        apart += begin > until
        until = max(until, end)
    begin = times[0][0]
    if apart == 1:
        return f", {_minute(begin)} to {_minute(until)} UTC"
    return f", {apart} times between {_minute(begin)} and {_minute(until)} UTC"


def _minute(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _file_line(file: Landed) -> str:
    counts = f"{file.records} read = {file.stored} stored + {file.duplicate} duplicate + {file.quarantined} quarantined"
    bad = f", {file.bad_times} without a readable time" if file.bad_times else ""
    remark = f" — {file.message}" if file.message else ""
    return f"{file.outcome:9} {file.path} [{file.kind or 'unknown kind'}]: {counts}{bad}{remark}"


def _total(outcome: Outcome) -> str:
    read, stored, duplicate, quarantined = (
        sum(getattr(file, name) for file in outcome.landed)
        for name in ("records", "stored", "duplicate", "quarantined")
    )
    refused = sum(file.outcome == "refused" for file in outcome.landed)
    files = f"{len(outcome.landed)} file{'s' if len(outcome.landed) != 1 else ''}"
    words = f", {refused} refused" if refused else ""
    return f"{files}{words}: {read} records read = {stored} stored + {duplicate} duplicate + {quarantined} quarantined"


def _evaluation_lines(evaluation: Evaluation) -> list[str]:
    lines = [""]
    if evaluation.not_judged:
        lines.append(f"NOTHING WAS JUDGED: {evaluation.not_judged}")
    lines.append("Accesses judged:")
    lines += [f"  {evaluation.verdicts.get(name, 0):>9}  {words}" for name, words in _VERDICTS.items()]
    found = [f"{evaluation.findings[s]} {s}" for s in _GRAVEST_FIRST if evaluation.findings.get(s)]
    lines.append(f"Open findings: {', '.join(found) or 'none'}")
    if evaluation.not_evaluated:
        lines.append(f"Not evaluated: {evaluation.not_evaluated} rule checks lacked evidence; the report says which")
    lines += [f"Report:   {evaluation.report}", f"Database: {evaluation.published}"]
    return lines

"""What a run says at its end: counts that add up, what was found, what could not be seen, where to look."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from m365audit.cli.collected import tenant_facts, tenant_lines

if TYPE_CHECKING:
    from m365audit.pipeline import Evaluation, Outcome
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
        "tenants": [tenant_facts(tenant) for tenant in outcome.collected],
        "files": [asdict(file) for file in outcome.landed],
        "evaluation": None if evaluation is None else asdict(evaluation),
    }


def outcome_lines(outcome: Outcome, *, brief: bool) -> list[str]:
    """Return the outcome as lines of text; ``brief`` leaves out the line of each file that went in whole.

    Files that were imported before are one line together: a scheduled run meets thousands of them every night.
    """
    told = {"partial", "refused"} if brief else {"imported", "partial", "refused"}
    lines = [line for tenant in outcome.collected for line in tenant_lines(tenant, brief=brief)]
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

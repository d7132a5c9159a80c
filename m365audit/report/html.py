"""Owns the HTML form: one self-contained file, readable without script, with every value escaped and made visible.

Nothing from the data ever becomes an address, an attribute's name, a style or an id.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from m365audit.report import display, room, wording
from m365audit.report.coverage import TenantCoverage, summarise
from m365audit.report.document import Cell, Document, Evidence, Finding
from m365audit.report.matrix import build_matrix
from m365audit.report.rows import parts_of
from m365audit.report.sheets import SourceAccount


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the page shows it: its anchor, its title, the parts of its subject, the evidence that fits.

    ``last`` is the last piece of evidence where it is not among the first; ``hidden`` pieces stand between them.
    """

    anchor: str
    title: str
    finding: Finding
    subject: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]
    last: Evidence | None
    hidden: int


@dataclass(frozen=True, slots=True)
class Live:
    """What the review page adds to the document.

    Attributes:
        bar: what stands on top of the page, already escaped.
        finding_path: tenant id and finding id → the path of the finding's own page; the report's titles link to it.
    """

    bar: Markup
    finding_path: Callable[[str, str], str]


def render_html(document: Document, *, live: Live | None = None) -> bytes:
    """Return the document as one HTML file, UTF-8. The same document gives the same bytes.

    Args:
        document: what to show.
        live: None for the file that is kept and sent; else what the review page adds.
    """
    environment = _environment()
    style = environment.get_template("report.css").render()
    matrix = build_matrix(document.matrix, document.matrix_totals)
    cells = room.shown_cells(document, matrix)
    page = environment.get_template("report.html").render(
        document=document,
        live=live,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        matrix=matrix,
        cells=cells,
        cell_anchors={_key(cell): f"cell-{ordinal}" for ordinal, cell in enumerate(cells.items, 1)},
        coverage_by_tenant=_page_one_coverage(document),
        findings=_finding_views(document.findings),
        findings_command=room.COMMANDS["findings"],
        tenants=room.shown_tenants(document),
        lists=_lists(document),
    )
    return page.encode("utf-8")


def _page_one_coverage(document: Document) -> room.Shown[TenantCoverage]:
    return room.worst("coverage", summarise(document.coverage), room.PAGE_ONE_TENANTS, lambda item: item.badness)


def _lists(document: Document) -> dict[str, room.Shown[Any]]:
    """Return the lists of the page, each as long as there is room for it."""
    unknown = document.not_assessable
    given: dict[str, tuple[Sequence[Any], int, int | None]] = {
        "outside": (document.outside, room.JUDGEMENTS, document.outside_total),
        "not_assessable": (unknown.judgements, room.JUDGEMENTS, unknown.judgements_total),
        "rules": (sorted(unknown.rules, key=lambda item: item.outcome != "error"), room.LIST, None),
        "unmapped": (unknown.unmapped, room.LIST, unknown.unmapped_kinds),
        "files": (unknown.files, room.LIST, unknown.files_total),
        "quarantine": (unknown.quarantine, room.LIST, unknown.quarantine_groups),
        "not_judged": (document.answer.not_judged, room.NOT_JUDGED, None),
    }
    lists = {name: room.first(name, items, most, total) for name, (items, most, total) in given.items()}
    lists["sources"] = room.worst("sources", document.sources, room.LIST, _trouble)
    return lists


def _trouble(account: SourceAccount) -> tuple[bool, int, int]:
    return not account.is_balanced, account.files_refused, account.quarantined


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_written,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
    )
    environment.filters |= {
        "iso": display.moment, "minute": display.minute, "day": display.day, "impersonal": display.impersonal,
        "reason": wording.reason, "gap": wording.gap, "workload": wording.workload, "feed": wording.feed,
        "feeds": wording.feeds, "percent": _percent, "whole": _whole,
    }  # fmt: skip
    environment.tests["mixed_scripts"] = display.has_mixed_scripts
    environment.globals |= {"words": wording, "key": _key, "tone": _tone, "commands": room.COMMANDS}
    return environment


def _written(value: object) -> object:
    """Every value that a template prints passes here: none can be forgotten."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return display.minute(value)
    if value is None:
        return "not known"
    return display.shown(str(value))


def _whole(command: str) -> Markup:
    """Return a command as it has to be copied: visible, escaped, never cut."""
    return escape(display.visible(command))


def _percent(share: int, covered_seconds: int) -> str:
    return "< 1 %" if share == 0 and covered_seconds > 0 else f"{share} %"


def _key(cell: Cell) -> tuple[str, str | None, str | None]:
    return cell.tenant_id, cell.app_id, cell.workload


def _tone(cell: Cell) -> str:
    """Return the one word that a cell of the matrix is about; the gravest that holds."""
    if cell.outside:
        return "outside"
    if cell.not_assessable or cell.recorded == "unknown":
        return "unknown"
    if cell.used:
        return "within"
    return "open" if cell.granted == "yes" and cell.recorded != "active" else "idle"


def _finding_views(findings: tuple[Finding, ...]) -> list[FindingView]:
    shown = findings[: room.FINDINGS]
    most = max(room.EVIDENCE // max(len(shown), 1), 3)
    return [_finding_view(f"finding-{ordinal}", finding, most) for ordinal, finding in enumerate(shown, 1)]


def _finding_view(anchor: str, finding: Finding, most: int) -> FindingView:
    first = finding.evidence[:most]
    pieces = [*finding.evidence, *filter(None, [finding.evidence_last])]
    last = pieces[-1] if len(pieces) > len(first) else None
    hidden = finding.evidence_kept - len(first) - (last is not None)
    return FindingView(
        anchor,
        _title(finding),
        finding,
        parts_of(finding.subject) if finding.subject is not None else (),
        first,
        last,
        hidden,
    )


def _title(finding: Finding) -> str:
    """Return the title with the app's name in place of its id, where the id stands; the id is in the line below."""
    if not finding.app_id or not finding.app_name:
        return finding.title
    return finding.title.replace(finding.app_id, f"“{finding.app_name}”")

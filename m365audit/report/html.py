"""Owns the HTML form: one self-contained file, readable without script, with every value escaped and made visible.

Nothing from the data ever becomes an address, an attribute's name, a style or an id.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from m365audit.report import display, wording
from m365audit.report.coverage import summarise
from m365audit.report.document import Cell, Document, Evidence, Finding
from m365audit.report.matrix import build_matrix

FINDINGS_SHOWN: Final = 500
"""Findings in the HTML file; CSV and JSON hold more, and the file says so."""
EVIDENCE_SHOWN: Final = 1_600
"""Pieces of evidence in the whole HTML file, so that 200 findings stay below one megabyte."""


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding as the page shows it: its anchor, its title, the parts of its subject, the evidence that fits."""

    anchor: str
    title: str
    finding: Finding
    subject: tuple[tuple[str, str], ...]
    evidence: tuple[Evidence, ...]


def render_html(document: Document) -> bytes:
    """Return the document as one HTML file, UTF-8. The same document gives the same bytes."""
    environment = _environment()
    style = environment.get_template("report.css").render()
    page = environment.get_template("report.html").render(
        document=document,
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii"),
        matrix=build_matrix(document.matrix),
        cell_anchors={_key(cell): f"cell-{ordinal}" for ordinal, cell in enumerate(document.matrix, 1)},
        coverage_by_tenant=summarise(document.coverage),
        findings=_finding_views(document.findings),
    )
    return page.encode("utf-8")


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
        "reason": wording.reason, "workload": wording.workload, "feed": wording.feed, "percent": _percent,
    }  # fmt: skip
    environment.tests["mixed_scripts"] = display.has_mixed_scripts
    environment.globals |= {"words": wording, "key": _key, "tone": _tone}
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
    shown = findings[:FINDINGS_SHOWN]
    most = max(EVIDENCE_SHOWN // max(len(shown), 1), 3)
    return [
        FindingView(f"finding-{ordinal}", _title(finding), finding, _subject(finding.subject), finding.evidence[:most])
        for ordinal, finding in enumerate(shown, 1)
    ]


def _title(finding: Finding) -> str:
    """Return the title with the app's name in place of its id, where the id stands; the id is in the line below."""
    if not finding.app_id or not finding.app_name:
        return finding.title
    return finding.title.replace(finding.app_id, f"“{finding.app_name}”")


def _subject(text: str | None) -> tuple[tuple[str, str], ...]:
    """Return the parts of a subject; one that is no JSON object is shown as it stands."""
    if text is None:
        return ()
    try:
        parts = msgspec.json.decode(text.encode("utf-8", "surrogatepass"), type=dict[str, object])
    except msgspec.DecodeError:
        return (("subject", text),)
    return tuple(
        (name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
        for name, value in parts.items()
    )

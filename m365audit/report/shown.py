"""Owns how the parts of the document are cut and grouped for the page: views for the templates, no words, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from m365audit.report import room
from m365audit.report.controls import Control
from m365audit.report.decided import BreachCase, SubjectRequest
from m365audit.report.document import Document, Evidence, Finding
from m365audit.report.drawing import Drawing, draw
from m365audit.report.rows import parts_of
from m365audit.report.timeline import Integration, UseDay
from m365audit.report.use import Cell, Judgement

_WORST_FIRST = ("outside", "review", "not_assessable", "within", "not_applicable")
_PLACES = 6
"""Places that one line of a control names; the others are counted."""
_FIRST = 3
"""Findings that page 1 names as the ones to decide first."""
_DECIDED = ("pending", "returned", "accepted", "false_positive", "explained", "remediating", "confirmed")


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


def finding_views(findings: Sequence[Finding]) -> tuple[list[FindingView], list[FindingView]]:
    """Return the findings that are shown whole, and those that are shown as rows."""
    whole = findings[: room.FINDINGS]
    most = max(room.EVIDENCE // max(len(whole), 1), 3)
    views = [_finding_view(f"finding-{at}", finding, most) for at, finding in enumerate(whole, 1)]
    rows = findings[room.FINDINGS : room.FINDINGS + room.FINDING_ROWS]
    return views, [_finding_view("findings", finding, 0) for finding in rows]


def _finding_view(anchor: str, finding: Finding, most: int) -> FindingView:
    first = finding.evidence[:most]
    pieces = [*finding.evidence, *filter(None, [finding.evidence_last])]
    last = pieces[-1] if len(pieces) > len(first) else None
    hidden = finding.evidence_kept - len(first) - (last is not None)
    subject = parts_of(finding.subject) if finding.subject is not None else ()
    return FindingView(anchor, _title(finding), finding, subject, first, last, hidden)


def _title(finding: Finding) -> str:
    """Return the title with the app's name in place of its id, where the id stands; the id is in the line below."""
    if not finding.app_id or not finding.app_name:
        return finding.title
    return finding.title.replace(finding.app_id, f"“{finding.app_name}”")


def changed(views: Iterable[FindingView]) -> list[tuple[str, room.Shown[FindingView]]]:
    """Return the findings that moved since the run before, by how."""
    listed = list(views)
    return [
        (change, room.first("findings", [view for view in listed if view.finding.change == change], room.CHANGES))
        for change in ("new", "reopened", "resolved")
    ]


def decided(views: Iterable[FindingView]) -> list[tuple[str, room.Shown[FindingView]]]:
    """Return the findings that somebody decided, by what was decided."""
    groups: dict[str, list[FindingView]] = {state: [] for state in _DECIDED}
    for view in views:
        state = _group_of(view.finding)
        if state in groups:
            groups[state].append(view)
    return [(state, room.first("decided", found, room.DECIDED)) for state, found in groups.items()]


def first_to_decide(document: Document, views: Iterable[FindingView]) -> list[FindingView]:
    """Return the findings that somebody has to look at first."""
    by_id = {view.finding.finding_id: view for view in views}
    wanted = document.waiting.first_finding_ids
    return [by_id[finding] for finding in wanted if finding in by_id][:_FIRST]


def shown_by(use: Judgement, views: Iterable[FindingView]) -> FindingView | None:
    """Return the open finding that has the evidence of a use; None where none is about it."""
    for view in views:
        finding, parts = view.finding, dict(view.subject)
        is_same = (finding.tenant_id, finding.app_id, finding.state) == (use.tenant_id, use.app_id, "open")
        if is_same and set(use.reasons) & set(finding.reasons) and parts.get("workload") == use.workload:
            return view
    return None


def _group_of(finding: Finding) -> str | None:
    review = finding.review
    if review is None:
        return None
    if review.pending is not None:
        return "pending"
    return "returned" if review.returned is not None else review.decision


@dataclass(frozen=True, slots=True)
class OpenClocks:
    """What page 1 says of clocks: what is open, the most urgent first."""

    breaches: tuple[BreachCase, ...]
    requests: tuple[SubjectRequest, ...]

    @property
    def is_breach_late(self) -> bool:
        """Whether one clock has run out."""
        return any(case.seconds_left is not None and case.seconds_left < 0 for case in self.breaches)

    @property
    def is_request_late(self) -> bool:
        """Whether one request is overdue."""
        return any(request.days_left is not None and request.days_left < 0 for request in self.requests)


def open_clocks(document: Document) -> OpenClocks:
    """Return the clocks that run, and cases that are only suspected yet."""
    clocks = document.clocks
    return OpenClocks(
        tuple(case for case in clocks.breaches if case.seconds_left is not None or case.state == "suspected"),
        tuple(request for request in clocks.requests if request.days_left is not None),
    )


@dataclass(frozen=True, slots=True)
class IntegrationView:
    """One integration's sheet: its cells, its timeline as a drawing, the days that its table has room for.

    ``is_unknown``: nobody can say whether it is recorded, because the register could not be read.
    """

    integration: Integration
    cells: tuple[Cell, ...]
    drawing: Drawing | None
    days: room.Shown[UseDay]
    is_unknown: bool


def integration_views(document: Document) -> room.Shown[IntegrationView]:
    """Return the sheets of the integrations that there is room for."""
    cells: dict[tuple[str, str], list[Cell]] = {}
    for cell in document.matrix:
        if cell.app_id is not None:
            cells.setdefault((cell.tenant_id, cell.app_id), []).append(cell)
    views = []
    for item in document.integrations[: room.INTEGRATIONS]:
        own = [cell for app in item.app_ids for cell in cells.get((item.tenant_id, app), ())]
        days = item.timeline.days if item.timeline is not None else ()
        shown = room.Shown(tuple(days[-room.DAYS :]), len(days), room.COMMANDS["days"])
        drawing = draw(item.timeline) if item.timeline is not None else None
        views.append(IntegrationView(item, tuple(own), drawing, shown, all(cell.recorded == "unknown" for cell in own)))
    return room.Shown(tuple(views), document.integrations_total, room.COMMANDS["integrations"])


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """One control with the same outcome for the same reason, and where."""

    anchor: str
    rows: tuple[Control, ...]
    where: tuple[str, ...]
    more: int
    finding_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """All controls of one clause."""

    clause: str
    groups: tuple[ControlGroup, ...]


def clauses(document: Document) -> tuple[tuple[Clause, ...], room.Shown[Control], dict[str, str]]:
    """Return the clauses with their controls, how many rows were cut, and the anchor of each control."""
    shown = room.worst(
        "controls", document.controls, room.CONTROLS, lambda control: -_rank(control.outcome)
    )  # fmt: skip
    groups: dict[tuple[str, str, str, str | None, str | None], list[Control]] = {}
    for control in shown.items:
        key = control.clause, control.control, control.outcome, control.reason_code, control.sentence
        groups.setdefault(key, []).append(control)
    anchors: dict[str, str] = {}
    by_clause: dict[str, list[ControlGroup]] = {}
    for ordinal, ((clause, name, *_), rows) in enumerate(groups.items(), 1):
        anchor = "" if name in anchors else f"control-{ordinal}"
        anchors.setdefault(name, anchor)
        by_clause.setdefault(clause, []).append(_group(anchor, rows))
    total = replace(shown, total=document.controls_total)
    return tuple(Clause(clause, tuple(found)) for clause, found in by_clause.items()), total, anchors


def _group(anchor: str, rows: Sequence[Control]) -> ControlGroup:
    places = list(dict.fromkeys(
        f"{row.tenant_name}: {row.integration_name}" if row.integration_name else row.tenant_name for row in rows
    ))  # fmt: skip
    ids = tuple(dict.fromkeys(finding for row in rows for finding in row.finding_ids))
    return ControlGroup(anchor, tuple(rows), tuple(places[:_PLACES]), len(places[_PLACES:]), ids[:_PLACES])


def _rank(outcome: str) -> int:
    return _WORST_FIRST.index(outcome) if outcome in _WORST_FIRST else 0


def to_attach(document: Document) -> room.Shown[Control]:
    """Return each control that could not be assessed once, with its newest attestation."""
    found: dict[str, Control] = {}
    for control in document.controls:
        if control.outcome == "not_assessable" and (
            control.control not in found or found[control.control].attested_at is None
        ):
            found[control.control] = control
    return room.first("attach", list(found.values()), room.LIST)

"""Owns the tables that CSV files and sheets are made of: their columns, which are stable, and every row, streamed.

Rows go from the database to the file, a million of them too, and are never held all at once. Values keep their types.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from m365audit.errors import QueryError
from m365audit.report.art30 import ControllerRow, ProcessorRow, controller_row, processor_rows
from m365audit.report.control_rows import one_control
from m365audit.report.control_texts import control_texts
from m365audit.report.controls import Control
from m365audit.report.coverage import build_coverage
from m365audit.report.document import Evidence, FeedCoverage, Finding
from m365audit.report.finding_rows import Beside, one_evidence, one_finding, told
from m365audit.report.phrases import phrases
from m365audit.report.present import present
from m365audit.report.rows import Reader, Row, TenantNames, flag, moment, text, texts, words
from m365audit.report.rule_texts import rule_texts
from m365audit.report.unknown_rows import file_trouble, quarantine_group, unmapped_call
from m365audit.report.use import Cell
from m365audit.report.use_rows import one_cell, one_judgement


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table and its rows, in the columns' order."""

    columns: Sequence[str]
    rows: Iterator[Sequence[object]]


@dataclass(frozen=True, slots=True)
class Source:
    """What tables are made from: rows that name nobody, the tenants' names, the reader's language."""

    reader: Reader
    names: TenantNames
    language: str

    def all(self, query: str, **params: object) -> Iterator[Row]:
        """Yield every row of a query; nothing else may be read before the last."""
        return (row for rows in self.reader.batches(query, **params) for row in rows)


Section = Callable[[Source], Table]


def table(reader: Reader, section: str, language: str = "en") -> Table:
    """Return one of ``SECTIONS``; nothing else may be read until its rows are through.

    Raises:
        QueryError: there is no such section.
    """
    make = SECTIONS.get(section)
    if make is None:
        raise QueryError(f"the report has no section {section!r}", hint=f"choose one of {', '.join(SECTIONS)}")
    return make(source(reader, language))


def source(reader: Reader, language: str = "en") -> Source:
    """Return what tables of this reader are made from."""
    tenants = reader.rows("report-names")
    names = {words(row, "tenant_id"): text(row, "name") or words(row, "tenant_id") for row in tenants}
    return Source(reader, TenantNames(names), language)


def every_finding(given: Source) -> Iterator[Finding]:
    """Yield all findings, the gravest first, without their evidence and their history."""
    beside = Beside({}, {}, rule_texts(given.language), given.language)
    rows = given.all("report-findings", limit=None)
    return (told(one_finding(row, given.names, (), None), beside, ()) for row in rows)


def every_control(given: Source) -> Iterator[Control]:
    """Yield all controls of all tenants, by clause; none when the database does not know of controls."""
    if present(given.reader).has("controls"):
        own = control_texts(given.language)
        yield from (one_control(row, given.names, own) for row in given.all("report-controls", limit=None))


def _columns(kind: type[Any], *left_out: str) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in left_out)


def _values(items: Iterable[object], columns: Sequence[str]) -> Iterator[list[object]]:
    return ([getattr(item, column) for column in columns] for item in items)


def _cells(given: Source) -> Table:
    columns = _columns(Cell)
    return Table(
        columns, _values((one_cell(row, given.names) for row in given.all("report-cells", limit=None)), columns)
    )


def _findings(given: Source) -> Table:
    columns = _columns(Finding, "evidence", "evidence_last", "review", "history", "countries")
    return Table(columns, _values(every_finding(given), columns))


def _evidence(given: Source) -> Table:
    columns = _columns(Evidence)
    pieces = ((row, one_evidence(row)) for row in given.all("report-every-evidence"))
    rows = (
        [row["tenant_id"], row["finding_id"], *(getattr(event, column) for column in columns)] for row, event in pieces
    )
    return Table(("tenant_id", "finding_id", *columns), rows)


def _coverage(given: Source) -> Table:
    columns, said = _columns(FeedCoverage), phrases(given.language).said
    lines = (
        dataclasses.replace(line, gap_details=tuple(said(detail) or detail for detail in line.gap_details))
        for line in build_coverage(given.reader, given.names.by_id)
    )
    return Table(columns, _values(lines, columns))


def _controls(given: Source) -> Table:
    columns = _columns(Control, "text_language", "sentence_language")
    return Table(columns, _values(every_control(given), columns))


_DECIDED: Final = (
    "tenant_id", "tenant_name", "finding_id", "severity", "title", "decision", "pending", "returned", "reason",
    "breach", "owner", "due_at", "expires_at", "decided_at", "decided_roles", "requested_at", "requested_roles",
    "approved_at", "approved_roles", "is_second_person_off", "evidence",
)  # fmt: skip


def _decisions(given: Source) -> Table:
    return Table(_DECIDED, ([_decided(name, row, given) for name in _DECIDED] for row in _decision_rows(given)))


def _decision_rows(given: Source, *, is_all: bool = False) -> Iterator[Row]:
    if present(given.reader).has("finding_reviews", "review_events"):
        yield from given.all("report-decisions", everything=is_all)


def _decided(name: str, row: Row, given: Source) -> object:
    if name == "tenant_name":
        return given.names.of(row)[1]
    if name.endswith("_at"):
        return moment(row, name)
    if name == "evidence" or name.endswith("_roles"):
        return texts(row, name)
    return row[name]


_ACTIONS: Final = (
    "action_kind", "severity", "tenant_id", "tenant_name", "reference", "title", "advice", "controls", "decision",
    "pending", "due_at", "action_owner", "action_due", "action_done", "action_justification",
)  # fmt: skip
_DONE_WITH: Final = frozenset({"false_positive", "explained", "accepted", "resolved"})


def _action_plan(given: Source) -> Table:
    """What is to be done: open findings that are not decided away, then controls that are not within."""
    return Table(_ACTIONS, _actions(given))


def _actions(given: Source) -> Iterator[list[object]]:
    decided = {(row["tenant_id"], row["finding_id"]): row for row in _decision_rows(given, is_all=True)}
    for finding in every_finding(given):
        if finding.state != "open" or finding.decision in _DONE_WITH:
            continue
        row = decided.get((finding.tenant_id, finding.finding_id))
        yield ["finding", finding.severity, finding.tenant_id, finding.tenant_name, finding.finding_id, finding.title,
               finding.advice, finding.controls, finding.decision, None if row is None else row["pending"],
               None if row is None else moment(row, "due_at"), None, None, None, None]  # fmt: skip
    for control in every_control(given):
        if control.outcome in {"outside", "review", "not_assessable"}:
            yield [f"control_{control.outcome}", control.severity, control.tenant_id, control.tenant_name,
                   control.control, control.title, control.attach or control.sentence, (control.control,), None, None,
                   None, None, None, None, None]  # fmt: skip


def _art30_controller(given: Source) -> Table:
    columns = _columns(ControllerRow)
    return Table(columns, _values((controller_row(row, given.names) for row in given.all("report-art30")), columns))


def _art30_processor(given: Source) -> Table:
    columns = _columns(ProcessorRow)
    rows = processor_rows(controller_row(row, given.names) for row in given.all("report-art30"))
    return Table(columns, _values(rows, columns))


def _not_assessable(given: Source) -> Table:
    """Everything unknown in one table: ``kind`` says what, ``subject`` which, ``amount`` how often, ``reason`` why."""
    columns = ("kind", "tenant_id", "tenant_name", "subject", "amount", "reason")
    return Table(columns, _unknown_rows(given))


def _unknown_rows(given: Source) -> Iterator[list[object]]:
    said = phrases(given.language).said
    for row in given.reader.rows("report-names"):
        if not flag(row, "is_evaluated"):
            reason = text(row, "not_evaluated_reason") or "no reason was recorded"
            yield ["tenant_not_judged", *given.names.of(row), None, 1, said(reason) or reason]
    yield from _unknown_uses(given)
    for line in build_coverage(given.reader, given.names.by_id):
        if line.state in ("none", "partial"):
            yield ["source", line.tenant_id, line.tenant_name, line.feed, line.gaps, line.gap_reasons]
    for row in given.all("report-rules"):
        if row["outcome"] not in ("findings", "clean"):
            why = text(row, "reason")
            yield [f"rule_{row['outcome']}", *given.names.of(row), words(row, "rule"), 1, said(why or "") or why]
    yield from _unknown_evidence(given)


def _unknown_uses(given: Source) -> Iterator[list[object]]:
    for row in given.all("report-judgements", limit=None):
        use = one_judgement(row, given.names)
        if use.verdict == "not_assessable":
            subject = (use.app_name or use.app_id, use.workload, use.operation)
            yield ["use", use.tenant_id, use.tenant_name, tuple(part or "unknown" for part in subject), use.events,
                   use.reasons]  # fmt: skip


def _unknown_evidence(given: Source) -> Iterator[list[object]]:
    for row in given.all("report-unmapped", limit=None):
        call = unmapped_call(row, given.names)
        yield ["unmapped_call", call.tenant_id, call.tenant_name, f"{call.method or ''} {call.shape or ''}".strip(),
               call.calls, "workload_unknown"]  # fmt: skip
    for row in given.all("report-source-troubles", limit=None):
        file = file_trouble(row, given.names)
        yield [f"file_{file.outcome}", file.tenant_id, file.tenant_name, file.path, 1, file.message]
    for row in given.all("report-quarantine", limit=None):
        group = quarantine_group(row, given.names)
        yield ["quarantine", group.tenant_id, group.tenant_name, group.path, group.records, group.reason]


SECTIONS: Final[dict[str, Section]] = {
    "cells": _cells,
    "findings": _findings,
    "evidence": _evidence,
    "coverage": _coverage,
    "not_assessable": _not_assessable,
    "controls": _controls,
    "decisions": _decisions,
    "action_plan": _action_plan,
    "art30_controller": _art30_controller,
    "art30_processor": _art30_processor,
}
"""The tables by the name that ``--section`` takes."""

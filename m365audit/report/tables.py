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
from m365audit.report.assemble import one_cell, one_judgement
from m365audit.report.coverage import build_coverage
from m365audit.report.document import Cell, Evidence, FeedCoverage, Finding
from m365audit.report.finding_rows import one_evidence, one_finding
from m365audit.report.rows import Reader, Row, TenantNames, flag, text, words
from m365audit.report.unknown_rows import file_trouble, quarantine_group, unmapped_call


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a table and its rows, in the columns' order."""

    columns: Sequence[str]
    rows: Iterator[Sequence[object]]


Section = Callable[[Reader, TenantNames], Table]


def table(reader: Reader, section: str) -> Table:
    """Return one of ``SECTIONS``; nothing else may be read until its rows are through.

    Raises:
        QueryError: there is no such section.
    """
    make = SECTIONS.get(section)
    if make is None:
        raise QueryError(f"the report has no section {section!r}", hint=f"choose one of {', '.join(SECTIONS)}")
    tenants = reader.rows("report-names")
    names = {words(row, "tenant_id"): text(row, "name") or words(row, "tenant_id") for row in tenants}
    return make(reader, TenantNames(names))


def every_finding(reader: Reader, names: TenantNames) -> Iterator[Finding]:
    """Yield all findings, the gravest first, without their evidence."""
    return (one_finding(row, names, (), None) for row in _all(reader, "report-findings", limit=None))


def _columns(kind: type[Any], *left_out: str) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in left_out)


def _values(items: Iterable[object], columns: Sequence[str]) -> Iterator[list[object]]:
    return ([getattr(item, column) for column in columns] for item in items)


def _all(reader: Reader, query: str, **params: object) -> Iterator[Row]:
    return (row for rows in reader.batches(query, **params) for row in rows)


def _cells(reader: Reader, names: TenantNames) -> Table:
    columns = _columns(Cell)
    return Table(columns, _values((one_cell(row, names) for row in _all(reader, "report-cells", limit=None)), columns))


def _findings(reader: Reader, names: TenantNames) -> Table:
    columns = _columns(Finding, "evidence", "evidence_last", "review", "history")
    return Table(columns, _values(every_finding(reader, names), columns))


def _evidence(reader: Reader, _: TenantNames) -> Table:
    columns = _columns(Evidence)
    pieces = ((row, one_evidence(row)) for row in _all(reader, "report-every-evidence"))
    rows = (
        [row["tenant_id"], row["finding_id"], *(getattr(event, column) for column in columns)] for row, event in pieces
    )
    return Table(("tenant_id", "finding_id", *columns), rows)


def _coverage(reader: Reader, names: TenantNames) -> Table:
    columns = _columns(FeedCoverage)
    return Table(columns, _values(build_coverage(reader, names.by_id), columns))


def _art30_controller(reader: Reader, names: TenantNames) -> Table:
    columns = _columns(ControllerRow)
    return Table(columns, _values((controller_row(row, names) for row in _all(reader, "report-art30")), columns))


def _art30_processor(reader: Reader, names: TenantNames) -> Table:
    columns = _columns(ProcessorRow)
    rows = processor_rows(controller_row(row, names) for row in _all(reader, "report-art30"))
    return Table(columns, _values(rows, columns))


def _not_assessable(reader: Reader, names: TenantNames) -> Table:
    """Everything unknown in one table: ``kind`` says what, ``subject`` which, ``amount`` how often, ``reason`` why."""
    columns = ("kind", "tenant_id", "tenant_name", "subject", "amount", "reason")
    return Table(columns, _unknown_rows(reader, names))


def _unknown_rows(reader: Reader, names: TenantNames) -> Iterator[list[object]]:
    for row in reader.rows("report-names"):
        if not flag(row, "is_evaluated"):
            reason = text(row, "not_evaluated_reason") or "no reason was recorded"
            yield ["tenant_not_judged", *names.of(row), None, 1, reason]
    yield from _unknown_uses(reader, names)
    for line in build_coverage(reader, names.by_id):
        if line.state in ("none", "partial"):
            yield ["source", line.tenant_id, line.tenant_name, line.feed, line.gaps, line.gap_reasons]
    for row in _all(reader, "report-rules"):
        if row["outcome"] not in ("findings", "clean"):
            yield [f"rule_{row['outcome']}", *names.of(row), words(row, "rule"), 1, text(row, "reason")]
    yield from _unknown_evidence(reader, names)


def _unknown_uses(reader: Reader, names: TenantNames) -> Iterator[list[object]]:
    for row in _all(reader, "report-judgements", limit=None):
        use = one_judgement(row, names)
        if use.verdict == "not_assessable":
            subject = (use.app_name or use.app_id, use.workload, use.operation)
            yield ["use", use.tenant_id, use.tenant_name, tuple(part or "unknown" for part in subject), use.events,
                   use.reasons]  # fmt: skip


def _unknown_evidence(reader: Reader, names: TenantNames) -> Iterator[list[object]]:
    for row in _all(reader, "report-unmapped", limit=None):
        call = unmapped_call(row, names)
        yield ["unmapped_call", call.tenant_id, call.tenant_name, f"{call.method or ''} {call.shape or ''}".strip(),
               call.calls, "workload_unknown"]  # fmt: skip
    for row in _all(reader, "report-source-troubles", limit=None):
        file = file_trouble(row, names)
        yield [f"file_{file.outcome}", file.tenant_id, file.tenant_name, file.path, 1, file.message]
    for row in _all(reader, "report-quarantine", limit=None):
        group = quarantine_group(row, names)
        yield ["quarantine", group.tenant_id, group.tenant_name, group.path, group.records, group.reason]


SECTIONS: Final[dict[str, Section]] = {
    "cells": _cells,
    "findings": _findings,
    "evidence": _evidence,
    "coverage": _coverage,
    "not_assessable": _not_assessable,
    "art30_controller": _art30_controller,
    "art30_processor": _art30_processor,
}
"""The tables by the name that ``--section`` takes."""

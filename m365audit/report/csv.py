"""Owns the CSV form: one table per section, every field quoted, no cell that a spreadsheet takes for a formula.

Every row of a section is there, a million of them too: rows go from the database to the file and are never held all at
once. Invisible characters are written out, so that a record is one line and a terminal shows what is there. The exact
values are in the JSON form, of those rows that it holds.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from m365audit.errors import QueryError
from m365audit.report.assemble import one_cell, one_judgement
from m365audit.report.coverage import build_coverage
from m365audit.report.display import inert, moment
from m365audit.report.document import Cell, Evidence, FeedCoverage, Finding
from m365audit.report.finding_rows import one_evidence, one_finding
from m365audit.report.rows import Reader, Row, TenantNames, flag, text, words
from m365audit.report.unknown_rows import file_trouble, quarantine_group, unmapped_call

Section = Callable[[Reader, TenantNames], tuple[Sequence[str], Iterator[Sequence[object]]]]


def csv_pieces(reader: Reader, section: str | None = None) -> Iterator[bytes]:
    """Yield one section as CSV, UTF-8, one header row; ``cells`` when none is named.

    Raises:
        QueryError: there is no such section.
    """
    make = SECTIONS.get(section or "cells")
    if make is None:
        raise QueryError(f"the report has no section {section!r}", hint=f"choose one of {', '.join(SECTIONS)}")
    tenants = reader.rows("report-names")
    names = {words(row, "tenant_id"): text(row, "name") or words(row, "tenant_id") for row in tenants}
    columns, rows = make(reader, TenantNames(names))
    return _written(columns, rows)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_field(value) for value in row])
        if out.tell() > _PIECE:
            yield out.getvalue().encode("utf-8")
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode("utf-8")


_PIECE = 1 << 20
"""Characters that are gathered before they are handed on."""


def _field(value: object) -> str:
    if isinstance(value, str):
        return inert(value)
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return inert("; ".join(str(item) for item in value))
    return str(value)


def _columns(kind: type[Cell | Finding | FeedCoverage | Evidence], *left_out: str) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in left_out)


def _values(items: Iterable[object], columns: Sequence[str]) -> Iterator[list[object]]:
    return ([getattr(item, column) for column in columns] for item in items)


def _all(reader: Reader, query: str, **params: object) -> Iterator[Row]:
    return (row for rows in reader.batches(query, **params) for row in rows)


def _cells(reader: Reader, names: TenantNames) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    columns = _columns(Cell)
    return columns, _values((one_cell(row, names) for row in _all(reader, "report-cells", limit=None)), columns)


def _findings(reader: Reader, names: TenantNames) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    columns = _columns(Finding, "evidence", "evidence_last")
    rows = _all(reader, "report-findings", limit=None)
    return columns, _values((one_finding(row, names, (), None) for row in rows), columns)


def _evidence(reader: Reader, _: TenantNames) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    columns = _columns(Evidence)
    pieces = ((row, one_evidence(row)) for row in _all(reader, "report-every-evidence"))
    rows = (
        [row["tenant_id"], row["finding_id"], *(getattr(event, column) for column in columns)] for row, event in pieces
    )
    return ("tenant_id", "finding_id", *columns), rows


def _coverage(reader: Reader, names: TenantNames) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    columns = _columns(FeedCoverage)
    return columns, _values(build_coverage(reader, names.by_id), columns)


def _not_assessable(reader: Reader, names: TenantNames) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """Everything unknown in one table: ``kind`` says what, ``subject`` which, ``amount`` how often, ``reason`` why."""
    columns = ("kind", "tenant_id", "tenant_name", "subject", "amount", "reason")
    return columns, _unknown_rows(reader, names)


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


SECTIONS: dict[str, Section] = {
    "cells": _cells,
    "findings": _findings,
    "evidence": _evidence,
    "coverage": _coverage,
    "not_assessable": _not_assessable,
}
"""The tables that the CSV form can hold, by the name that ``--section`` takes."""

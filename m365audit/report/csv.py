"""Owns the CSV form: one table per section, every field quoted, no cell that a spreadsheet takes for a formula.

Invisible characters are written out, so that a record is one line and a terminal shows what is there. The exact
values are in the JSON form.
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from m365audit.errors import QueryError
from m365audit.report.display import inert, moment
from m365audit.report.document import Cell, Document, Evidence, FeedCoverage, Finding

Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def render_csv(document: Document, section: str | None = None) -> bytes:
    """Return one section as CSV, UTF-8, one header row; ``cells`` when none is named.

    Raises:
        QueryError: there is no such section.
    """
    try:
        columns, rows = SECTIONS[section or "cells"](document)
    except KeyError:
        raise QueryError(
            f"the report has no section {section!r}", hint=f"choose one of {', '.join(SECTIONS)}"
        ) from None
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_field(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8")


def _field(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return inert("; ".join(str(item) for item in value))
    return inert(value) if isinstance(value, str) else str(value)


def _columns(kind: type[Cell | Finding | FeedCoverage | Evidence], *left_out: str) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind) if field.name not in left_out)


def _values(items: Iterable[object], columns: Sequence[str]) -> Iterator[list[object]]:
    return ([getattr(item, column) for column in columns] for item in items)


def _cells(document: Document) -> Table:
    columns = _columns(Cell)
    return columns, _values(document.matrix, columns)


def _findings(document: Document) -> Table:
    columns = _columns(Finding, "evidence")
    return columns, _values(document.findings, columns)


def _evidence(document: Document) -> Table:
    columns = _columns(Evidence)
    rows = (
        [finding.tenant_id, finding.finding_id, *(getattr(event, column) for column in columns)]
        for finding in document.findings
        for event in finding.evidence
    )
    return ("tenant_id", "finding_id", *columns), rows


def _coverage(document: Document) -> Table:
    columns = _columns(FeedCoverage)
    return columns, _values(document.coverage, columns)


def _not_assessable(document: Document) -> Table:
    """Everything unknown in one table: ``kind`` says what, ``subject`` which, ``amount`` how often, ``reason`` why."""
    columns = ("kind", "tenant_id", "tenant_name", "subject", "amount", "reason")
    return columns, _unknown_rows(document)


def _unknown_rows(document: Document) -> Iterator[list[object]]:
    unknown = document.not_assessable
    for tenant in document.answer.not_judged:
        yield ["tenant_not_judged", tenant.tenant_id, tenant.tenant_name, None, 1, tenant.reason]
    for use in unknown.judgements:
        subject = (use.app_name or use.app_id, use.workload, use.operation)
        yield ["use", use.tenant_id, use.tenant_name, tuple(part or "unknown" for part in subject), use.events,
               use.reasons]  # fmt: skip
    for line in document.coverage:
        if line.state in ("none", "partial"):
            yield ["source", line.tenant_id, line.tenant_name, line.feed, line.gaps, line.gap_reasons]
    for rule in unknown.rules:
        yield [f"rule_{rule.outcome}", rule.tenant_id, rule.tenant_name, rule.rule, 1, rule.reason]
    for call in unknown.unmapped:
        yield ["unmapped_call", call.tenant_id, call.tenant_name, f"{call.method or ''} {call.shape or ''}".strip(),
               call.calls, "workload_unknown"]  # fmt: skip
    for file in unknown.files:
        yield [f"file_{file.outcome}", file.tenant_id, file.tenant_name, file.path, 1, file.message]
    for group in unknown.quarantine:
        yield ["quarantine", group.tenant_id, group.tenant_name, group.path, group.records, group.reason]


SECTIONS: dict[str, Callable[[Document], Table]] = {
    "cells": _cells,
    "findings": _findings,
    "evidence": _evidence,
    "coverage": _coverage,
    "not_assessable": _not_assessable,
}
"""The tables that the CSV form can hold, by the name that ``--section`` takes."""

"""Owns the values of use, from rows: cells of the matrix, and what is outside or not assessable. Counts nothing."""

from __future__ import annotations

from dataclasses import dataclass

from m365audit.report.rows import Reader, Row, TenantNames, count, moment, text, texts, total, words
from m365audit.report.use import Cell, CellTotals, Judgement

_CELLS = 5_000
_JUDGEMENTS = 500
"""Of each verdict, the largest first."""


@dataclass(frozen=True, slots=True)
class Judgements:
    """Those of one verdict that are listed, and how many there are."""

    listed: tuple[Judgement, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Use:
    """What was used: by tenant, app and workload, and what of it is outside or could not be assessed."""

    cells: tuple[Cell, ...]
    totals: tuple[CellTotals, ...]
    outside: Judgements
    not_assessable: Judgements


def build_use(reader: Reader, names: TenantNames) -> Use:
    """Return what was used; lists are bounded, totals are not."""
    rows: dict[str, list[Row]] = {"outside": [], "not_assessable": []}
    for row in reader.rows("report-judgements", limit=_JUDGEMENTS):
        rows[words(row, "verdict")].append(row)
    return Use(
        cells=tuple(one_cell(row, names) for row in reader.rows("report-cells", limit=_CELLS)),
        totals=tuple(_cell_totals(row, names) for row in reader.rows("report-cell-totals")),
        outside=_judgements(rows["outside"], names),
        not_assessable=_judgements(rows["not_assessable"], names),
    )


def _judgements(rows: list[Row], names: TenantNames) -> Judgements:
    return Judgements(tuple(one_judgement(row, names) for row in rows), total(rows))


def _cell_totals(row: Row, names: TenantNames) -> CellTotals:
    counted = ("cells", "used_cells", "outside_cells", "apps", "apps_outside", "events", "outside_events")
    return CellTotals(*names.of(row), *(count(row, name) for name in counted))


def one_cell(row: Row, names: TenantNames) -> Cell:
    """Return one cell of the matrix."""
    tenant, name = names.of(row)
    return Cell(
        tenant_id=tenant,
        tenant_name=name,
        app_id=text(row, "app_id"),
        app_name=text(row, "app_name"),
        integration_name=text(row, "integration_name"),
        record=text(row, "record"),
        workload=text(row, "workload"),
        recorded=text(row, "recorded") or "unknown",
        granted=text(row, "granted") or "unknown",
        used=count(row, "used"),
        within=count(row, "within"),
        outside=count(row, "outside"),
        not_assessable=count(row, "not_assessable"),
        first_used_at=moment(row, "first_used_at"),
        last_used_at=moment(row, "last_used_at"),
        coverage=text(row, "coverage") or "gap",
    )


def one_judgement(row: Row, names: TenantNames) -> Judgement:
    """Return events of one app with the same verdict for the same reasons."""
    tenant, name = names.of(row)
    return Judgement(
        tenant_id=tenant,
        tenant_name=name,
        app_id=text(row, "app_id"),
        app_name=text(row, "app_name"),
        integration_name=text(row, "integration_name"),
        workload=text(row, "workload"),
        operation=text(row, "operation"),
        verdict=words(row, "verdict"),
        reasons=texts(row, "reasons"),
        record=text(row, "record"),
        process=text(row, "process"),
        events=count(row, "events"),
        first_at=moment(row, "first_at"),
        last_at=moment(row, "last_at"),
    )

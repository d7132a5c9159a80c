"""Owns the shape of page 1's matrix: cells by tenant, app and workload, and which rows page 1 has room for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from m365audit.model import WORKLOADS
from m365audit.report.use import Cell, CellTotals

PAGE_ONE_ROWS = 12
"""Rows of the matrix on page 1 over all tenants; the section with every cell has the others."""
_FEWEST = 3
"""Rows that a tenant of the matrix has at least; tenants for whom there is no such room are counted."""


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One app of one tenant; ``cells`` follow the matrix's columns, None where nothing is known."""

    app_id: str | None
    app_name: str | None
    integration_name: str | None
    cells: tuple[Cell | None, ...]

    @property
    def outside(self) -> int:
        """Uses outside the record, over all workloads."""
        return sum(cell.outside for cell in self.cells if cell is not None)

    @property
    def gravity(self) -> tuple[int, int, int, int, str]:
        """Sort key: outside first, then what could not be judged, then what is not recorded, then use."""
        cells = [cell for cell in self.cells if cell is not None]
        unrecorded = sum(1 for cell in cells if cell.recorded != "active")
        unjudged = sum(cell.not_assessable for cell in cells)
        return (-self.outside, -unjudged, -unrecorded, -sum(cell.used for cell in cells), self.app_id or "")


@dataclass(frozen=True, slots=True)
class MatrixTenant:
    """One tenant's rows: those shown, gravest first, and how many are left to the full list."""

    tenant_id: str
    name: str
    rows: tuple[MatrixRow, ...]
    hidden: int
    hidden_outside: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """The matrix of page 1; ``columns`` are the workloads that any cell has, None for the unknown one.

    ``hidden`` tenants have no row for want of room; ``hidden_outside`` of them have use outside the record.
    """

    columns: tuple[str | None, ...]
    tenants: tuple[MatrixTenant, ...]
    hidden: int
    hidden_outside: int


def build_matrix(cells: Iterable[Cell], totals: Sequence[CellTotals], room: int = PAGE_ONE_ROWS) -> Matrix:
    """Return the matrix: the gravest tenants by name, their gravest rows; ``totals`` tell how much is left out."""
    grouped: dict[str, dict[str | None, list[Cell]]] = {}
    for cell in cells:
        grouped.setdefault(cell.tenant_id, {}).setdefault(cell.app_id, []).append(cell)
    listed = [item for item in totals if item.tenant_id in grouped]
    shown = sorted(listed, key=lambda item: (-item.outside_events, -item.events, item.tenant_id))[: room // _FEWEST]
    columns = _columns(c for item in shown for found in grouped[item.tenant_id].values() for c in found)
    share = max(room // max(len(shown), 1), _FEWEST)
    tenants = (
        _tenant(item, [_row(found, columns) for found in grouped[item.tenant_id].values()], share)
        for item in sorted(shown, key=lambda item: (item.tenant_name, item.tenant_id))
    )
    left = [item for item in totals if item not in shown]
    return Matrix(columns, tuple(tenants), len(left), sum(1 for item in left if item.apps_outside))


def _columns(cells: Iterable[Cell]) -> tuple[str | None, ...]:
    used = {cell.workload for cell in cells}
    extra = sorted(name for name in used - set(WORKLOADS) if name is not None)
    known = [name for name in (*WORKLOADS, *extra) if name in used]
    return (*known, None) if None in used else tuple(known)


def _row(cells: list[Cell], columns: tuple[str | None, ...]) -> MatrixRow:
    by_workload = {cell.workload: cell for cell in cells}
    first = cells[0]
    return MatrixRow(
        first.app_id, first.app_name, first.integration_name, tuple(by_workload.get(name) for name in columns)
    )


def _tenant(totals: CellTotals, rows: list[MatrixRow], share: int) -> MatrixTenant:
    rows.sort(key=lambda row: row.gravity)
    shown = rows[:share]
    hidden_outside = totals.apps_outside - sum(1 for row in shown if row.outside)
    return MatrixTenant(totals.tenant_id, totals.tenant_name, tuple(shown), totals.apps - len(shown), hidden_outside)

"""Owns what the HTML page has room for: how much of each list, which of it, and the command that shows the rest.

Nothing is ever cut in silence: every cut says how many more there are. A page stays below three megabytes, whatever
was found; CSV has every row, JSON more than the page.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from m365audit.report.document import Document, FeedCoverage
from m365audit.report.matrix import Matrix
from m365audit.report.sheets import AppSheet, RecordedProcess, TenantSection
from m365audit.report.use import Cell

FINDINGS: Final = 200
FINDING_ROWS: Final = 800
"""Findings beyond those that are shown whole, as rows without their evidence."""
CHANGES: Final = 50
DECIDED: Final = 50
"""Of each kind of change, and of each decision."""
INTEGRATIONS: Final = 25
DAYS: Final = 31
"""Days of an integration's table, the newest; the drawing has all of them."""
CONTROLS: Final = 400
"""Rows of controls, the gravest, over all tenants and integrations."""
EVIDENCE: Final = 700
"""Pieces of evidence in the whole page, so that 200 findings stay below one megabyte."""
CELLS: Final = 500
JUDGEMENTS: Final = 150
LIST: Final = 100
TENANTS: Final = 25
"""Tenants with a section of their own, and with a table of coverage."""
ROWS_OF_TENANTS: Final = 500
"""Apps, and recorded processes, of all these tenants together; no tenant gets less than ten."""
PAGE_ONE_TENANTS: Final = 15
NOT_JUDGED: Final = 3

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Shown(Generic[_T]):
    """A part of a list: what is shown, how many there are, and the command that shows the others."""

    items: tuple[_T, ...]
    total: int
    command: str

    @property
    def hidden(self) -> int:
        """How many are not shown."""
        return self.total - len(self.items)


def query(sql: str) -> str:
    """Return the command that asks the published database; quoted for a shell, because a reader copies it."""
    return shlex.join(["m365audit", "query", "--sql", sql])


def _judgements(verdict: str) -> str:
    counted = "SELECT tenant_id, app_id, workload, operation, reasons, sum(accesses) AS events"
    return query(f"{counted} FROM judged_forms WHERE verdict = '{verdict}' GROUP BY ALL ORDER BY events DESC")


COMMANDS: Final = {
    "findings": "m365audit report --format csv --section findings",
    "cells": query("SELECT * FROM cells ORDER BY outside DESC, not_assessable DESC"),
    "outside": _judgements("outside"),
    "not_assessable": _judgements("not_assessable"),
    "rules": query("SELECT * FROM rule_outcomes WHERE outcome IN ('not_evaluated', 'error')"),
    "unmapped": query("SELECT * FROM unmapped_calls ORDER BY calls DESC"),
    "files": query(
        "SELECT tenant_id, path, kind, outcome, message FROM sources WHERE outcome IN ('refused', 'partial')"
    ),
    "quarantine": query(
        "SELECT tenant_id, path, reason, count(*) AS records FROM quarantine GROUP BY ALL ORDER BY records DESC"
    ),
    "days": query("SELECT * FROM daily_use ORDER BY tenant_id, app_id, day"),
    "integrations": query("SELECT * FROM cells ORDER BY outside DESC, not_assessable DESC"),
    "controls": query("SELECT * FROM controls ORDER BY control, tenant_id"),
    "attach": query("SELECT DISTINCT control, title, attach FROM controls WHERE outcome = 'not_assessable'"),
    "decided": query("SELECT * FROM finding_reviews ORDER BY tenant_id, finding_id"),
    "journal": query('SELECT seq, "at", kind, subject, event, roles FROM review_events ORDER BY seq'),
    "coverage": "m365audit report --format csv --section coverage",
    "tenants": query("SELECT * FROM tenants ORDER BY name"),
    "not_judged": query("SELECT tenant_id, name, not_evaluated_reason FROM tenants WHERE NOT is_evaluated"),
    "apps": query("SELECT * FROM apps ORDER BY tenant_id, app_id"),
    "processes": query("SELECT * FROM consent_processes ORDER BY tenant_id, record, process"),
    "directory": query(
        "SELECT tenant_id, activity, count(*) AS events FROM directory_changes GROUP BY ALL ORDER BY events DESC"
    ),
    "sources": query(
        "SELECT tenant_id, outcome, count(*) AS files, sum(records) AS records, sum(stored) AS stored FROM sources "
        "GROUP BY ALL"
    ),
}  # fmt: skip
"""What shows the rest of each list."""


def first(name: str, items: Sequence[_T], room: int, total: int | None = None) -> Shown[_T]:
    """Return the first so many of a list that stands in the order of what matters."""
    return Shown(tuple(items[:room]), len(items) if total is None else total, COMMANDS[name])


def worst(name: str, items: Sequence[_T], room: int, badness: Callable[[_T], Any]) -> Shown[_T]:
    """Return the worst so many of a list, in the list's own order."""
    if len(items) <= room:
        return first(name, items, room)
    chosen = sorted(range(len(items)), key=lambda at: badness(items[at]), reverse=True)[:room]
    return Shown(tuple(items[at] for at in sorted(chosen)), len(items), COMMANDS[name])


def shown_cells(document: Document, matrix: Matrix) -> Shown[Cell]:
    """Return the cells of the page: those that page 1's matrix leads to, and the gravest of the others."""
    led_to = {id(cell) for tenant in matrix.tenants for row in tenant.rows for cell in row.cells if cell is not None}
    cells = worst("cells", document.matrix, CELLS, lambda cell: (id(cell) in led_to, cell.outside, cell.not_assessable))
    return Shown(cells.items, document.matrix_total, cells.command)


def badness(tenant: TenantSection) -> tuple[bool, int, int, int]:
    """Return how much a tenant needs to be looked at: not judged, then use outside, then what could not be judged."""
    return (not tenant.is_evaluated, tenant.outside, tenant.not_assessable, tenant.unmapped_events)


@dataclass(frozen=True, slots=True)
class TenantView:
    """One tenant's section as the page shows it."""

    section: TenantSection
    coverage: tuple[FeedCoverage, ...]
    apps: Shown[AppSheet]
    processes: Shown[RecordedProcess]


def shown_tenants(document: Document) -> Shown[TenantView]:
    """Return the tenants that have a section, with as many of their apps and processes as there is room for."""
    chosen = worst("tenants", document.tenants, TENANTS, badness)
    share = max(ROWS_OF_TENANTS // max(len(chosen.items), 1), 10)
    lines: dict[str, list[FeedCoverage]] = {tenant.tenant_id: [] for tenant in chosen.items}
    for line in document.coverage:
        if line.tenant_id in lines:
            lines[line.tenant_id].append(line)
    views = tuple(
        TenantView(
            tenant,
            tuple(lines[tenant.tenant_id]),
            first("apps", tenant.apps, share, tenant.apps_total),
            first("processes", tenant.processes, share),
        )
        for tenant in chosen.items
    )
    return Shown(views, chosen.total, chosen.command)

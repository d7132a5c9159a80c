"""Draws how collection goes on as a table of tenants by collections that changes on a terminal; leaves nothing behind.

No line is ever wider than the terminal: one that wraps cannot be wiped out again.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from m365audit.cli.harmless import harmless

if TYPE_CHECKING:
    from m365audit.cli.gathering import Course, Row
    from m365audit.pipeline import Step

_REDRAWS: Final = 4
"""A second."""
_STYLES: Final = {"read": "green", "gap": "yellow", "waiting": "cyan", "reading": ""}
_ORDER: Final = {"gap": 1, "read": 2}
"""Of what is over: gaps first. What is going on comes before both."""
_WIDE: Final = 90
"""Columns of a terminal from which there is room for rates."""


class GatheringTable:
    """The course on a terminal."""

    def __init__(self, course: Course, console: Console | None = None) -> None:
        self._course = course
        self._console = console or Console(stderr=True, highlight=False, markup=False, emoji=False)
        self._live: Live | None = None

    def tell(self, _: Step) -> None:
        """Begin to draw; from then on the picture is made anew a few times a second."""
        if self._live is None:
            self._live = Live(
                get_renderable=self.picture, console=self._console, refresh_per_second=_REDRAWS, transient=True,
                redirect_stdout=False,
            )  # fmt: skip
            self._live.start()

    def close(self) -> None:
        """Wipe the table out."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def picture(self) -> RenderableType:
        """Return the table: who is not let in, what is going on, gaps, what is read; as many rows as there is room."""
        width, height = self._console.size
        refused = sorted(self._course.refused.items())[: max((height - 4) // 3, 1)]
        room = max(height - 4 - len(refused), 1)
        every = [(key, row) for key, row in list(self._course.rows.items()) if key[0] not in self._course.refused]
        rows = heapq.nsmallest(room, every, key=_order)
        lines = [_line(f"{tenant} is not let in: {why}", "red") for tenant, why in refused]
        return Group(*lines, _Columns(width, rows).table(), _line(self._total(len(every) - len(rows)), "bold"))

    def _total(self, hidden: int) -> str:
        sums = self._course.totals()
        seconds = time.monotonic() - self._course.began
        words = [f"{sums['tenants']} tenant{'s' if sums['tenants'] != 1 else ''}"]
        words += [f"{sums['done']:,}/{sums['total']:,} windows", f"{sums['records']:,} records"]
        words += [f"{sums['records'] / max(seconds, 1):,.0f}/s", f"{int(seconds) // 60}:{int(seconds) % 60:02} min"]
        words += [f"{sums['gaps']:,} not seen"] if sums["gaps"] else []
        words += [f"{sums['refused']:,} not let in"] if sums["refused"] else []
        words += [f"{sums['waited']:,} s waited for limits"] if sums["waited"] else []
        words += [f"{hidden:,} more rows"] if hidden > 0 else []
        return " · ".join(words)


def _line(text: str, style: str) -> Text:
    return Text(harmless(text), style=style, no_wrap=True, overflow="ellipsis")


def _order(item: tuple[tuple[str, str], Row]) -> tuple[int, tuple[str, str]]:
    key, row = item
    return (_ORDER["gap" if row.gaps else "read"] if row.is_over else 0), key


class _Columns:
    """The table's columns, each as wide as this terminal has room for."""

    def __init__(self, width: int, rows: list[tuple[tuple[str, str], Row]]) -> None:
        self._rows = rows
        self._has_rates = width >= _WIDE
        self._between = 2 if width >= _WIDE else 1
        tenants = [Text(harmless(tenant)).cell_len for (tenant, _), _ in rows]
        collections = [len(collection) for (_, collection), _ in rows]
        self._widths = [min(max([6, *tenants]), width // 5), min(max([10, *collections]), width // 3)]
        self._widths += [len("windows"), 9, 8] if self._has_rates else [len("windows"), len("records")]
        self._widths.append(max(width - sum(self._widths) - self._between * len(self._widths), 1))

    def table(self) -> Table:
        """Return the table."""
        table = Table(box=None, pad_edge=False, padding=(0, self._between, 0, 0), show_edge=False)
        headings = ["tenant", "collection", "windows", "records", *(["rows/s"] if self._has_rates else []), "state"]
        for name, width in zip(headings, self._widths, strict=True):
            is_number = name in {"windows", "records", "rows/s"}
            table.add_column(
                name, width=width, no_wrap=True, overflow="ellipsis", justify="right" if is_number else "left"
            )
        for (tenant, collection), row in self._rows:
            table.add_row(*self._cells(tenant, collection, row))
        return table

    def _cells(self, tenant: str, collection: str, row: Row) -> list[Text]:
        step = row.step
        cells = [tenant, collection, f"{step.done}/{step.total}", f"{step.records:,}"]
        cells += ["" if row.rate is None else f"{row.rate:,.0f}"] if self._has_rates else []
        return [*(Text(harmless(cell)) for cell in cells), _state(row)]


def _state(row: Row) -> Text:
    """Return what a row does just now; why something was not seen is said at the end of the run, with the next step."""
    step = row.step
    if step.state == "waiting":
        words = f"waits {step.seconds:.0f} s: {step.detail}"
    elif row.gaps:
        words = "not seen" if row.gaps >= step.total else f"{row.gaps}/{step.total} unseen"
    else:
        words = step.state
    return Text(harmless(words), style=_STYLES["gap" if row.gaps and step.state != "waiting" else step.state])

"""Shows what is collected: a table of tenants by collections on a terminal, JSON log lines otherwise."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from m365audit import log
from m365audit.cli.harmless import harmless
from m365audit.cli.streams import let_go
from m365audit.pipeline import Step

_REDRAWS: Final = 4
"""A second, on a terminal."""
_LONG_WAIT: Final = 5.0
"""Seconds from which a wait is worth a line in a log."""
_STYLES: Final = {"read": "green", "gap": "yellow", "waiting": "cyan", "refused": "red"}


@dataclass(slots=True)
class _Row:
    """What is known of one collection of one tenant."""

    step: Step
    began: float


class Gathering:
    """What the pipeline tells while it collects. ``close`` leaves the terminal's lines clean."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._rows: dict[tuple[str, str], _Row] = {}
        self._tenants: dict[str, Step] = {}
        self._waited: Counter[str] = Counter()
        self._live: Live | None = None
        self._is_terminal = is_terminal

    def tell(self, step: Step) -> None:
        """Collection has come a step further."""
        if step.collection:
            began = self._rows[step.tenant, step.collection].began if self._knows(step) else time.monotonic()
            self._rows[step.tenant, step.collection] = _Row(step, began)
        else:
            self._tenants[step.tenant] = step
        if step.state == "waiting":
            self._waited[step.tenant] += int(step.seconds)
        if self._is_terminal:
            self._draw()
        else:
            self._log(step)

    def _knows(self, step: Step) -> bool:
        return (step.tenant, step.collection) in self._rows

    def close(self) -> None:
        """Stop drawing."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> None:
        if self._live is None:
            console = Console(stderr=True, highlight=False, markup=False, emoji=False)
            self._live = Live(
                get_renderable=self._picture, console=console, refresh_per_second=_REDRAWS, transient=True
            )
            self._live.start()

    def _picture(self) -> RenderableType:
        """Return the table: what is going on first, as many rows as the terminal has."""
        live = self._live
        room = max(4, live.console.size.height - 4) if live else 20
        rows = sorted(self._rows.items(), key=lambda item: (item[1].step.state == "read", item[0]))
        table = Table(box=None, pad_edge=False, show_edge=False)
        for name, justify in (("tenant", "left"), ("collection", "left"), ("windows", "right"), ("records", "right")):
            table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]
        table.add_column("rows/s", justify="right", no_wrap=True)
        table.add_column("", no_wrap=True, overflow="ellipsis")
        for (tenant, collection), row in rows[:room]:
            table.add_row(*self._cells(tenant, collection, row))
        return Group(table, Text(self._total(len(rows) - room)))

    def _cells(self, tenant: str, collection: str, row: _Row) -> list[Text]:
        step, seconds = row.step, max(time.monotonic() - row.began, 0.001)
        what = f"waits {step.seconds:.0f} s: {step.detail}" if step.state == "waiting" else step.detail or step.state
        style = _STYLES.get(step.state, "")
        cells = [tenant, collection, f"{step.done}/{step.total}", f"{step.records:,}", f"{step.records / seconds:,.0f}"]
        return [*(Text(harmless(cell)) for cell in cells), Text(harmless(what), style=style)]

    def _total(self, hidden: int) -> str:
        read = sum(row.step.records for row in self._rows.values())
        done = sum(row.step.done for row in self._rows.values())
        total = sum(row.step.total for row in self._rows.values())
        refused = sum(step.state == "refused" for step in self._tenants.values())
        words = [f"{len(self._tenants)} tenants, {done}/{total} windows, {read:,} records"]
        words += [f"{refused} not let in"] if refused else []
        words += [f"waited {sum(self._waited.values())} s for limits"] if self._waited else []
        words += [f"{hidden} more rows"] if hidden > 0 else []
        return " · ".join(words)

    def _log(self, step: Step) -> None:
        """Write a line for what an operator wants to read later: ends, gaps, refusals, long waits."""
        is_wait = step.state == "waiting"
        is_over = step.state in {"read", "gap"} and step.done == step.total
        level = "info" if step.state in {"signed_in", "refused", "gap"} or is_over else "debug"
        if is_wait and step.seconds >= _LONG_WAIT:
            level = "info"
        facts: dict[str, object] = {"tenant": step.tenant, "collection": step.collection, "state": step.state}
        facts |= {"done": step.done, "total": step.total, "records": step.records} if step.collection else {}
        facts |= {"seconds": round(step.seconds, 1)} if is_wait else {}
        facts |= {"detail": step.detail} if step.detail else {}
        try:
            getattr(log.get_logger(), level)("collect", **facts)
        except BrokenPipeError:
            let_go(2)

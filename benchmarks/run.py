"""Owns the benchmark: every stage of the way as a ratio to a bare parse of the same file. Must never run in tests.

``python -m benchmarks.run --lines 500000`` prints the table and adds its rows to ``benchmarks/history.csv``. Ratios,
because seconds belong to a machine: the yardstick is measured on the same machine in the same minute.
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.bare import bare_parse
from benchmarks.load import Load, write_load
from benchmarks.measure import Measurement, measure
from benchmarks.stages import evaluate, import_files

HISTORY = Path(__file__).with_name("history.csv")
COLUMNS = (
    "measured_at", "product", "python", "duckdb", "cpus", "lines", "megabytes", "tenants", "stage", "wall_s", "cpu_s",
    "peak_rss_mib", "lines_per_s", "ratio_to_bare",
)  # fmt: skip
Stage = tuple[str, Callable[[], object]]


def yardstick(load: Load, folder: Path) -> Stage:
    """Return the bare parse."""
    return "bare", partial(bare_parse, load.files, folder / "bare.duckdb")


def product_stages(load: Load) -> tuple[Stage, ...]:
    """Return the product's stages in the order of the way; each finds what the one before it left in the state folder.

    A stage is a name and a callable that another process can import.
    """
    return ("import", partial(import_files, load.config)), ("evaluate", partial(evaluate, load.config))


def the_whole_way(found: list[Measurement]) -> Measurement:
    """Return import and evaluation together: from a file to what is published."""
    ends = [m for m in found if m.stage in {"import", "evaluate"}]
    return Measurement(
        "whole way", sum(m.wall_s for m in ends), sum(m.cpu_s for m in ends), max(m.peak_rss_mib for m in ends)
    )


def measured(stages: Iterable[Stage], repeat: int) -> list[Measurement]:
    """Return the median of each stage's runs; the stages run as a sequence, the sequence is repeated."""
    ordered = list(stages)
    runs = [[m for name, work in ordered for m in measure(name, work)] for _ in range(repeat)]
    return [
        Measurement(
            measurement.stage,
            median(run[n].wall_s for run in runs),
            median(run[n].cpu_s for run in runs),
            max(run[n].peak_rss_mib for run in runs),
        )
        for n, measurement in enumerate(runs[0])
    ]


def rows(load: Load, found: list[Measurement]) -> list[dict[str, str]]:
    """Return one row of the history for each measurement; the first one is the yardstick."""
    bare = found[0].wall_s
    common = {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "product": importlib.metadata.version("m365audit"),
        "python": platform.python_version(),
        "duckdb": importlib.metadata.version("duckdb"),
        "cpus": str(os.cpu_count()),
        "lines": str(load.lines),
        "megabytes": f"{load.bytes / 1e6:.0f}",
        "tenants": str(len(load.files)),
    }
    return [
        common
        | {
            "stage": m.stage,
            "wall_s": f"{m.wall_s:.3f}",
            "cpu_s": f"{m.cpu_s:.3f}",
            "peak_rss_mib": f"{m.peak_rss_mib:.0f}",
            "lines_per_s": f"{load.lines / m.wall_s:.0f}",
            "ratio_to_bare": f"{m.wall_s / bare:.2f}",
        }
        for m in found
    ]


def table(found: list[dict[str, str]]) -> str:
    """Return the rows as a table for people."""
    shown = COLUMNS[COLUMNS.index("stage") :]
    widths = [max(len(c), *(len(r[c]) for r in found)) for c in shown]
    lines = [list(shown), *([r[c] for c in shown] for r in found)]
    return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)


def append_history(path: Path, found: list[dict[str, str]]) -> None:
    """Add the rows to the history; its first line names the columns."""
    is_new = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(found)


def main() -> None:
    """Measure, print, remember."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--tenants", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--no-history", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="m365audit-benchmark-") as name:
        folder = Path(name)
        load = write_load(folder, options.lines, tenants=options.tenants)
        measurements = measured((yardstick(load, folder), *product_stages(load)), options.repeat)
        found = rows(load, [*measurements, the_whole_way(measurements)])
    sys.stdout.write(table(found) + "\n")
    if not options.no_history:
        append_history(HISTORY, found)


if __name__ == "__main__":
    main()

"""Owns what many tenants cost: the first run over hundreds of tiny ones, with the real client, credentials and store.

``python -m benchmarks.many_tenants --tenants 200 1000`` serves so many tenants from a process of their own, collects
each of them once in a fresh process, without the waiting for Microsoft's limits, and prints time, peak memory, open
files, threads and connections. What is stored is compared with what is there.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import duckdb
import yaml

from benchmarks.measure import Measurement, measure
from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Wanted
from m365audit.simulator.service import running
from m365audit.simulator.synthetic import synthetic_world, write_synthetic

FEEDS: Final = ("organization", "users", "directory_audits", "sign_ins_interactive")
"""Two listings and two logs: the smallest that a tenant is audited by."""
RECORDS: Final = 4
_NO_THROTTLE: Final = 1e6
_HOURS: Final = 6
_SAMPLE_SECONDS: Final = 0.1

Parts = list[tuple[str, float, float, float]]


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tenants", type=int, nargs="+", default=[200, 1_000])
    parser.add_argument("--judge", action="store_true", help="evaluate and publish, too")
    chosen = parser.parse_args()
    print(f"{'tenants':>8} {'seconds':>8} {'CPU s':>7} {'peak MiB':>9} {'files':>6} {'threads':>8} {'records':>8}")
    for tenants in chosen.tenants:
        with tempfile.TemporaryDirectory(prefix="m365audit-tenants-") as temporary:
            folder = Path(temporary)
            with serving(folder, tenants) as begin:
                *parts, whole = measure("run", partial(collect, folder, begin, is_judged=chosen.judge))
            print(_line(tenants, whole, {part.stage: part.wall_s for part in parts}, stored(folder)))


def _line(tenants: int, whole: Measurement, most: dict[str, float], records: int) -> str:
    return (
        f"{tenants:>8,} {whole.wall_s:>8.1f} {whole.cpu_s:>7.1f} {whole.peak_rss_mib:>9.0f} {most['files']:>6.0f} "
        f"{most['threads']:>8.0f} {records:>8,}"
    )


@contextmanager
def serving(folder: Path, tenants: int) -> Iterator[datetime]:
    """Serve tiny tenants from another process; give the first moment of their logs."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(folder, tenants, theirs), name="simulator")
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send(None)
        process.join()


def _serve(folder: Path, tenants: int, wanted: Connection) -> None:
    world = synthetic_world(1, tenants=tenants, days=_HOURS / 24, records=RECORDS)
    with running(world.served, separate_ports=True) as simulator:
        config = write_synthetic(folder, world, cloud=simulator.cloud())
        document = yaml.safe_load(config.read_text(encoding="utf-8"))
        for tenant in document["tenants"]:
            tenant["feeds"] = list(FEEDS)
        config.write_text(yaml.safe_dump(document), encoding="utf-8")
        wanted.send(world.begin)
        wanted.recv()


def collect(folder: Path, begin: datetime, *, is_judged: bool) -> Parts:
    """Collect every tenant once; return the most open files and threads that there were.

    Raises:
        RuntimeError: a tenant was not let in, or something was not seen.
    """
    settings = load_settings(folder / "m365audit.yaml").settings
    wanted = Wanted(tuple(settings.tenants), (), begin, within=timedelta(hours=2), pace=_NO_THROTTLE)
    with _watching() as most:
        outcome = pipeline.run(
            settings, load_policy(settings.policy), [], _Silent(), command="benchmark", wanted=wanted,
            evaluate=is_judged,
        )  # fmt: skip
    unseen = [each.name for each in outcome.collected if each.is_partial]
    if unseen:
        raise RuntimeError(f"of {len(outcome.collected)} tenants {len(unseen)} were not seen whole: {unseen[:3]}")
    return [(name, value, 0, 0) for name, value in most.items()]


class _Silent:
    """Hears everything and says nothing (``pipeline.Reporter``)."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


@contextmanager
def _watching() -> Iterator[dict[str, float]]:
    """Give the most open files and threads that there were at a time, as far as looking ten times a second shows."""
    most = {"files": 0.0, "threads": 0.0}
    over = threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            most["files"] = max(most["files"], sum(1 for _ in Path("/proc/self/fd").iterdir()))
            most["threads"] = max(most["threads"], threading.active_count())

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield most
    finally:
        over.set()
        watcher.join()


def stored(folder: Path) -> int:
    """Return how many records the store holds."""
    settings = load_settings(folder / "m365audit.yaml").settings
    with duckdb.connect(str(settings.state / "m365audit.duckdb"), read_only=True) as connection:
        found = connection.execute("SELECT count(*) FROM landed_records").fetchone()
    return found[0] if found else 0


if __name__ == "__main__":
    main()

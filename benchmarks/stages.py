"""Owns the product's side of the benchmark: the pipeline run on a load, and the time of each of its stages."""

from __future__ import annotations

import resource
import shutil
import time
from pathlib import Path

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import, Step
from m365audit.store.arrivals import Landed
from m365audit.store.queries import read_queries

Parts = list[tuple[str, float, float, float]]
"""Part of a stage: name, wall seconds, CPU seconds, most memory so far in KiB."""

_PUBLISH = {"report", "end"}


class _Stopwatch:
    """Notes when each table of an evaluation begins (``pipeline.Reporter``)."""

    def __init__(self) -> None:
        self.marks: list[tuple[str, float, float]] = []

    def file(self, landed: Landed, number: int, total: int) -> None:
        """Nothing: files are timed as a whole."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        """Nothing."""

    def stage(self, name: str) -> None:
        """Note the moment."""
        self.marks.append((name, time.perf_counter(), _cpu()))

    def gathering(self, step: Step) -> None:
        """Hear of what is collected."""


def import_files(config: Path) -> None:
    """Land every standing import into an empty store."""
    settings = load_settings(config).settings
    for folder in (settings.state, settings.publish):
        shutil.rmtree(folder, ignore_errors=True)
    imports = [Import(i.path, tenant.id, i.kind) for tenant in settings.tenants for i in tenant.imports]
    policy = load_policy(settings.policy)
    pipeline.run(settings, policy, imports, _Stopwatch(), command="benchmark", evaluate=False)


def evaluate(config: Path) -> Parts:
    """Normalise, judge, run rules and publish what ``import_files`` landed; return the time of each part."""
    settings = load_settings(config).settings
    watch = _Stopwatch()
    watch.stage("begin")
    pipeline.run(settings, load_policy(settings.policy), [], watch, command="benchmark")
    watch.stage("end")
    verdicts = {query.name for query in read_queries("verdicts")}
    parts: dict[str, list[float]] = {name: [0.0, 0.0] for name in ("normalise", "judge", "rules", "publish")}
    for (name, begin, cpu), (_, end, cpu_end) in zip(watch.marks, watch.marks[1:], strict=False):
        part = (
            "judge" if name in verdicts else name if name == "rules" else "publish" if name in _PUBLISH else "normalise"
        )
        parts[part][0] += end - begin
        parts[part][1] += cpu_end - cpu
    peak = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return [(name, wall, cpu, peak) for name, (wall, cpu) in parts.items()]


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime

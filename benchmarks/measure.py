"""Owns how one stage is measured: alone in a fresh process, with wall time, CPU time and peak memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

_KIB_PER_MIB = 1_024


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one stage took.

    Attributes:
        stage: its name.
        wall_s: elapsed seconds, without the start of the process.
        cpu_s: user and system seconds of the process and its children.
        peak_rss_mib: most memory that it held at a time, the interpreter included.
    """

    stage: str
    wall_s: float
    cpu_s: float
    peak_rss_mib: float


class StageError(RuntimeError):
    """The process of a stage ended without an answer."""


def measure(stage: str, work: Callable[[], object]) -> list[Measurement]:
    """Run ``work`` once in a process of its own and return what it took, and before it what each of its parts took.

    Work that knows its parts returns them: (name, wall seconds, CPU seconds, most memory so far in KiB).

    The process is spawned, not forked, so that nothing of the caller's memory counts; ``work`` must therefore be
    importable: a function of a module, or a ``functools.partial`` of one.

    Raises:
        StageError: the stage failed; its traceback is on stderr.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(work, sender), name=stage)
    process.start()
    sender.close()
    try:
        wall, cpu, peak, parts = receiver.recv()
    except EOFError:
        process.join()
        raise StageError(f"stage {stage!r} ended with exit code {process.exitcode}") from None
    process.join()
    of_parts = [Measurement(name, took, used, most / _KIB_PER_MIB) for name, took, used, most in parts]
    return [*of_parts, Measurement(stage, wall, cpu, peak)]


def _run(work: Callable[[], object], sender: Connection) -> None:
    before = _cpu_seconds()
    begin = time.perf_counter()
    parts = work()
    wall = time.perf_counter() - begin
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = _KIB_PER_MIB if sys.platform != "darwin" else _KIB_PER_MIB**2
    sender.send((wall, _cpu_seconds() - before, max(own, children) / unit, parts if isinstance(parts, list) else []))


def _cpu_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)

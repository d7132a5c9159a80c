"""Confines the process in which a stranger's SQL runs, before it sees the SQL. Knows nothing of DuckDB.

Four things hold independently of one another: what DuckDB itself is told to refuse (``sandbox``), Landlock where the
kernel has it, limits on files, memory and time that every POSIX system has, and a parent that kills.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m365audit.store import landlock

_PR_SET_PDEATHSIG: Final = 1
_HEADROOM: Final = 512 * 1024 * 1024
"""Bytes of addresses beyond the database's own memory: rows on their way out, stacks of threads."""
_GRACE: Final = 5
"""Processor seconds beyond what the parent allows of wall-clock time: the parent's kill comes first and says why."""
_MACHINE: Final = (
    "/proc/self/cgroup", "/sys/fs/cgroup", "/sys/devices/system/cpu/online", "/proc/stat", "/proc/meminfo",
)  # fmt: skip
"""Where DuckDB reads how much memory and how many processors there are; without them it does not start."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one query may take: ``memory`` in bytes, ``seconds`` of waiting for the database, ``threads``."""

    memory: int = 2 * 1000**3
    seconds: float = 60.0
    threads: int = 4


class Confinement:
    """What one process may still do; ``enter`` before a thread is started, ``close_behind`` before SQL is seen.

    Args:
        limits: memory and time.
        database: the one file that may be read.
        output: the one file that may be written; there already, None for none.
    """

    def __init__(self, limits: Limits, *, database: Path, output: Path | None) -> None:
        self._limits = limits
        self._database = database
        self._output = output
        self._statm = _open_statm()  # out of reach once Landlock holds

    def enter(self) -> list[str]:
        """Take away every file but the database, TCP, and what a process could gain.

        Returns:
            What is enforced, in words; what this system lacks is said as well.

        Raises:
            OSError: the system refused; nothing may be run.
        """
        said = [_die_with_parent()]
        reads = [self._database, *(path for path in map(Path, _MACHINE) if path.exists())]
        version = landlock.restrict(reads=reads, writes=[] if self._output is None else [self._output])
        said.append(_landlock_words(version, self._output))
        _limit(resource.RLIMIT_CORE, 0)
        if self._output is None:
            _limit(resource.RLIMIT_FSIZE, 0)
            said.append("no file can grow")
        return said

    def close_behind(self) -> list[str]:
        """Take away what only opening the database needed: more files, sockets, processes, addresses.

        A descriptor that is open stays usable; not one more can be had, and with it no file, no socket and no pipe.

        Returns:
            What is enforced, in words.
        """
        _limit(resource.RLIMIT_NOFILE, 0 if self._output is None else _next_descriptor() + 1)
        # The super-user is exempt, and macOS counts otherwise; Landlock's missing right to execute holds for both.
        with contextlib.suppress(OSError, ValueError):
            _limit(resource.RLIMIT_NPROC, 0)
        used = self._addresses()
        if used:
            _limit(resource.RLIMIT_AS, used + self._limits.memory + _HEADROOM)
        self.spend()
        more = "no further file, socket or process" if self._output is None else "one further file, no process"
        memory = f"{self._limits.memory // 1000**2} MB of memory"
        return [more, memory if used else f"{memory} by DuckDB's own count", f"{self._limits.seconds:g} s"]

    def spend(self) -> None:
        """Allow processor time for the next batch; a process that nobody listens to any more ends by itself."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime + self._limits.seconds * self._limits.threads) + _GRACE
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))

    def _addresses(self) -> int:
        """Return the bytes of addresses in use; 0 where the system does not say."""
        if self._statm is None:
            return 0
        return int(os.pread(self._statm, 200, 0).split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _die_with_parent() -> str:
    """End when the parent ends, also when it is killed; Ctrl-C is the parent's affair."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not sys.platform.startswith("linux"):
        return "a killed command leaves its query to the time limit on this system"
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    landlock.keep_privileges()
    return "ends with the command, gains no privilege"


def _landlock_words(version: int, output: Path | None) -> str:
    if version == 0:
        return "this system has no Landlock: files are kept by DuckDB's own lock and by the limits alone"
    network = "no TCP" if version >= landlock.TCP_SINCE else "TCP is not covered by this version"
    return f"Landlock {version} (reads one file, writes {'none' if output is None else 'one'}, {network})"


def _limit(which: int, value: int) -> None:
    hard = resource.getrlimit(which)[1]
    wanted = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (wanted, wanted))


def _next_descriptor() -> int:
    """Return the number that the next file would get."""
    descriptor = os.dup(0)
    os.close(descriptor)
    return descriptor


def _open_statm() -> int | None:
    try:
        return os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None

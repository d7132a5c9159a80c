"""Landlock, by system call: takes the file system and the network away from this process, for ever.

Knows nothing of databases. Where the kernel has none of it (before 5.13, switched off, no Linux) it says so and does
nothing: a caller must never take its silence for protection.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

# Numbers of <linux/landlock.h> and of the system calls, which are the same on every architecture but alpha.
_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1

_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_TRUNCATE: Final = 1 << 14
_ALL_FILES_RIGHTS: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""ABI from which on → every right to files that it can take away: execute, read, write, make, remove, ioctl …"""
_TCP: Final = 0b11
TCP_SINCE: Final = 4
"""Version from which on TCP can be taken away."""
_SCOPES: Final = 0b11
"""Abstract Unix sockets of others, and signals to others."""
_SCOPES_SINCE: Final = 6
_PR_SET_NO_NEW_PRIVS: Final = 38


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def abi() -> int:
    """Return the version of Landlock that this kernel has, 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_ASK_VERSION))))


def restrict(*, reads: Iterable[Path], writes: Iterable[Path]) -> int:
    """Leave this process the named files and nothing else; threads that run already are not touched.

    Args:
        reads: files that may still be opened for reading.
        writes: files, there already, that may still be opened for writing.

    Returns:
        The version that is enforced; 0: nothing is.

    Raises:
        OSError: the kernel has Landlock and refuses; the process is not confined.
    """
    version = abi()
    if version == 0:
        return 0
    rights = _ALL_FILES_RIGHTS[max(since for since in _ALL_FILES_RIGHTS if since <= version)]
    wanted = _Ruleset(rights, _TCP if version >= TCP_SINCE else 0, _SCOPES if version >= _SCOPES_SINCE else 0)
    size = 8 * (1 + (version >= TCP_SINCE) + (version >= _SCOPES_SINCE))
    ruleset = _call(_CREATE_RULESET, ctypes.byref(wanted), ctypes.c_size_t(size), ctypes.c_uint32(0))
    try:
        for path in reads:
            _allow(ruleset, path, _READ_FILE)
        for path in writes:
            _allow(ruleset, path, rights & (_WRITE_FILE | _TRUNCATE))
        keep_privileges()
        _call(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return version


def keep_privileges() -> None:
    """Never gain a privilege again, whatever is executed; Landlock asks for it.

    Raises:
        OSError: the kernel refuses.
    """
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        _fail()


def _allow(ruleset: int, path: Path, rights: int) -> None:
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _PathBeneath(rights, handle)
        arguments = (ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), ctypes.byref(rule), ctypes.c_uint32(0))
        _call(_ADD_RULE, *arguments)
    finally:
        os.close(handle)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    result = int(_libc().syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        _fail()
    return result


def _fail() -> None:
    code = ctypes.get_errno()
    raise OSError(code, os.strerror(code))

"""Reads files that hold a secret, and refuses those that somebody else could read or could have put there.

Never shows what is in a file: messages name the file and what to do about it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from m365audit.graph.failures import SignInError

LARGEST: Final = 1 << 20
"""Bytes; a key with a long chain of certificates has a few thousand."""

_OTHERS: Final = 0o077
_GROUP_READS: Final = 0o040
_ROOT: Final = 0


def read_private(path: Path) -> bytes:
    """Return the content of a file that only the auditor's own account can read.

    The file must belong to this account, or to root, who can read everything anyway. A group may read it, and no more
    than read, where it is root's and the group is one of this account's: so Docker and Kubernetes hand out secrets
    (0440, root and the container's group), the group is then the only way in, and root chose who is in it. An account
    that owns the file needs no group. Links are followed, since Kubernetes mounts a secret as a link into ``..data``:
    what counts is the file that was opened, not the path to it. Where the system has no such owners (Windows), only
    existence and size are checked.

    Raises:
        SignInError: missing, empty, too large, no plain file, somebody else's, or readable by others.
    """
    return _read(path, is_private=True)


def read_public(path: Path) -> bytes:
    """Return the content of a file whose protection is the platform's business, such as a mounted token.

    Raises:
        SignInError: missing, empty, too large, or no plain file.
    """
    return _read(path, is_private=False)


def refused(path: Path, what: str, todo: str) -> SignInError:
    """Return the error about a file: nothing was asked of Microsoft."""
    return SignInError(f"{path}: {what}", hint=todo, is_refused=False)


def _read(path: Path, *, is_private: bool) -> bytes:
    try:
        # Without O_NONBLOCK a pipe in the file's place would hold up the whole run.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise refused(path, "there is no such file", "check the path in the tenant's credential") from None
    except OSError as error:
        raise refused(path, f"cannot be read: {error.strerror}", "check the path and its permissions") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise refused(path, "is not a plain file", "name the file that holds the secret")
        if is_private:
            _check_owner(path, status)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(LARGEST + 1)
    finally:
        os.close(descriptor)
    if not content.strip():
        raise refused(path, "is empty", "write the secret into it, or name another file")
    if len(content) > LARGEST:
        raise refused(path, "is too large to be a secret or a certificate", "name the right file")
    return content


def _check_owner(path: Path, status: os.stat_result) -> None:
    if not hasattr(os, "geteuid"):
        return
    if status.st_uid not in {os.geteuid(), _ROOT}:
        todo = f"copy it: install -m 600 {path} COPY, as the account that runs the auditor, and name the copy"
        raise refused(path, "belongs to another account, which could change it", todo)
    is_ours = status.st_uid == os.geteuid()
    allowed = _GROUP_READS if not is_ours and status.st_gid in {os.getegid(), *os.getgroups()} else 0
    if status.st_mode & _OTHERS & ~allowed:
        what = f"can be read by others (its mode is {stat.S_IMODE(status.st_mode):03o})"
        mounted = " (a mounted secret: mode 0440 and a group of this account, in Kubernetes defaultMode and fsGroup)"
        raise refused(path, what, f"run: chmod 600 {path}{'' if is_ours else mounted}")

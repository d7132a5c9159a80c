"""A file that a user names for a result: it is there whole or as it was before, never half."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replaced(output: Path) -> Iterator[Path]:
    """Give a fresh file beside ``output`` to write to, and put it in its place when all went well.

    What is no ordinary file (a pipe, ``/dev/stdout``), or stands where nothing can be added, is written to directly.

    Raises:
        OSError: it cannot be written; names ``output``.
    """
    target = output.resolve()
    if target.exists() and not (target.is_file() and os.access(target.parent, os.W_OK)):
        yield target
        return
    unfinished = target.with_name(f".{target.name[:100]}.unfinished-{os.getpid()}")
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(output)) from None
    try:
        yield unfinished
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)

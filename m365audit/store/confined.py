"""The process in which a stranger's SQL runs: confines itself, opens the published database, answers questions.

Started by ``inquiry`` and by nothing else. It must never see the SQL before it is confined, and never print.
"""

from __future__ import annotations

import collections.abc
import datetime as dt
import decimal
import os
import sys
import uuid
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pytz

from m365audit.errors import QueryError, StoreError
from m365audit.store import frames
from m365audit.store.confinement import Confinement, Limits
from m365audit.store.published import check_reading, write_parquet
from m365audit.store.sandbox import LockedDatabase

# DuckDB imports these when it hands out the first value of their kind; by then no file can be read any more.
_NEEDED_LATER: Final = (collections.abc, dt, decimal, uuid, pytz, MappingProxyType)

_FEW: Final = 16
"""Rows of the first batch, so that the first row is not kept waiting."""
_MANY: Final = 4096
_WANTED: Final = 1 << 20
"""Bytes of a batch to aim for."""
_LONGEST: Final = 4000
"""Characters of an error; DuckDB quotes the SQL, which may be megabytes."""


def main() -> None:
    """Answer on what was stdout, and end without ado: a crash, too, is the parent's to explain."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    # What nobody foresaw is told as well; stderr leads nowhere.
    sys.excepthook = lambda kind, error, _: os._exit(_tell(answers, "fault", f"{kind.__name__}: {error}"[:_LONGEST]))
    code = 0
    try:
        _serve(answers)
    except BrokenPipeError:
        code = 1  # nobody listens
    except MemoryError:
        code = _tell(answers, "memory")
    except StoreError as error:
        code = _tell(answers, "store", error.message[:_LONGEST], error.hint)
    except frames.FrameError:
        code = _tell(answers, "large")
    os._exit(code)  # closing a database that is only read saves nothing and takes time


def _serve(answers: int) -> None:
    request = frames.receive(0)
    if request is None:
        return
    _, path, target, memory, seconds, threads = request
    limits = Limits(memory, seconds, threads)
    output = None if target is None else Path(target)
    confinement = Confinement(limits, database=Path(path), output=output)
    said = confinement.enter()
    with LockedDatabase(Path(path), is_read_only=True, output=output, memory=f"{memory}B", threads=threads) as database:
        database.execute("SELECT 1")  # starts the threads that it will need
        said += confinement.close_behind()
        frames.send(answers, ["ready", said])
        while (question := frames.receive(0)) is not None:
            _, sql, parameters = question
            confinement.spend()
            try:
                if output is None:
                    _answer(answers, database, confinement, sql, parameters)
                else:
                    frames.send(answers, ["done", write_parquet(database, sql, parameters, output)])
            except QueryError as error:
                _tell(answers, "query", error.message[:_LONGEST], error.hint)


def _answer(
    answers: int, database: LockedDatabase, confinement: Confinement, sql: str, parameters: dict[str, Any]
) -> None:
    """Send the rows in batches of about ``_WANTED`` bytes, whatever a row weighs."""
    check_reading(database, sql)
    names, fetch = database.stream(sql, parameters)
    frames.send(answers, ["columns", names])
    size, sent = _FEW, 0
    while rows := fetch(size):
        weight = _send_rows(answers, rows)
        sent += len(rows)
        size = max(1, min(_MANY, size * 4, size * _WANTED // weight))
        confinement.spend()
    frames.send(answers, ["done", sent])


def _send_rows(answers: int, rows: list[tuple[Any, ...]]) -> int:
    """Send rows, in two halves where they are too large for one message; return the bytes of the largest."""
    try:
        return frames.send(answers, ["rows", rows])
    except frames.FrameError:
        if len(rows) == 1:
            raise
        middle = len(rows) // 2
        return max(_send_rows(answers, rows[:middle]), _send_rows(answers, rows[middle:]))


def _tell(answers: int, kind: str, message: str = "", hint: str = "") -> int:
    try:
        frames.send(answers, ["error", kind, message, hint])
    except (OSError, MemoryError):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit("this is a part of `m365audit query`; run that")

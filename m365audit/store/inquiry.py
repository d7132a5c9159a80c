"""Asking the published database from a process of its own, which is confined, bounded in time, and killed at the end.

This side never imports DuckDB and never runs a stranger's SQL.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import m365audit
from m365audit.errors import QueryError, StoreError
from m365audit.store import frames
from m365audit.store.confinement import Limits
from m365audit.store.published_file import published_path

_START: Final = "import sys; sys.path[:] = sys.argv[1:]; from m365audit.store.confined import main; main()"
_KEPT_VARIABLES: Final = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")
"""Of the environment, only where the interpreter's libraries are; a secret in a variable stays out."""

_TO_OPEN: Final = 60.0
"""Seconds for starting and opening, which nobody's SQL can prolong."""

Rows = list[list[Any]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of the columns, and the rows in batches; iterating raises what went wrong in the middle."""

    names: tuple[str, ...]
    batches: Iterator[Rows]


class Inquiry:
    """A process that can be asked; a context manager. It starts at once, what it is to open can be said later.

    Attributes:
        enforced: what confines the process, in words; known once it is open.
    """

    def __init__(self) -> None:
        self.enforced: tuple[str, ...] = ()
        self._limits = Limits()
        self._patience = frames.Patience(self._limits.seconds)
        variables = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        # A session of its own: Ctrl-C is the command's to obey, and no terminal can be reached.
        self._process = subprocess.Popen(  # noqa: S603 - this interpreter and this package
            [sys.executable, "-I", "-S", "-c", _START, *_import_path()],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            env={**variables, "LC_ALL": "C.UTF-8", "MALLOC_ARENA_MAX": "2"}, cwd="/",
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self._process.wait()

    def open(self, folder: Path, limits: Limits, *, output: Path | None = None) -> None:
        """Confine the process to the published database of ``folder`` and, for Parquet, one file that is there.

        Raises:
            StoreError: nothing is published, or the file is damaged.
            QueryError: the process could not be confined.
        """
        path = published_path(folder).resolve()
        self._limits, self._patience = limits, frames.Patience(_TO_OPEN)
        target = None if output is None else str(output)
        self._say("confine", str(path), target, limits.memory, limits.seconds, limits.threads)
        self.enforced = tuple(str(words) for words in self._hear("ready"))

    def ask(self, sql: str, parameters: Mapping[str, object]) -> Answer:
        """Ask one SELECT; one answer has to be read to its end before the next question.

        Raises:
            QueryError: it is not one SELECT, it fails, or it takes too much memory or time.
        """
        self._patience = frames.Patience(self._limits.seconds)
        self._say("ask", sql, dict(parameters))
        return Answer(tuple(str(name) for name in self._hear("columns")), self._batches())

    def write_parquet(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Write the answer of one SELECT into the file that was named when it was opened.

        Raises:
            QueryError: as for ``ask``.
        """
        self._patience = frames.Patience(self._limits.seconds)
        self._say("ask", sql, dict(parameters))
        message = self._next()
        if message[0] != "done":
            raise _broken()

    def _batches(self) -> Iterator[Rows]:
        while True:
            message = self._next()
            if message[0] == "done":
                return
            yield _list_of("rows", message)

    def _say(self, *message: object) -> None:
        pipe = self._process.stdin
        if pipe is None:
            raise _broken()
        try:
            frames.send(pipe.fileno(), message)
        except BrokenPipeError:
            return  # it has said why, or its end will tell
        except frames.FrameError:
            raise QueryError(
                "the SQL is too long", hint="write what it lists into a file and ask differently"
            ) from None

    def _hear(self, kind: str) -> list[Any]:
        return _list_of(kind, self._next())

    def _next(self) -> list[Any]:
        """Return the next message.

        Raises:
            QueryError: it is an error, nothing came in time, or the process ended.
        """
        pipe = self._process.stdout
        if pipe is None:
            raise _broken()
        try:
            message = frames.receive(pipe.fileno(), self._patience.wait)
        except frames.Silence:
            raise QueryError(
                f"the query took longer than {self._limits.seconds:g} s and was stopped",
                hint="narrow it by tenant or time, add a LIMIT, or allow more with --timeout SECONDS",
            ) from None
        except frames.FrameError as error:
            raise _broken() from error
        if message is None:
            raise self._ended()
        if message[0] == "error":
            raise self._error(*(str(part) for part in message[1:4]))
        return message

    def _error(self, kind: str = "", message: str = "", hint: str = "") -> QueryError | StoreError:
        if kind == "memory" or (kind == "query" and "Out of Memory Error" in message):
            return self._too_much()
        if kind == "fault":
            return QueryError(f"the query's process failed: {message}", hint="please report this statement")
        if kind == "large":
            return QueryError("one row is larger than 64 MB", hint="ask for less of it, e.g. left(column, 1000)")
        return StoreError(message, hint=hint) if kind == "store" else QueryError(message, hint=hint)

    def _too_much(self, message: str = "") -> QueryError:
        allowed = self._limits.memory // 1000**2
        return QueryError(
            f"the query needs more than its {allowed} MB of memory" + (f" ({message})" if message else ""),
            hint="narrow it by tenant or time, sort less, or allow more with --memory MB",
        )

    def _ended(self) -> QueryError:
        """Say why the process ended without an answer."""
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return QueryError("the query used all of its processor time", hint="allow more with --timeout SECONDS")
        if code == -signal.SIGKILL:
            return self._too_much("the system ended it")
        return QueryError(
            f"the database engine broke down on this statement ({_name_of(code)}); nothing was harmed",
            hint="write it more simply; most often it is nested too deeply, or needs more with --memory MB",
        )


def _name_of(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _list_of(kind: str, message: list[Any]) -> list[Any]:
    """Return what a message of a kind lists."""
    match message:
        case [said, list(listed)] if said == kind:
            return listed
    raise _broken()


def _broken() -> QueryError:
    return QueryError("the query's process answered something else than rows", hint="please report this statement")


def _import_path() -> list[str]:
    """Return where this process finds its packages; never the current folder as such."""
    here = str(Path(m365audit.__file__).resolve().parent.parent)
    return [here, *(os.path.abspath(entry) for entry in sys.path if entry)]  # noqa: PTH100 - what is not there, too

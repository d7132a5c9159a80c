"""The edge of the program: whatever went wrong becomes a sentence on stderr and an exit code.

The codes are the interface's: 2 usage or configuration, 4 partial, 5 store, 130 interrupted. 1 stays reserved for
findings, so that a fault of the product never looks like one.
"""

from __future__ import annotations

import traceback
from typing import Final

import click

from m365audit.cli import interrupt
from m365audit.cli.streams import let_go, say, say_lines
from m365audit.errors import AuditError, QueryError, RuleError, StoreError

USAGE: Final = 2
STORE: Final = 5


def explain(error: BaseException) -> int:
    """Say what went wrong, and return the exit code for it."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if _is_interruption(error):
        say(interrupt.WORDS)
        return interrupt.EXIT_CODE
    if isinstance(error, AuditError):
        # Only these quote DuckDB, which draws a line and points into it; names of files stay on one line.
        speak = say_lines if isinstance(error, QueryError | StoreError | RuleError) else say
        speak(f"error: {error}")
        return error.exit_code
    if isinstance(error, OSError):
        return _explain_os(error)
    say_lines("".join(traceback.format_exception(error)).rstrip())
    say(f"error: {type(error).__name__}: this is a fault of the product; please report it with the lines above")
    return STORE


def _is_interruption(error: BaseException) -> bool:
    # DuckDB answers Ctrl-C inside of a statement with a RuntimeError of its own.
    return isinstance(error, KeyboardInterrupt | click.Abort) or (
        isinstance(error, RuntimeError) and "interrupted" in str(error).lower()
    )


def _explain_os(error: OSError) -> int:
    """A path that the user gave cannot be used (2), or the system failed (5)."""
    reason = error.strerror or str(error)
    if error.filename is not None:
        say(f"error: {error.filename}: {reason}; check the path and its permissions")
        return USAGE
    let_go(1)  # what could not be written would be tried again at the end
    say(f"error: the output could not be written: {reason}")
    return STORE

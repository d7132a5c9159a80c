"""The standard streams: data to stdout, words to stderr, harmless to a terminal.

Must never raise because a reader went away: a run goes on to its end when its output is piped into ``head``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable

import click

from m365audit.cli.harmless import harmless


def prepare() -> None:
    """Let characters that a stream's encoding lacks come out as escapes instead of as an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Write one line to stderr; a line break inside of ``text`` is shown as its code point."""
    _write(lambda: click.echo(harmless(text), err=True), 2)


def say_lines(text: str) -> None:
    """Write several lines to stderr; all but the first are indented, so that none passes for a message of its own."""
    first, *others = text.split("\n")
    say(first)
    for line in others:
        say(f"  {line}")


def show(text: str) -> None:
    """Write data to stdout; the text has been made harmless, or is JSON or CSV."""
    _write(lambda: click.echo(text), 1)


def show_pieces(pieces: Iterable[str]) -> None:
    """Write data to stdout piece by piece; the first is seen at once, and a reader that goes away ends it quietly."""

    def write() -> None:
        for piece in pieces:
            click.echo(piece, nl=False)

    _write(write, 1)


def show_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout, each made harmless."""
    show("\n".join(map(harmless, lines)))


def show_bytes(content: bytes) -> None:
    """Write a finished document to stdout as it is."""
    _write(lambda: click.echo(content, nl=False), 1)


def let_go(descriptor: int) -> None:
    """Send what is still to come on a standard stream to nowhere; otherwise Python complains when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _write(write: Callable[[], None], descriptor: int) -> None:
    try:
        write()
    except BrokenPipeError:
        let_go(descriptor)

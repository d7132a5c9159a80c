"""Options that several commands share. Imports nothing heavy: ``--help`` reads this module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from m365audit.model import SEVERITIES

Body = Callable[..., Any]
Decorator = Callable[[Body], Body]

_CONFIG: Final = "m365audit.config"


def _nearest_config(context: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """Return the file named here, else the one named before the subcommand."""
    if value is not None:
        context.meta[_CONFIG] = value
    found: Path | None = context.meta.get(_CONFIG)
    return found


def config_option(*, is_passed_on: bool = True) -> Decorator:
    """Return ``--config``; it may stand anywhere on the line. ``is_passed_on`` hands it to the command's function."""
    return click.option(
        "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), default=None, metavar="FILE",
        callback=_nearest_config, expose_value=is_passed_on,
        help="Configuration file; default: $M365AUDIT_CONFIG, else ./m365audit.yaml.",
    )  # fmt: skip


def format_option(*forms: str, what: str = "How to print the result.") -> Decorator:
    """Return ``--format`` with the given choices, the first of which is the default."""
    return click.option("--format", "form", type=click.Choice(forms), default=forms[0], show_default=True, help=what)


def fail_on_option(body: Body) -> Body:
    """Add ``--fail-on``."""
    return click.option(
        "--fail-on", type=click.Choice(SEVERITIES), default=None,
        help="Exit with 1 when a finding of this severity or a higher one is open.",
    )(body)  # fmt: skip


def output_option(body: Body) -> Body:
    """Add ``--output``."""
    return click.option(
        "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None,
        help="File to write; default: stdout.",
    )(body)  # fmt: skip


def reason_option(body: Body) -> Body:
    """Add ``--reason``, which the journal keeps."""
    return click.option(
        "--reason", required=True, metavar="TEXT",
        help="Why, in 20 characters or more: who reads it in a year must know.",
    )(body)  # fmt: skip


def version_option(body: Body) -> Body:
    """Add ``--version``: what somebody else decided meanwhile is not overruled unseen."""
    return click.option(
        "--version", "version", type=click.IntRange(min=0), default=None, metavar="N",
        help="Refuse when anybody wrote something down since version N.",
    )(body)  # fmt: skip

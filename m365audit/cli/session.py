"""What every command shares: options, errors as exit codes, the configuration, words on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import click

from m365audit.cli.output import harmless
from m365audit.config import LoadedPolicy, LoadedSettings, Settings, load_policy, load_settings
from m365audit.config.spelling import suggestion
from m365audit.errors import AuditError, ConfigurationError
from m365audit.model import SEVERITIES

P = ParamSpec("P")
R = TypeVar("R")

INTERRUPTED: Final = 130

config_option = click.option(
    "--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), default=None,
    help="Configuration file; default: $M365AUDIT_CONFIG, else ./m365audit.yaml.",
)  # fmt: skip
text_or_json = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="How to print the result.",
)  # fmt: skip
fail_on_option = click.option(
    "--fail-on", type=click.Choice(SEVERITIES), default=None,
    help="Exit with 1 when a finding of this severity or a higher one is open.",
)  # fmt: skip


def errors_to_exit_codes(body: Callable[P, R]) -> Callable[P, R]:
    """Turn what the product raises on purpose into a sentence on stderr and an exit code."""

    @wraps(body)
    def command(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return body(*args, **kwargs)
        except AuditError as error:
            say(f"error: {error}")
            sys.exit(error.exit_code)
        except KeyboardInterrupt:
            say("interrupted; what was landed is safe, run the same command again")
            sys.exit(INTERRUPTED)

    return command


def say(text: str) -> None:
    """Write to stderr, harmless to a terminal."""
    for line in text.split("\n"):
        click.echo(harmless(line), err=True)


def show(text: str) -> None:
    """Write data to stdout; the text has been made harmless, or is JSON or CSV."""
    click.echo(text)


def harmless_lines(text: str) -> str:
    """Return text whose lines cannot command a terminal."""
    return "\n".join(harmless(line) for line in text.split("\n"))


def load(config_path: Path | None) -> tuple[LoadedSettings, LoadedPolicy]:
    """Read configuration and policy, and say everything that is wrong with them."""
    loaded = load_settings(config_path)
    policy = load_policy(loaded.settings.policy)
    for problem in (*loaded.problems, *policy.problems):
        say(f"error: {problem}")
    return loaded, policy


def tenant_id_of(settings: Settings, wanted: str) -> str:
    """Return the id of the tenant that a user names by id or name.

    Raises:
        ConfigurationError: there is none, or more than one.
    """
    found = {t.id for t in settings.tenants if wanted.lower() in {t.id, (t.name or "").lower()}}
    if len(found) == 1:
        return found.pop()
    known = [name for t in settings.tenants for name in (t.name, t.id) if name]
    hint = suggestion(wanted, known) if known else "add it to `tenants:` of the configuration"
    number = "more than one" if found else "no"
    raise ConfigurationError(f"the configuration has {number} tenant {wanted!r}", hint=hint)


def shown_path(path: Path) -> str:
    """Return a path as short as it can be typed from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

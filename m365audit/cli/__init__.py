"""The command line: what is typed, what is printed, exit codes. Data goes to stdout, everything else to stderr.

A command's module is imported when the command is run, and not before: ``--help`` pays for nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Final, NamedTuple, cast

import click

from m365audit import __version__


class _Entry(NamedTuple):
    """Where a command is, and the line that ``--help`` shows for it."""

    module: str
    attribute: str
    help: str


_COMMANDS: Final = {
    "demo": _Entry("starting", "demo", "Audit an invented world; needs no account."),
    "init": _Entry("starting", "init", "Write a commented configuration, a policy and an example consent record."),
    "import": _Entry("evidence", "import_", "Read exported logs, judge everything, publish."),
    "run": _Entry("evidence", "run", "Read the configuration's standing imports, judge everything, publish."),
    "evaluate": _Entry("evidence", "evaluate", "Judge again what was landed, with today's register and rules."),
    "register": _Entry("consents", "register", "Check the consent register, show what was agreed to at a date."),
    "findings": _Entry("reviewing", "findings", "List the findings, show one with its evidence."),
    "report": _Entry("reviewing", "report", "Render the published state as HTML, CSV or JSON."),
    "query": _Entry("asking", "query", "Ask the published database: a named query or any SELECT."),
}


class _LazyGroup(click.Group):
    """A group that imports a command's module when the command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in the order in which a newcomer needs them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        entry = _COMMANDS.get(cmd_name)
        if entry is None:
            return None
        return cast("click.Command", getattr(import_module(f"m365audit.cli.{entry.module}"), entry.attribute))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in _COMMANDS.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="m365audit")
def main() -> None:
    """Did the apps in a Microsoft 365 tenant do only what was agreed to?

    \b
    Start here:
      m365audit demo                              see it work on an invented world
      m365audit init                              write a configuration to fill in
      m365audit import EXPORTS --tenant NAME      read exported logs, judge them, publish
      m365audit query --list                      questions to ask of the published database

    Exit codes: 0 done, 1 findings (with --fail-on), 2 usage or configuration, 4 partial: something was not read or
    not judged, 5 store, 130 interrupted.
    """

"""The command line: what is typed, what is printed, exit codes. Data goes to stdout, everything else to stderr.

A command's module is imported when the command is run, and not before: ``--help`` pays for nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, cast

import click

from m365audit import __version__
from m365audit.cli.groups import Group
from m365audit.cli.options import config_option


class _Entry(NamedTuple):
    """Where a command is, and the line that ``--help`` shows for it."""

    module: str
    attribute: str
    help: str


_COMMANDS: Final = {
    "demo": _Entry("starting", "demo", "Audit an invented world; needs no account."),
    "init": _Entry("starting", "init", "Write a configuration, a policy and an example record."),
    "doctor": _Entry("doctoring", "doctor", "Examine the auditor's own access: permissions, licences, logs."),
    "login": _Entry("signing_in", "login", "Sign in as a person, for a tenant whose credential says so."),
    "import": _Entry("evidence", "import_", "Read exported logs, judge everything, publish."),
    "run": _Entry("evidence", "run", "Collect from the tenants of the configuration, judge, publish."),
    "evaluate": _Entry("evidence", "evaluate", "Judge again what was landed: today's register and rules."),
    "register": _Entry("consents", "register", "Check the consent register; show what was agreed to."),
    "findings": _Entry("reviewing", "findings", "List the findings, show one, decide on it."),
    "breach": _Entry("breaching", "breach", "Breach cases: the 72 hours, the notification's draft."),
    "requests": _Entry("requesting", "requests", "Requests of people, and until when to answer them."),
    "attest": _Entry("requesting", "attest", "Answer for a control that no log can prove."),
    "report": _Entry("reporting", "report", "Render the report: HTML, PDF, workbook, CSV, JSON, OCSF, ICS."),
    "serve": _Entry("serving", "serve", "Serve the review page: the report, live, and decisions."),
    "subject": _Entry("duties", "subject", "A person's own data: export it, erase it."),
    "purge": _Entry("duties", "purge", "Remove what is older than it may be kept."),
    "hold": _Entry("duties", "hold", "Keep something from being purged or erased."),
    "verify": _Entry("duties", "verify", "Check that the evidence is what it was."),
    "views": _Entry("duties", "views", "Who looked at names, when and why."),
    "query": _Entry("asking", "query", "Ask the published database: a named query or any SELECT."),
}


class _LazyGroup(Group):
    """A group that imports a command's module when the command is wanted, and knows the product's exit codes."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run as the program: with streams that take every character, and a Ctrl-C that is always obeyed."""
        from m365audit.cli import interrupt, streams  # noqa: PLC0415 - the program's, not a caller's

        streams.prepare()
        interrupt.obey()
        return super().__call__(*args, **kwargs)

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **extra: Any) -> Any:  # type: ignore[override]
        """Run a command line; every failure ends with a sentence and its exit code."""
        if not standalone_mode:
            return super().main(args, standalone_mode=False, **extra)
        try:
            code = super().main(args, standalone_mode=False, **extra)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the command line's edge
            from m365audit.cli.edge import explain  # noqa: PLC0415 - not needed when all goes well

            sys.exit(explain(error))
        sys.exit(code or 0)

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
@config_option(is_passed_on=False)
@click.version_option(__version__, prog_name="m365audit")
def main() -> None:
    """Did the apps in a Microsoft 365 tenant do only what was agreed to?

    \b
    Start here:
      m365audit demo                             see it work on an invented world
      m365audit init                             write a configuration to fill in
      m365audit run                              collect from its tenants, judge, publish
      m365audit import EXPORTS --tenant NAME     read exported logs, judge them, publish
      m365audit findings                         what is wrong
      m365audit query --list                     questions to ask of the published database

    Data goes to stdout, words and progress to stderr; where that is no terminal, as JSON log lines (with
    M365AUDIT_LOG=debug more of them).

    \b
    Exit codes:
      0 done                                     4 partial: something was not read or not judged
      1 findings, with --fail-on                 5 store
      2 usage, configuration or register         20 a breach clock runs out (breach status)
      3 no tenant let the auditor in             130 interrupted
    Where several hold, 2 and 3 come before 1, and 1 before 4: what was not
    read or judged is said in words and in the report with either code.
    """  # noqa: D301 - click reads the character

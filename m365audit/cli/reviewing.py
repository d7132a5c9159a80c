"""Commands that show what was found: findings and the report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_bytes
from typing import Any, Final, cast

import click

from m365audit.cli import ledger_page
from m365audit.cli.groups import Group
from m365audit.cli.options import config_option, format_option
from m365audit.cli.output import as_json, lay_out
from m365audit.cli.session import load
from m365audit.cli.streams import say, show, show_lines
from m365audit.cli.table import terminal_width
from m365audit.config import Settings
from m365audit.errors import QueryError, StoreError
from m365audit.store.sandbox import LockedDatabase

_all_option = click.option("--all", "everything", is_flag=True, help="Resolved findings too.")
_waiting_option = click.option(
    "--waiting", is_flag=True,
    help="Only what waits for somebody: a second person, a decision that came back, a grave one nobody decided.",
)  # fmt: skip
_DECIDING: Final = ("decide", "approve", "deny", "opinion", "history")


class _Findings(Group):
    """The group, with the commands by which people decide; these are imported when one of them is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which they are used."""
        return [*super().list_commands(ctx), *_DECIDING]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return one command."""
        if cmd_name not in _DECIDING:
            return super().get_command(ctx, cmd_name)
        from m365audit.cli import deciding  # noqa: PLC0415 - it imports the pipeline

        return cast("click.Command", getattr(deciding, cmd_name))


@click.group(invoke_without_command=True, cls=_Findings)
@_all_option
@_waiting_option
@format_option("table", "csv", "json")
@config_option()
@click.pass_context
def findings(context: click.Context, *, everything: bool, waiting: bool, form: str, config_path: Path | None) -> None:
    """What the rules found: list it (also without LIST), show one finding with its evidence, decide on it."""
    if context.invoked_subcommand is None:
        _list(config_path, form, everything=everything, waiting=waiting)


@findings.command("list", short_help="List the findings, the gravest first.")
@_all_option
@_waiting_option
@format_option("table", "csv", "json")
@config_option()
def list_findings(*, everything: bool, waiting: bool, form: str, config_path: Path | None) -> None:
    """List the findings, the gravest first: short on a terminal, with every column in a pipe or a file."""
    _list(config_path, form, everything=everything, waiting=waiting)


def _reviewed(settings: Settings) -> AbstractContextManager[LockedDatabase]:
    """Open what was published, with today's decisions laid over it."""
    from m365audit.pipeline.reviewing import open_reviewed  # noqa: PLC0415 - the pipeline takes half a second

    return open_reviewed(settings, datetime.now(UTC))


def _list(config_path: Path | None, form: str, *, everything: bool, waiting: bool) -> None:
    settings = load(config_path)[0].settings
    with _reviewed(settings) as database:
        names, found = database.run(ledger_page.FINDINGS_SQL, {"all": everything, "waiting": waiting})
        rows = _unnamed(settings, database, names, found)
    width = terminal_width()
    if form == "table" and width is not None:
        show_lines(ledger_page.list_lines(rows, width))
    else:
        show(lay_out(names, [tuple(row.values()) for row in rows], form))


@findings.command("show", short_help="Show one finding and its first pieces of evidence.")
@click.argument("finding_id")
@format_option("text", "json")
@config_option()
def show_finding(finding_id: str, *, form: str, config_path: Path | None) -> None:
    """Show one finding and its first pieces of evidence. FINDING_ID may be its beginning."""
    settings = load(config_path)[0].settings
    with _reviewed(settings) as database:
        finding = one_finding(database, finding_id)
        asked = {"tenant": finding["tenant_id"], "finding": finding["finding_id"]}
        names, found = database.run(ledger_page.EVIDENCE_SQL, asked)
        ((finding,), evidence) = (
            _unnamed(settings, database, list(finding), [tuple(finding.values())]),
            _unnamed(settings, database, names, found, tenant=asked["tenant"]),
        )
    rows = [tuple(row.values()) for row in evidence]
    _note_opened(settings, finding)
    if form == "json":
        show(as_json({**finding, "subject": json.loads(finding["subject"]), "evidence": evidence}))
        return
    show_lines(ledger_page.finding_lines(finding))
    show(f"\n{lay_out(names, rows, 'table')}" if rows else "\nno single event is its evidence")
    if len(rows) < finding["evidence_count"]:
        say(
            f"the first {len(rows)} of {finding['evidence_count']}; all of them: m365audit query finding-evidence "
            f"--param tenant={finding['tenant_id']} --param finding={finding['finding_id']}"
        )


def _unnamed(
    settings: Settings, database: LockedDatabase, names: Sequence[str], rows: Iterable[Sequence[Any]], tenant: str = ""
) -> list[dict[str, Any]]:  # fmt: skip
    """Return rows with tokens in place of persons, the same ones as in the report; `query` shows what there is."""
    from m365audit.report.hiding import hidden  # noqa: PLC0415
    from m365audit.report.people import People  # noqa: PLC0415
    from m365audit.store.published import PublishedReader  # noqa: PLC0415

    reader = hidden(PublishedReader(database), People(_key(settings)))
    told = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        unnamed = reader.row(values if "tenant_id" in values else {**values, "tenant_id": tenant})
        told.append({name: unnamed[name] for name in names})
    return told


def _key(settings: Settings) -> bytes:
    """Return the key of this installation's tokens; for who may not read it, one that makes tokens for this time."""
    from m365audit.store.person_key import person_key  # noqa: PLC0415

    if settings.state.is_dir():
        with suppress(StoreError, OSError):
            return person_key(settings.state)
    return token_bytes(32)


def _note_opened(settings: Settings, finding: dict[str, Any]) -> None:
    """Write down that a person looked at the finding; who may only read what is published leaves no trace."""
    from m365audit.pipeline import reviewing  # noqa: PLC0415 - the pipeline takes half a second

    key = reviewing.FindingKey(str(finding["tenant_id"]), str(finding["finding_id"]))
    with suppress(StoreError, PermissionError):
        if settings.state.is_dir():
            reviewing.note_opened(settings, reviewing.actor_here(settings), key, datetime.now(UTC))


def one_finding(database: LockedDatabase, begin: str) -> dict[str, Any]:
    """Return the finding whose id begins so.

    Raises:
        QueryError: there is none, or more than one.
    """
    names, rows = database.run(ledger_page.FINDING_SQL, {"id": begin.upper()})
    if len(rows) != 1:
        number = "no finding begins" if not rows else f"{len(rows)} findings begin"
        raise QueryError(f"{number} with {begin!r}", hint="list them with `m365audit findings list --all`")
    return dict(zip(names, rows[0], strict=True))

"""Commands that show what was found: findings and the report."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from m365audit.cli import ledger_page
from m365audit.cli.options import config_option, format_option, output_option
from m365audit.cli.output import as_json, lay_out
from m365audit.cli.session import load
from m365audit.cli.streams import say, show, show_bytes, show_lines
from m365audit.cli.table import terminal_width
from m365audit.errors import QueryError
from m365audit.report import People, pieces
from m365audit.store.person_key import person_key
from m365audit.store.publish import write_in_place
from m365audit.store.published import PublishedReader, open_for_report, open_published
from m365audit.store.sandbox import LockedDatabase

_all_option = click.option("--all", "everything", is_flag=True, help="Resolved findings too.")


@click.group(invoke_without_command=True)
@_all_option
@format_option("table", "csv", "json")
@config_option()
@click.pass_context
def findings(context: click.Context, *, everything: bool, form: str, config_path: Path | None) -> None:
    """What the rules found: list it (also without LIST), or show one finding with its evidence."""
    if context.invoked_subcommand is None:
        _list(config_path, form, everything=everything)


@findings.command("list", short_help="List the findings, the gravest first.")
@_all_option
@format_option("table", "csv", "json")
@config_option()
def list_findings(*, everything: bool, form: str, config_path: Path | None) -> None:
    """List the findings, the gravest first: short on a terminal, with every column in a pipe or a file."""
    _list(config_path, form, everything=everything)


def _list(config_path: Path | None, form: str, *, everything: bool) -> None:
    with open_published(load(config_path)[0].settings.publish) as database:
        names, rows = database.run(ledger_page.FINDINGS_SQL, {"all": everything})
    width = terminal_width()
    if form == "table" and width is not None:
        show_lines(ledger_page.list_lines([dict(zip(names, row, strict=True)) for row in rows], width))
    else:
        show(lay_out(names, rows, form))


@findings.command("show", short_help="Show one finding and its first pieces of evidence.")
@click.argument("finding_id")
@format_option("text", "json")
@config_option()
def show_finding(finding_id: str, *, form: str, config_path: Path | None) -> None:
    """Show one finding and its first pieces of evidence. FINDING_ID may be its beginning."""
    with open_published(load(config_path)[0].settings.publish) as database:
        finding = _one_finding(database, finding_id)
        asked = {"tenant": finding["tenant_id"], "finding": finding["finding_id"]}
        names, rows = database.run(ledger_page.EVIDENCE_SQL, asked)
    if form == "json":
        subject = json.loads(finding["subject"])
        show(as_json({**finding, "subject": subject, "evidence": [dict(zip(names, row, strict=True)) for row in rows]}))
        return
    show_lines(ledger_page.finding_lines(finding))
    show(f"\n{lay_out(names, rows, 'table')}" if rows else "\nno single event is its evidence")
    if len(rows) < finding["evidence_count"]:
        say(
            f"the first {len(rows)} of {finding['evidence_count']}; all of them: m365audit query finding-evidence "
            f"--param tenant={finding['tenant_id']} --param finding={finding['finding_id']}"
        )


def _one_finding(database: LockedDatabase, begin: str) -> dict[str, Any]:
    """Return the finding whose id begins so.

    Raises:
        QueryError: there is none, or more than one.
    """
    names, rows = database.run(ledger_page.FINDING_SQL, {"id": begin.upper()})
    if len(rows) != 1:
        number = "no finding begins" if not rows else f"{len(rows)} findings begin"
        raise QueryError(f"{number} with {begin!r}", hint="list them with `m365audit findings list --all`")
    return dict(zip(names, rows[0], strict=True))


@click.command()
@format_option("html", "csv", "json")
@click.option(
    "--section", default=None, help="Table of the CSV: cells (default), findings, evidence, coverage, not_assessable."
)
@output_option
@config_option()
def report(*, form: str, section: str | None, output: Path | None, config_path: Path | None) -> None:
    """Render the published state as HTML, CSV or JSON; all three show the same cells.

    Every run leaves the HTML as report.html in the folder `publish`; this renders it again, or in another form.
    """
    settings = load(config_path)[0].settings
    with open_for_report(settings.publish) as database:
        people = People(person_key(settings.state))
        made = pieces(PublishedReader(database), form, section, now=datetime.now(UTC), people=people)
        if output is None:
            for piece in made:
                show_bytes(piece)
            return
        output.parent.stat()  # a folder that is not there is a slip of the pen, not one to create
        write_in_place(made, output)
    say(f"written: {output}")

"""The command that renders the report: which form, in which language, with or without names."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import click

from m365audit.cli.options import config_option, output_option
from m365audit.cli.session import load
from m365audit.cli.streams import say, show_bytes
from m365audit.config import Settings
from m365audit.errors import QueryError
from m365audit.findings.conditions import check_reason
from m365audit.pipeline import controlling, reviewing
from m365audit.pipeline.circumstances import circumstances
from m365audit.pipeline.moment import present_moment
from m365audit.report import FORMATS, People, pieces
from m365audit.report.render import BINARY
from m365audit.store.journal import Draft, open_journal
from m365audit.store.person_key import person_key
from m365audit.store.publish import write_in_place
from m365audit.store.published import PublishedReader


@click.command()
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True,
    help="html: to read; pdf: to sign and send (needs m365audit[pdf]); xlsx: working list with action plan; csv: one "
    "table; json: everything, with a published schema; ocsf: for a SIEM; ics: due dates; art30: records of processing.",
)  # fmt: skip
@click.option(
    "--section", default=None,
    help="Table of the CSV: cells (default), findings, evidence, coverage, not_assessable, controls, decisions, "
    "action_plan, art30_controller, art30_processor.",
)  # fmt: skip
@click.option("--language", type=click.Choice(("en", "nl")), default=None, help="Default: `report.language`.")
@click.option("--bom", is_flag=True, help="Begin the CSV with a byte order mark: Excel then sees that it is UTF-8.")
@click.option("--identified", is_flag=True, help="Show names in place of tokens; needs --reason, and is logged.")
@click.option("--reason", default=None, help="Why names are needed, in 20 characters or more; goes into the journal.")
@output_option
@config_option()
def report(
    *, form: str, section: str | None, language: str | None, bom: bool, identified: bool, reason: str | None,
    output: Path | None, config_path: Path | None,
) -> None:  # fmt: skip
    """Render the published state, with today's decisions and clocks. Persons are tokens, unless --identified is given.

    Every run leaves the HTML as report.html in the folder `publish`; this renders it again, or in another form.
    """
    settings = load(config_path)[0].settings
    _check(form, output, is_identified=identified, reason=reason, has_bom=bom)
    now = present_moment(settings)
    with controlling.open_today(settings, now) as database:
        if identified:
            _log_view(settings, form, section, str(reason))
        made = pieces(
            PublishedReader(database), form, section, now=now,
            people=People(person_key(settings.state), is_identified=identified),
            language=language or settings.report.language, time_zone=settings.report.time_zone,
            circumstances=circumstances(settings, ask=database.execute),
        )  # fmt: skip
        _deliver(chain((BOM_UTF8,), made) if bom else made, output)


def _deliver(made: Iterable[bytes], output: Path | None) -> None:
    """Write the report to its file, whole or not at all, or to stdout."""
    if output is None:
        for piece in made:
            show_bytes(piece)
        return
    output.parent.stat()  # a folder that is not there is a slip of the pen, not one to create
    write_in_place(made, output)
    say(f"written: {output}")


def _check(form: str, output: Path | None, *, is_identified: bool, reason: str | None, has_bom: bool) -> None:
    """Refuse what would help nobody, before anything is opened.

    Raises:
        ReviewError: names without a reason that says something.
        QueryError: names without any, a reason without names, or a workbook for the terminal.
    """
    if is_identified and reason is None:
        raise QueryError("names are shown for a reason only", hint="add --reason TEXT; it goes into the journal")
    if is_identified:
        check_reason(reason or "")
    elif reason is not None:
        raise QueryError("--reason is for --identified", hint="leave it out, or add --identified")
    if has_bom and form != "csv":
        raise QueryError("only CSV takes a byte order mark", hint="leave --bom out, or choose csv")
    if form in BINARY and output is None and sys.stdout.isatty():
        raise QueryError(f"{form} is no text for a terminal", hint="add -o FILE")


def _log_view(settings: Settings, form: str, section: str | None, reason: str) -> None:
    """Write down who looks at names, and why, before any is shown; without the entry there is no report."""
    what = f"report --format {form}" + (f" --section {section}" if section else "")
    with open_journal(settings.state) as journal:
        for tenant in settings.tenants:
            body = {"purpose": reason.strip(), "what": what, "case_id": None, "rows": None}
            actor = reviewing.actor_here(settings)
            journal.append(Draft("view", tenant.id, "report", "identified", actor, body), expected_version=None)

"""Commands that show what was found: findings and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from m365audit.cli.output import as_json, harmless, lay_out
from m365audit.cli.session import config_option, errors_to_exit_codes, load, say, show, text_or_json
from m365audit.errors import QueryError
from m365audit.report import build_document, render
from m365audit.store.publish import write_in_place
from m365audit.store.published import PublishedReader, open_published


@click.group(invoke_without_command=True)
@click.pass_context
def findings(context: click.Context) -> None:
    """What the rules found: list it, or show one finding with its evidence."""
    if context.invoked_subcommand is None:
        context.invoke(list_findings)


@findings.command("list")
@click.option("--all", "everything", is_flag=True, help="Resolved findings too.")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
@config_option
@errors_to_exit_codes
def list_findings(*, everything: bool = False, form: str = "table", config_path: Path | None = None) -> None:
    """List the findings, the gravest first."""
    with open_published(load(config_path)[0].settings.publish) as database:
        names, rows = database.run(_FINDINGS_SQL, {"all": everything})
    show(lay_out(names, rows, form))


_FINDINGS_SQL: Final = """
    SELECT finding_id, severity, state, change, rule, title, evidence_count AS evidence, first_seen_at, last_seen_at,
        tenant_id
    FROM findings WHERE $all OR state = 'open'
    ORDER BY list_position(['critical', 'high', 'medium', 'low', 'info'], severity), tenant_id, title, finding_id
"""


@findings.command("show")
@click.argument("finding_id")
@text_or_json
@config_option
@errors_to_exit_codes
def show_finding(finding_id: str, *, form: str, config_path: Path | None) -> None:
    """Show one finding and its first pieces of evidence. FINDING_ID may be its beginning."""
    with open_published(load(config_path)[0].settings.publish) as database:
        names, rows = database.run("SELECT * FROM findings WHERE starts_with(finding_id, $id)", {"id": finding_id})
        if len(rows) != 1:
            hint = "list them with `m365audit findings list --all`"
            raise QueryError(f"{len(rows)} findings begin with {finding_id!r}", hint=hint)
        finding = dict(zip(names, rows[0], strict=True))
        evidence = database.run(_EVIDENCE_SQL, {"tenant": finding["tenant_id"], "finding": finding["finding_id"]})
    if form == "json":
        show(as_json({**finding, "evidence": [dict(zip(evidence[0], row, strict=True)) for row in evidence[1]]}))
        return
    show("\n".join(f"{name:16} {harmless(str(value))}" for name, value in finding.items() if value is not None))
    show("\n" + lay_out(*evidence, "table"))


_EVIDENCE_SQL: Final = """
    SELECT f.occurred_at, f.feed, f.event_id, e.endpoint, coalesce(e.resource_name, e.resource_id) AS resource, v.reasons
    FROM finding_evidence AS f
    LEFT JOIN access_events AS e USING (tenant_id, feed, event_id)
    LEFT JOIN verdicts AS v USING (tenant_id, feed, event_id)
    WHERE f.tenant_id = $tenant AND f.finding_id = $finding
    ORDER BY f.occurred_at NULLS LAST, f.event_id LIMIT 20
"""


@click.command()
@click.option("--format", "form", type=click.Choice(["html", "csv", "json"]), default="html", show_default=True)
@click.option(
    "--section", default=None, help="Table of the CSV: cells (default), findings, evidence, coverage, not_assessable."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="File; default: stdout."
)
@config_option
@errors_to_exit_codes
def report(*, form: str, section: str | None, output: Path | None, config_path: Path | None) -> None:
    """Render the published state as HTML, CSV or JSON; all three show the same cells."""
    with open_published(load(config_path)[0].settings.publish) as database:
        content = render(build_document(PublishedReader(database)), form, section)
    if output is None:
        click.get_binary_stream("stdout").write(content)
    else:
        write_in_place(content, output)
        say(f"written: {output}")

"""Commands about the consent register."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from m365audit.cli.options import config_option, format_option
from m365audit.cli.output import as_json
from m365audit.cli.session import load, tenant_id_of
from m365audit.cli.streams import say, show, show_lines
from m365audit.cli.whole_file import replaced
from m365audit.errors import ConfigurationError, QueryError
from m365audit.pipeline import load_register
from m365audit.register import check_summary, check_text, parse_at, register_rows, state_at, state_text
from m365audit.register.propose import draft, draft_name, grants_of
from m365audit.store.published import PublishedReader, open_published


@click.group()
@config_option(is_passed_on=False)
def register() -> None:
    """The consent register: what each tenant has agreed to."""


@register.command(short_help="Check every consent record.")
@format_option("text", "json")
@config_option()
def check(*, form: str, config_path: Path | None) -> None:
    """Check every consent record: all mistakes of all files at once, each with its line and what to do."""
    loaded, policy = load(config_path)
    consents = load_register(loaded.settings, policy)
    if form == "json":
        show(as_json(check_summary(consents)))
    else:
        show_lines(check_text(consents).split("\n"))
    if not (consents.is_valid and loaded.is_valid and policy.is_valid):
        sys.exit(ConfigurationError.exit_code)


@register.command("show", short_help="Show what was agreed to at a date.")
@click.option("--at", "moment", default=None, metavar="DATE", help="Day or time, e.g. 2026-05-18; default: now.")
@click.option("--tenant", default=None, help="Only this tenant's records: id or name.")
@format_option("text", "json")
@config_option()
def show_state(*, moment: str | None, tenant: str | None, form: str, config_path: Path | None) -> None:
    """Show what was agreed to at a date: which processes are active, which ended, and why."""
    loaded, policy = load(config_path)
    consents = load_register(loaded.settings, policy)
    at = parse_at(moment) if moment else datetime.now(UTC)
    tenant_id = tenant_id_of(loaded.settings, tenant) if tenant else None
    if form == "json":
        show(as_json(state_at(consents, at, tenant=tenant_id)))
    else:
        show_lines(state_text(consents, at, tenant=tenant_id).split("\n"))
    if not consents.is_valid:
        say(f"the register has {len(consents.problems)} mistakes: run `m365audit register check`")
        sys.exit(ConfigurationError.exit_code)


@register.command(short_help="Draft records from what apps are granted now.")
@click.option("--tenant", required=True, help="Whose apps: id or name.")
@click.option("--app", "app_id", default=None, metavar="ID", help="Only this application (client) id.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), default=None,
    help="File to write, or a folder for one file an app; default: stdout.",
)  # fmt: skip
@config_option()
def propose(*, tenant: str, app_id: str | None, output: Path | None, config_path: Path | None) -> None:
    """Draft consent records from what apps are granted now, for those that no record lists.

    A draft is refused by the register until a person has filled in purpose, legal basis, resources, period and
    evidence: what was granted says nothing about what was agreed to. Nothing is written into the register.
    """
    loaded, policy = load(config_path)
    tenant_id = tenant_id_of(loaded.settings, tenant)
    with open_published(loaded.settings.publish) as database:
        asked = {"tenant": tenant_id, "app": app_id.lower() if app_id else None}
        found = grants_of(PublishedReader(database).rows("register-proposals", **asked))
        newest = PublishedReader(database).rows("report-tenants")
    if not found:
        say("nothing to propose: every app that holds a grant is recorded or Microsoft's own" if app_id is None else
            f"{app_id} holds no grant in the newest evidence")  # fmt: skip
        return
    moments = [row["watched_to"] for row in newest if row["tenant_id"] == tenant_id]
    at = moments[0] if moments and isinstance(moments[0], datetime) else datetime.now(UTC)
    taken = {str(row["record"]) for row in register_rows(load_register(loaded.settings, policy))["register_records"]}
    drafts: dict[str, str] = {}
    for app, grants in found.items():
        name = draft_name(app, grants[0].app_name, frozenset({*taken, *drafts}))
        drafts[name] = draft(tenant_id, grants, record=name, made_at=at)
    _write_drafts(drafts, output)


def _write_drafts(drafts: dict[str, str], output: Path | None) -> None:
    """Print drafts, or write them: several only into a folder; what is there already is never written over.

    Raises:
        QueryError: there are several and only one file, or a file is there already.
    """
    if output is None:
        show("---\n".join(drafts.values()).rstrip("\n"))
        return
    if not output.is_dir() and len(drafts) > 1:
        raise QueryError(
            f"these are {len(drafts)} drafts for one file", hint="name a folder that is there, or --app ID"
        )
    for name, text in drafts.items():
        target = output / f"{name}.yaml" if output.is_dir() else output
        if target.exists():
            raise QueryError(
                f"{target} is there already", hint="a draft never takes the place of a record: name another"
            )
        with replaced(target) as unfinished:
            unfinished.write_text(text, encoding="utf-8")
        say(f"written: {target}")

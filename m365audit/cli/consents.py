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
from m365audit.errors import ConfigurationError
from m365audit.pipeline import load_register
from m365audit.register import check_summary, check_text, parse_at, state_at, state_text


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

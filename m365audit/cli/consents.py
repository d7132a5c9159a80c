"""Commands about the consent register."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from m365audit.cli.output import as_json
from m365audit.cli.session import (
    config_option,
    errors_to_exit_codes,
    harmless_lines,
    load,
    say,
    show,
    tenant_id_of,
    text_or_json,
)
from m365audit.errors import ConfigurationError
from m365audit.pipeline import load_register
from m365audit.register import check_summary, check_text, parse_at, state_at, state_text


@click.group()
def register() -> None:
    """The consent register: what each tenant has agreed to."""


@register.command()
@text_or_json
@config_option
@errors_to_exit_codes
def check(*, form: str, config_path: Path | None) -> None:
    """Check every consent record: all mistakes of all files at once, each with its line and what to do."""
    loaded, policy = load(config_path)
    consents = load_register(loaded.settings, policy)
    text = as_json(check_summary(consents)) if form == "json" else harmless_lines(check_text(consents))
    show(text)
    if not (consents.is_valid and loaded.is_valid and policy.is_valid):
        sys.exit(ConfigurationError.exit_code)


@register.command("show")
@click.option("--at", "moment", default=None, metavar="DATE", help="Day or time, e.g. 2026-05-18; default: now.")
@click.option("--tenant", default=None, help="Only this tenant's records: id or name.")
@text_or_json
@config_option
@errors_to_exit_codes
def show_state(*, moment: str | None, tenant: str | None, form: str, config_path: Path | None) -> None:
    """Show what was agreed to at a date: which processes are active, which ended, and why."""
    loaded, policy = load(config_path)
    consents = load_register(loaded.settings, policy)
    at = parse_at(moment) if moment else datetime.now(UTC)
    tenant_id = tenant_id_of(loaded.settings, tenant) if tenant else None
    if form == "json":
        show(as_json(state_at(consents, at, tenant=tenant_id)))
    else:
        show(harmless_lines(state_text(consents, at, tenant=tenant_id)))
    if not consents.is_valid:
        say(f"the register has {len(consents.problems)} mistakes: run `m365audit register check`")
        sys.exit(ConfigurationError.exit_code)

"""The doctor command: what the auditor's own access is like, tenant by tenant."""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from m365audit import log
from m365audit.cli.examined import examined_facts, examined_lines, verdict_words
from m365audit.cli.options import config_option, format_option
from m365audit.cli.output import as_json
from m365audit.cli.session import load, tenant_id_of
from m365audit.cli.streams import say, show, show_lines
from m365audit.errors import ConfigurationError

if TYPE_CHECKING:
    from m365audit.config import Settings, TenantSettings
    from m365audit.graph.doctor import Seen

_CONFIGURATION = 2


@click.command()
@click.option("--tenant", "wanted", multiple=True, metavar="TENANT", help="Only this one, by id or name; repeatable.")
@click.option(
    "--timeout", type=click.FloatRange(1, 3600), default=60.0, show_default=True, metavar="SECONDS",
    help="How long one tenant may take.",
)  # fmt: skip
@format_option("text", "json")
@config_option()
def doctor(wanted: tuple[str, ...], *, timeout: float, form: str, config_path: Path | None) -> int:
    """Examine the auditor's own access: sign-in, permissions, licences, logs.

    Says for each tenant whether the auditor is let in, which permissions it lacks or holds beyond need, what was
    bought, which logs can be read, what cannot be assessed without the others, and what to do. Only asks; changes
    nothing.

    \b
    Exit codes: 0 all is well, 2 configuration, 3 no tenant lets the auditor in, 4 something is missing or too much.
    """  # noqa: D301 - click reads the character
    loaded, _ = load(config_path)
    tenants = _chosen(loaded.settings, wanted)
    from m365audit.graph.clouds import cloud_of  # noqa: PLC0415 - costs a second
    from m365audit.graph.doctor import examine  # noqa: PLC0415

    log.configure("info")
    examined = asyncio.run(
        examine(
            tenants, cloud_of(loaded.settings.cloud), state=loaded.settings.state, within=timedelta(seconds=timeout),
            on_done=_told,
        )
    )  # fmt: skip
    if form == "json":
        show(as_json(examined_facts(examined)))
    else:
        show_lines(list(examined_lines(examined)))
    return examined.exit_code or (0 if loaded.is_valid else _CONFIGURATION)


def _chosen(settings: Settings, wanted: tuple[str, ...]) -> list[TenantSettings]:
    ids = {tenant_id_of(settings, name) for name in wanted}
    chosen = [tenant for tenant in settings.tenants if not ids or tenant.id in ids]
    if not chosen:
        raise ConfigurationError("the configuration names no tenant", hint="add one to `tenants:`")
    return chosen


def _told(seen: Seen) -> None:
    """Say on stderr that a tenant is done: the slow ones are not waited for in silence."""
    examination = seen.examination
    if sys.stderr is not None and sys.stderr.isatty():
        say(f"[{seen.done}/{seen.total}] {examination.name}: {verdict_words(examination)}")
    else:
        log.get_logger().info("examined", tenant=examination.tenant, verdict=examination.verdict,
                              done=seen.done, total=seen.total)  # fmt: skip

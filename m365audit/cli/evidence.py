"""Commands that take evidence in and judge it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import click

from m365audit import pipeline
from m365audit.cli.options import config_option, fail_on_option, format_option
from m365audit.cli.output import as_json
from m365audit.cli.progress import Progress
from m365audit.cli.session import check_state_is_known, load, tenant_id_of
from m365audit.cli.streams import say, show, show_lines
from m365audit.cli.summary import folded, outcome_facts, outcome_lines
from m365audit.cli.table import terminal_width
from m365audit.config import LoadedPolicy, LoadedSettings, Settings, parse_duration, parse_time
from m365audit.config.durations import DurationError, TimeError
from m365audit.errors import ConfigurationError
from m365audit.model import EXPORT_KINDS, FEEDS, SEVERITIES
from m365audit.pipeline import NOTHING, Import, Outcome, Wanted

_FOUND: Final = 1
_USAGE: Final = 2
_LOCKED_OUT: Final = 3
_PARTIAL: Final = 4
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@click.command("import")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path, readable=False))
@click.option(
    "--tenant", required=True, help="Tenant that the files belong to: its id, or its name in the configuration."
)
@click.option(
    "--kind",
    type=click.Choice(EXPORT_KINDS),
    default=None,
    help="What the files hold; default: seen from their content.",
)
@click.option(
    "--observed-at", default=None, metavar="TIME",
    help="When listings (users, groups …) were taken, e.g. 2026-09-15T06:00:00Z; default: each file's time.",
)  # fmt: skip
@click.option(
    "--from", "begin", default=None, metavar="TIME", help="With --to: the files hold everything from this time …"
)
@click.option(
    "--to", "end", default=None, metavar="TIME", help="… up to this one; then gaps and silence can be told apart."
)
@click.option("--no-evaluate", is_flag=True, help="Only take the files in; judge later with `evaluate`.")
@fail_on_option
@format_option("text", "json")
@config_option()
def import_(
    paths: tuple[Path, ...], tenant: str, kind: str | None, observed_at: str | None, *, begin: str | None,
    end: str | None, no_evaluate: bool, fail_on: str | None, form: str, config_path: Path | None,
) -> None:  # fmt: skip
    """Read exported log files and folders, judge everything, publish database and report.

    Reads diagnostic-settings exports (JSON lines), Graph JSON pages and arrays, Management Activity API records,
    Purview audit CSV, rows of Log Analytics (JSON, CSV, query answers), the Entra portal's JSON and CSV, tables of
    grants, and call records, also compressed with gzip or Zstandard, or in a ZIP archive. For every file: read =
    stored + duplicate + quarantined. Importing a file again adds nothing.
    """
    loaded, policy = load(config_path)
    tenant_id = tenant_id_of(loaded.settings, tenant)
    moment = _moment("--observed-at", observed_at)
    window = _window(_moment("--from", begin), _moment("--to", end))
    imports = [Import(path, tenant_id, kind, moment, window) for path in paths]
    _finish(loaded, policy, imports, "import", form=form, fail_on=fail_on, evaluate=not no_evaluate)


@click.command()
@click.option("--tenant", "tenants", multiple=True, help="Only this tenant (id or name); repeatable.")
@click.option(
    "--feed",
    "feeds",
    multiple=True,
    type=click.Choice(FEEDS),
    metavar="FEED",
    help=f"Collect only this feed; repeatable. One of: {', '.join(FEEDS)}.",
)
@click.option(
    "--from",
    "begin",
    default=None,
    metavar="TIME",
    help="Collect from this time, e.g. 2026-09-01 or 2026-09-01T06:00:00Z; default: where the run before "
    "ended, the first time 30 days back or as far as Microsoft keeps it.",
)
@click.option("--to", "end", default=None, metavar="TIME", help="Collect up to this time; default: now.")
@click.option(
    "--within",
    default=pipeline.WITHIN,
    show_default=True,
    metavar="DURATION",
    help="How long one tenant may take; what is not read by then is the next run's first work.",
)
@fail_on_option
@format_option("text", "json")
@config_option()
def run(
    *, tenants: tuple[str, ...], feeds: tuple[str, ...], begin: str | None, end: str | None, within: str,
    fail_on: str | None, form: str, config_path: Path | None,
) -> None:  # fmt: skip
    """Collect from every tenant, read its standing imports, judge everything, publish. Made to be scheduled.

    Tenants with a `credential` are asked; all of them side by side, each as fast as Microsoft's limits let it. What
    the licence, a permission or Microsoft's retention forbids becomes a gap in the coverage, with its reason, and so
    does everything else that was not seen. Safe to repeat, to kill, and to start twice: a second run says who is at
    work and stops; the next one goes on where this one ended.

    Look with `m365audit doctor` at what a tenant's gaps come from.
    """
    loaded, policy = load(config_path)
    chosen = {tenant_id_of(loaded.settings, tenant) for tenant in tenants}
    of_interest = [tenant for tenant in loaded.settings.tenants if not chosen or tenant.id in chosen]
    imports = [item for item in standing_imports(loaded.settings) if not chosen or item.tenant in chosen]
    wanted = Wanted(
        tuple(tenant for tenant in of_interest if tenant.credential is not None),
        feeds,
        *_span(_moment("--from", begin, is_day_enough=True), _moment("--to", end, is_day_enough=True)),
        within=_duration("--within", within),
    )
    if feeds:
        imports = []  # a feed is asked of Microsoft; what lies in files stays for a run without --feed
    if not imports and not wanted.tenants:
        say("no tenant has a credential and no standing import is named: judging what was landed before")
    left_out = _left_out(wanted)
    for line in left_out:
        say(line)
    missing = [name for name in ("dpia", "works_council") if getattr(loaded.settings.privacy, name) is None]
    if missing:
        say(f"privacy.{' and privacy.'.join(missing)} not given: see docs/privacy/own-processing.md")
    _finish(loaded, policy, imports, "run", form=form, fail_on=fail_on, wanted=wanted, is_short=bool(left_out))


@click.command()
@fail_on_option
@format_option("text", "json")
@config_option()
def evaluate(*, fail_on: str | None, form: str, config_path: Path | None) -> None:
    """Judge what was landed again, with today's register and rules. Reads no log and needs no network."""
    loaded, policy = load(config_path)
    _finish(loaded, policy, [], "evaluate", form=form, fail_on=fail_on)


def _finish(
    loaded: LoadedSettings, policy: LoadedPolicy, imports: list[Import], command: str, *, form: str,
    fail_on: str | None, evaluate: bool = True, wanted: Wanted = NOTHING, is_short: bool = False,
) -> None:  # fmt: skip
    """Run, print, and exit with the code that says how it went; ``is_short``: not all that was asked for is tried."""
    check_state_is_known(loaded)
    if wanted.tenants and not loaded.is_valid:
        say("nothing was collected, because the configuration is invalid")
        wanted = NOTHING
    outcome = run_pipeline(
        loaded.settings, policy, imports, command, evaluate=evaluate and loaded.is_valid, wanted=wanted
    )
    print_outcome(outcome, form)
    empty = _without_files(imports, outcome)
    for path in empty:
        say(f"nothing to read was found in {path}")
    if not loaded.is_valid and evaluate:
        taken = "the evidence was taken in; " if imports else ""
        say(f"{taken}nothing was judged, because the configuration is invalid")
    sys.exit(_exit_code(loaded, policy, outcome, fail_on) or (_PARTIAL if empty or is_short else 0))


def _left_out(wanted: Wanted) -> list[str]:
    """Return a line for each feed that was asked for by name and that a tenant's settings do not let be collected."""
    return [
        f"{feed} is not collected from {tenant.display_name}: its settings name "
        f"{'no storage account' if feed in tenant.feeds else 'other feeds'}"
        for tenant in wanted.tenants
        for feed in wanted.feeds
        if feed not in tenant.feeds or (feed == "graph_activity" and tenant.storage is None)
    ]


def _without_files(imports: list[Import], outcome: Outcome) -> list[Path]:
    """Return what was named and held no file: a mount that is missing looks like this."""
    read = {Path(name) for file in outcome.landed for name in (file.path, file.path.partition("!")[0])}
    seen = read.union(*(path.parents for path in read))
    names = {item.path: os.fsencode(item.path).decode("utf-8", "backslashreplace") for item in imports}
    return [path for path, name in names.items() if Path(name) not in seen]


def _exit_code(loaded: LoadedSettings, policy: LoadedPolicy, outcome: Outcome, fail_on: str | None) -> int:
    done = outcome.evaluation
    if not (loaded.is_valid and policy.is_valid) or (done is not None and done.not_judged):
        return _USAGE
    if outcome.is_locked_out:
        return _LOCKED_OUT
    # Who asks for 1 wants to hear of findings above all; a log that is missing for good makes every run end with 4.
    if fail_on and done is not None and any(map(done.findings.get, SEVERITIES[SEVERITIES.index(fail_on) :])):
        return _FOUND
    return _PARTIAL if outcome.is_partial else 0


def _window(begin: datetime | None, end: datetime | None) -> tuple[datetime, datetime] | None:
    if begin is None and end is None:
        return None
    if begin is None or end is None or end <= begin:
        raise ConfigurationError("--from and --to are a window", hint="give both, --to after --from")
    return begin, end


def _span(begin: datetime | None, end: datetime | None) -> tuple[datetime | None, datetime | None]:
    """Return what is to be collected between, either side open.

    Raises:
        ConfigurationError: it ends before it begins.
    """
    if begin is not None and end is not None and end <= begin:
        raise ConfigurationError("--to is not after --from", hint="give the first moment, and the first one after it")
    return begin, end


def _duration(option: str, text: str) -> timedelta:
    try:
        return parse_duration(text)
    except DurationError as error:
        raise ConfigurationError(f"{option} {text!r}: {error.what}", hint=error.todo) from None


def _moment(option: str, text: str | None, *, is_day_enough: bool = False) -> datetime | None:
    if text is None:
        return None
    if is_day_enough and _DAY.fullmatch(text):
        text = f"{text}T00:00:00Z"
    try:
        return parse_time(text)
    except TimeError as error:
        raise ConfigurationError(f"{option} {text!r}: {error.what}", hint=error.todo) from None


def standing_imports(settings: Settings) -> list[Import]:
    """Return what the configuration says to read on every run."""
    return [
        Import(item.path, tenant.id, item.kind, window=item.window)
        for tenant in settings.tenants
        for item in tenant.imports
    ]


def run_pipeline(
    settings: Settings, policy: LoadedPolicy, imports: Sequence[Import], command: str, *, evaluate: bool = True,
    wanted: Wanted = NOTHING,
) -> Outcome:  # fmt: skip
    """Run the pipeline with progress on stderr."""
    progress = Progress()
    try:
        return pipeline.run(settings, policy, imports, progress, command=command, evaluate=evaluate, wanted=wanted)
    finally:
        progress.done()


def print_outcome(outcome: Outcome, form: str, *, brief: bool = False) -> None:
    """Print what a run came to, as text or JSON."""
    if form == "json":
        show(as_json(outcome_facts(outcome)))
    else:
        show_lines(folded(outcome_lines(outcome, brief=brief), terminal_width()))

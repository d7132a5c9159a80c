"""Commands about requests of people (GDPR Art. 15-21) and about statements by which somebody answers for a control."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from m365audit.cli.deciding import here, moment, tell
from m365audit.cli.options import config_option, format_option, reason_option, version_option
from m365audit.cli.output import lay_out
from m365audit.cli.session import tenant_id_of
from m365audit.cli.streams import show
from m365audit.config import Settings
from m365audit.errors import ConfigurationError, ReviewError
from m365audit.findings.requests import KINDS
from m365audit.pipeline import casework
from m365audit.pipeline.casework import Doing, Statement
from m365audit.pipeline.reviewing import zone_of

_TENANT = click.option("--tenant", default=None, metavar="TENANT", help="Name or id; not needed where there is one.")


def _doing(config_path: Path | None, version: int | None = None) -> Doing:
    settings, actor, now = here(config_path)
    return Doing(settings, actor, now, version)


def _tenant(settings: Settings, wanted: str | None) -> str:
    """Return the tenant that is meant: the one named, else the only one there is."""
    if wanted is not None:
        return tenant_id_of(settings, wanted)
    if len(settings.tenants) != 1:
        raise ConfigurationError("the configuration has more than one tenant", hint="name one with --tenant")
    return settings.tenants[0].id


@click.group()
def requests() -> None:
    """Requests of people: access, rectification, erasure …, and until when they are to be answered.

    Two clocks run, and the earlier one counts: one calendar month (GDPR Art. 12(3)), and the days of the policy.
    Write no names here: give your own reference.
    """


@requests.command("add", short_help="Write down a request that came in.")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--received", default=None, metavar="DATE", help="Day on which it came in; default: today.")
@click.option("--ref", "reference", default="", metavar="TEXT", help="Your own reference; no name.")
@_TENANT
@format_option("text", "json")
@config_option()
def add(
    kind: str, *, received: str | None, reference: str, tenant: str | None, form: str, config_path: Path | None
) -> None:  # fmt: skip
    """Write down a request that came in, and show until when it is to be answered."""
    doing = _doing(config_path)
    day = _day(received) if received else doing.now.astimezone(zone_of(doing.settings)).date()
    entry = casework.add_request(doing, _tenant(doing.settings, tenant), kind, day, reference)
    found = next(each for each in casework.all_requests(doing.settings) if each.request_id == entry.subject)
    lines = [
        f"{entry.subject}: {kind}, received {found.received_on}, due {found.due_on}",
        f"  by law {found.legal_due_on}, by the policy {found.policy_due_on}",
    ]
    tell(entry, form, lines)


@requests.command("list", short_help="List the requests that wait for an answer.")
@click.option("--all", "everything", is_flag=True, help="Answered ones too.")
@format_option("table", "csv", "json")
@config_option()
def list_requests(*, everything: bool, form: str, config_path: Path | None) -> None:
    """List the requests, the most urgent first."""
    doing = _doing(config_path)
    today = doing.now.astimezone(zone_of(doing.settings)).date()
    names = ("request_id", "tenant_id", "kind", "state", "received", "due", "days_left", "by_law", "by_policy")
    found = [each for each in casework.all_requests(doing.settings) if everything or each.is_running]
    rows = [
        (each.request_id, each.tenant, each.kind, each.state, str(each.received_on), str(each.due_on),
         (each.due_on - today).days if each.is_running else None, str(each.legal_due_on), str(each.policy_due_on))
        for each in sorted(found, key=lambda each: (not each.is_running, each.due_on, each.request_id))
    ]  # fmt: skip
    show(lay_out(names, rows, form))


@requests.command("answer", short_help="Say that a request was answered.")
@click.argument("request_id")
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def answer(request_id: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Say that a request was answered, and how (--reason)."""
    entry = casework.end_request(_doing(config_path, version), request_id, reason, is_refused=False)
    tell(entry, form, [f"{entry.subject} is answered"])


@requests.command("extend", short_help="Extend the time by two months; only within the first.")
@click.argument("request_id")
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def extend(request_id: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Say that the person was told, within the first month, that it takes up to two months more, and why."""
    entry = casework.extend_request(_doing(config_path, version), request_id, reason)
    tell(entry, form, [f"{entry.subject} is extended, and due {entry.body['due_on']}"])


@requests.command("refuse", short_help="Say that a request was refused.")
@click.argument("request_id")
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def refuse(request_id: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Say that a request was refused, with the reason that the person was given (Art. 12(4))."""
    entry = casework.end_request(_doing(config_path, version), request_id, reason, is_refused=True)
    tell(entry, form, [f"{entry.subject} is refused"])


def _day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        raise ReviewError(f"--received: {text!r} is no day", hint="write it like 2026-11-21") from None


@click.command(short_help="Answer for a control that no log can prove.")
@click.argument("control")
@click.option("--kind", required=True, metavar="WORD", help="What it is: contract, certificate, statement …")
@click.option("--ref", required=True, metavar="TEXT", help="Where it is: a number, a link, a place.")
@click.option(
    "--file", "file", default=None, type=click.Path(path_type=Path, exists=True, dir_okay=False, readable=True),
    help="The document itself; its SHA-256 is kept, not the file.",
)  # fmt: skip
@click.option("--valid-until", required=True, metavar="DATE", help="Until when it holds.")
@click.option("--role", required=True, metavar="ROLE", help="Who answers for it, by role: e.g. dpo, it_manager.")
@_TENANT
@format_option("text", "json")
@config_option()
def attest(
    control: str, *, kind: str, ref: str, file: Path | None, valid_until: str, role: str, tenant: str | None,
    form: str, config_path: Path | None,
) -> None:  # fmt: skip
    """Write down a statement about a control, e.g. C07-3. It is shown beside the control and never proves it."""
    doing = _doing(config_path)
    until = moment(doing.settings, valid_until, "--valid-until")
    statement = Statement(control, kind, ref, role, until, file)
    entry = casework.attest(doing, _tenant(doing.settings, tenant), statement)
    digest = f", SHA-256 {entry.body['sha256']}" if entry.body["sha256"] else ""
    tell(entry, form, [f"{entry.subject} is attested until {until:%Y-%m-%d} ({kind}, {ref}{digest})"])

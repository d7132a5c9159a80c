"""Commands by which people decide on findings; every check is ``pipeline.reviewing``'s, as for the review page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final

import click

from m365audit.cli.options import config_option, format_option, reason_option, version_option
from m365audit.cli.output import as_json
from m365audit.cli.session import load
from m365audit.cli.streams import say, show, show_lines
from m365audit.config import Settings
from m365audit.config.durations import TimeError, parse_time
from m365audit.errors import ReviewError
from m365audit.findings.values import BREACH_ANSWERS, DECISIONS, OPINIONS, Wish
from m365audit.pipeline import reviewing
from m365audit.pipeline.moment import present_moment, set_back_behind
from m365audit.pipeline.reviewing import FindingKey
from m365audit.store.journal import Actor, Entry

Body = Callable[..., Any]
_DAY: Final = 10


def here(config_path: Path | None) -> tuple[Settings, Actor, datetime]:
    """Return the configuration, who sits at this terminal, and the time; say so where nobody proved who it is."""
    settings = load(config_path)[0].settings
    behind = set_back_behind(settings)
    if behind is not None:
        say(f"the clock of this machine is earlier than the newest decision, of {behind:%Y-%m-%d %H:%M} UTC")
        say("  put it right; until then that moment counts as now")
    return settings, reviewing.actor_here(settings), present_moment(settings)


def moment(settings: Settings, text: str, option: str) -> datetime:
    """Return a time that a user gave; a day means its end, in the reader's zone.

    Raises:
        ReviewError: it is neither a day nor a time.
    """
    try:
        if len(text) == _DAY:
            day = datetime.combine(datetime.fromisoformat(text).date(), time(23, 59, 59), reviewing.zone_of(settings))
            return day.astimezone(UTC)
        return parse_time(text)
    except (TimeError, ValueError):
        hint = "write a day like 2026-12-31, or a time with its zone like 2026-12-31T09:00:00Z"
        raise ReviewError(f"{option}: {text!r} is no time", hint=hint) from None


def chosen(settings: Settings, begin: str) -> FindingKey:
    """Return the finding whose id begins so.

    Raises:
        QueryError: there is none, or more than one.
    """
    from m365audit.cli.reviewing import one_finding  # noqa: PLC0415 - it is the group that this module's commands are in
    from m365audit.store.published import open_published  # noqa: PLC0415

    with open_published(settings.publish) as database:
        found = one_finding(database, begin)
    return FindingKey(str(found["tenant_id"]), str(found["finding_id"]))


def tell(entry: Entry, form: str, lines: Iterable[str]) -> None:
    """Show what was written down."""
    if form == "json":
        show(as_json(entry_values(entry)))
        return
    show_lines(lines)
    if entry.actor.how == "os":
        say(f"written as {entry.actor.person} ({entry.actor.id}): this machine's user, not authenticated")


def entry_values(entry: Entry) -> dict[str, object]:
    """Return an entry as JSON has it."""
    return {
        "kind": entry.kind, "tenant_id": entry.tenant, "subject": entry.subject, "version": entry.version,
        "seq": entry.seq, "at": entry.at, "event": entry.event, "actor": entry.actor.id, "person": entry.actor.person,
        "roles": list(entry.actor.roles), "how": entry.actor.how, "body": dict(entry.body), "hash": entry.hash,
    }  # fmt: skip


@click.command(short_help="Decide on a finding, or ask for a decision that takes two people.")
@click.argument("finding_id")
@click.option("--as", "to", required=True, type=click.Choice(DECISIONS), help="What it is.")
@reason_option
@click.option("--evidence", multiple=True, metavar="REF", help="What proves it: an event id, a ticket, a document.")
@click.option("--owner", default=None, metavar="WHO", help="Who mends it, or bears the risk.")
@click.option("--until", default=None, metavar="DATE", help="End of an acceptance, or day by which it is mended.")
@click.option("--breach", type=click.Choice(BREACH_ANSWERS), default=None, help="Is it a breach of personal data?")
@version_option
@format_option("text", "json")
@config_option()
def decide(
    finding_id: str, *, to: str, reason: str, evidence: tuple[str, ...], owner: str | None, until: str | None,
    breach: str | None, version: int | None, form: str, config_path: Path | None,
) -> None:  # fmt: skip
    """Decide on a finding. FINDING_ID may be its beginning.

    \b
    confirmed       it is so; needs --breach yes, no or unclear (yes opens a breach case and starts its clock)
    remediating     it is being mended; needs --owner
    false_positive  it is not so; needs --evidence
    explained       it is so, and was agreed to: a late record; needs --evidence
    accepted        the risk is borne; needs --owner, --until and --evidence
    resolved        it is mended; needs --evidence

    The last four end a finding. For high and critical ones they wait for a second person (findings approve), and an
    acceptance for a risk owner. What was ended comes back when the acceptance ends, when it grows graver or wider, or
    when it is seen again. Nothing is ever deleted.
    """  # noqa: D301 - click reads the character
    settings, actor, now = here(config_path)
    key = chosen(settings, finding_id)
    ends = moment(settings, until, "--until") if until else None
    wish = Wish(to, reason, evidence, owner, ends, breach)
    entry = reviewing.decide(settings, actor, key, wish, expected_version=version, now=now)
    tell(entry, form, _decided_lines(settings, key, entry, to))


def _decided_lines(settings: Settings, key: FindingKey, entry: Entry, to: str) -> Iterator[str]:
    if entry.event == "request":
        yield f"{key.finding_id}: {to} is asked for, and waits for a second person (version {entry.version})"
        yield f"  m365audit findings approve {key.finding_id} --reason TEXT"
        return
    yield f"{key.finding_id} is {to} (version {entry.version})"
    if entry.body.get("breach") == "yes":
        from m365audit.pipeline import casework  # noqa: PLC0415 - rarely wanted

        for case in casework.all_cases(settings):
            if key.finding_id in case.finding_ids and case.due_at is not None and case.state != "closed":
                yield f"breach case {case.case_id}: the authority is to be notified by {case.due_at:%Y-%m-%d %H:%M} UTC"
                yield f"  m365audit breach status {case.case_id}"


@click.command(short_help="Let through what another person asked for.")
@click.argument("finding_id")
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def approve(finding_id: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Let a decision through that another natural person asked for."""
    settings, actor, now = here(config_path)
    key = chosen(settings, finding_id)
    entry = reviewing.approve(settings, actor, key, reason, expected_version=version, now=now)
    tell(entry, form, [f"{key.finding_id} is {entry.body['state']} (version {entry.version})"])


@click.command(short_help="Refuse what another person asked for, or take your own request back.")
@click.argument("finding_id")
@reason_option
@version_option
@format_option("text", "json")
@config_option()
def deny(finding_id: str, *, reason: str, version: int | None, form: str, config_path: Path | None) -> None:
    """Refuse a decision that another person asked for; who asked for it takes it back in this way."""
    settings, actor, now = here(config_path)
    key = chosen(settings, finding_id)
    entry = reviewing.deny(settings, actor, key, reason, expected_version=version, now=now)
    done = "taken back" if entry.event == "withdraw" else "denied"
    tell(entry, form, [f"{key.finding_id}: {entry.body['state']} is {done} (version {entry.version})"])


@click.command(short_help="Say what the data protection officer thinks of an acceptance.")
@click.argument("finding_id")
@click.option("--is", "opinion", required=True, type=click.Choice(OPINIONS), help="What you think of it.")
@reason_option
@format_option("text", "json")
@config_option()
def opinion(finding_id: str, *, opinion: str, reason: str, form: str, config_path: Path | None) -> None:
    """Say what the data protection officer thinks of an acceptance; it never blocks it, and the report shows it."""
    settings, actor, now = here(config_path)
    key = chosen(settings, finding_id)
    entry = reviewing.give_opinion(settings, actor, key, opinion, reason, now=now)
    tell(entry, form, [f"{key.finding_id}: the data protection officer's opinion is {opinion}"])


@click.command(short_help="Show everything that was ever decided on a finding.")
@click.argument("finding_id")
@format_option("text", "json")
@config_option()
def history(finding_id: str, *, form: str, config_path: Path | None) -> None:
    """Show how a finding stands, and everything that was ever decided on it, oldest first."""
    settings, _, now = here(config_path)
    stands, _, entries = reviewing.review_of(settings, chosen(settings, finding_id), now)
    if form == "json":
        values = {
            "finding_id": stands.finding_id, "version": stands.version, "decision": stands.decision,
            "pending": stands.pending, "returned": stands.returned, "due_at": stands.due_at,
            "expires_at": stands.expires_at, "entries": [entry_values(entry) for entry in entries],
        }  # fmt: skip
        show(as_json(values))
        return
    show_lines(_history_lines(stands.version, standing(stands), entries))


def standing(stands: Any) -> str:
    """Return in a few words how a finding stands."""
    parts = [stands.decision or "nobody has decided"]
    if stands.returned:
        parts.append(f"came back from {stands.returned_from}: {stands.returned}")
    if stands.pending:
        parts.append(f"{stands.pending} waits for a second person")
    if stands.expires_at and not stands.returned:
        parts.append(f"until {stands.expires_at:%Y-%m-%d}")
    if stands.due_at:
        parts.append(f"due {stands.due_at:%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)


def _history_lines(version: int, stands: str, entries: Iterable[Entry]) -> Iterator[str]:
    yield f"version {version}: {stands}"
    for entry in entries:
        to = entry.body.get("state") or entry.body.get("opinion") or ""
        who = f"{entry.actor.person} ({', '.join(entry.actor.roles) or entry.actor.how})"
        yield f"{entry.version:3}  {entry.at:%Y-%m-%d %H:%M} UTC  {entry.event} {to}  {who}"
        for name in ("reason", "breach", "owner", "until"):
            if entry.body.get(name):
                yield f"       {name}: {entry.body[name]}"
        if entry.body.get("evidence"):
            yield f"       evidence: {', '.join(entry.body['evidence'])}"

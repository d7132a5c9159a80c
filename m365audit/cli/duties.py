"""Commands for the auditor's own duties: a person's data, retention, holds, integrity, who looked at names."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from m365audit.cli.options import config_option, format_option, reason_option
from m365audit.cli.output import as_json, lay_out
from m365audit.cli.session import load, tenant_id_of
from m365audit.cli.streams import say, show, show_lines
from m365audit.errors import ConfigurationError, ReviewError, StoreError

_tenant_option = click.option("--tenant", required=True, metavar="TENANT", help="Whose: name or id.")
_apply_option = click.option("--apply", "is_applied", is_flag=True, help="Do it; without, it is only counted.")


@click.group()
@config_option(is_passed_on=False)
def subject() -> None:
    """A person's own data: give them everything, or erase it. PERSON is a UPN, an object id, or a report's token."""


@subject.command(short_help="Everything of one person, explained.")
@click.argument("person")
@_tenant_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder, or a file ending in .zip."
)
@format_option("json", "csv")
@config_option()
def export(*, person: str, tenant: str, output: Path, form: str, config_path: Path | None) -> None:
    """Write everything of one person, records as they came included, with what it means (Art. 15 GDPR).

    Other people in the same rows are replaced. That the export was made is written into the journal. Where nothing is
    found, the answer says so, with what was searched and what was not; the exit code is 0 then, too.
    """
    from m365audit.pipeline import reviewing, subject as subjects  # noqa: PLC0415, I001 - the pipeline takes half a second

    loaded, policy = load(config_path)
    tenant_id = tenant_id_of(loaded.settings, tenant)
    answer = subjects.export(
        loaded.settings, policy, tenant_id, person, form=form, actor=reviewing.actor_here(loaded.settings),
        at=datetime.now(UTC),
    )  # fmt: skip
    for path in subjects.write(answer, output):
        say(f"written: {path}")
    show_lines(f"{count:>8}  {name}" for name, count in answer.counts.items())
    if answer.is_nothing:
        say("nothing of this person was found; check the id, and the tenant")
        say(f"searched: {'; '.join(subjects.SEARCHED)}")
        say(f"not searched: {'; '.join(subjects.NOT_SEARCHED)}")
    elif not answer.counts:
        say("no table holds this person; the journal, kept files or the register may: the answer names them")


@subject.command(short_help="Take one person out of every file.")
@click.argument("person")
@_tenant_option
@reason_option
@_apply_option
@click.option("--refuse", "ground", default=None, metavar="ARTICLE", help="Record a refusal instead, e.g. '17(3)(e)'.")
@format_option("text", "json")
@config_option()
def erase(
    *, person: str, tenant: str, reason: str, is_applied: bool, ground: str | None, form: str, config_path: Path | None
) -> None:
    """Take one person out of every file of state and publish (Art. 17 GDPR); without --apply only count.

    Events stay, with a mask in the place of the person: verdicts, counts and coverage do not change. The mask comes
    again when the person does: a keyed hash of what was erased is kept for that, and nothing else.
    """
    from m365audit.pipeline import erasure, reviewing  # noqa: PLC0415

    loaded, _ = load(config_path)
    settings = loaded.settings
    tenant_id, actor = tenant_id_of(settings, tenant), reviewing.actor_here(settings)
    if ground is not None:
        token = erasure.refuse(settings, tenant_id, person, ground=ground, reason=reason, actor=actor)
        say(
            f"the refusal is on record for {token}: Art. {ground} GDPR; tell the person within a month, with the reason"
        )
        return
    result = erasure.erase(settings, tenant_id, person, reason=reason, actor=actor, is_applied=is_applied)
    told = result.erasure
    counts = {
        **told.rows,
        "kept files": len(told.files),
        "reports and exports": len(told.reports),
        "removed, because nobody can look into them": len(told.removed),
        "entries of the journal": told.journal,
    }
    left = [str(path) for path in result.left]
    if form == "json":
        show(as_json({"subject": result.subject, "is_done": result.is_done, "counts": counts, "left": left,
                      "not_touched": told.remaining, "shared": sorted(result.person.shared)}))  # fmt: skip
    else:
        show_lines(f"{count:>8}  {name}" for name, count in counts.items() if count)
    _say_erased(result.is_done, told.total, told.remaining, left)
    if left:
        sys.exit(StoreError.exit_code)


def _say_erased(is_done: bool, total: int, remaining: dict[str, str], left: list[str]) -> None:  # noqa: FBT001
    if not total:
        say("nothing of this person was found in state and publish; check the id, or the tenant")
    elif not is_done:
        say("nothing was changed; repeat it with --apply")
    for name, why in remaining.items():
        say(f"not touched: {name} names the person: {why}")
    if is_done:
        for path in left:
            say(f"error: {path} still holds the person")
        say(
            "back-ups, exports saved elsewhere, the consent register and Microsoft's own logs are not reached from here"
        )


@click.command()
@_apply_option
@format_option("text", "json")
@config_option()
def purge(*, is_applied: bool, form: str, config_path: Path | None) -> None:
    """Remove what is older than it may be kept; without --apply only count.

    How long stands under `privacy` of the configuration, else in the policy (system logs), else: logs 12 months,
    full network addresses 30 days, counts without a person 3 years. Holds are respected. Databases and kept files are
    written anew, so that no byte of what went is left in them; findings keep their history.
    """
    from m365audit.cli.evidence import run_pipeline  # noqa: PLC0415
    from m365audit.pipeline import retention, reviewing  # noqa: PLC0415

    loaded, policy = load(config_path)
    if is_applied and not (loaded.is_valid and policy.is_valid):
        raise ConfigurationError(
            "nothing was removed: how long it may be kept stands in files that cannot be read whole",
            hint="correct the above first; what is removed cannot be brought back",
        )
    actor = reviewing.actor_here(loaded.settings)
    result = retention.purge(loaded.settings, policy, actor=actor, is_applied=is_applied, at=datetime.now(UTC))
    counts = {**result.purged.rows, "rows whose addresses are cut": result.purged.addresses,
              "kept files": result.purged.files}  # fmt: skip
    if form == "json":
        show(as_json({
            "is_done": result.is_done, "logs_before": result.cutoffs.logs, "counts": counts,
            "addresses_before": result.cutoffs.addresses, "holds": [hold.hold_id for hold in result.held],
        }))  # fmt: skip
    else:
        cut = result.cutoffs
        show_lines([f"logs before {cut.logs:%Y-%m-%d}, addresses before {cut.addresses:%Y-%m-%d}"])
        show_lines(f"{count:>8}  {name}" for name, count in counts.items() if count)
    for hold in result.held:
        say(f"kept by hold {hold.hold_id} until {hold.until:%Y-%m-%d}: {hold.object}")
    if not result.purged.total:
        say("nothing is older than it may be kept")
    elif not result.is_done:
        say("nothing was changed; repeat it with --apply")
    else:
        run_pipeline(loaded.settings, policy, [], "purge")
        say("published anew; back-ups and exports saved elsewhere still hold what was removed")


@click.group()
@config_option(is_passed_on=False)
def hold() -> None:
    """Holds: what must not be purged or erased for a while, and why."""


@hold.command("set", short_help="Keep something from being purged or erased.")
@click.argument("what")
@_tenant_option
@reason_option
@click.option("--until", required=True, metavar="DATE", help="Last day, a year ahead at most, e.g. 2027-03-31.")
@config_option()
def set_(*, what: str, tenant: str, reason: str, until: str, config_path: Path | None) -> None:
    """Keep WHAT: tenant, feed:FEED, finding:ID or person:TOKEN (the report's token, never a name)."""
    from m365audit.pipeline import holding, reviewing  # noqa: PLC0415

    settings = load(config_path)[0].settings
    try:
        end = datetime.fromisoformat(until).replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        raise ReviewError(f"{until!r} is no day", hint="write it like 2027-03-31") from None
    held = holding.set_hold(settings, tenant_id_of(settings, tenant), what, reason=reason, until=end,
                            actor=reviewing.actor_here(settings), now=datetime.now(UTC))  # fmt: skip
    show_lines([held.hold_id])
    say("it holds from now on; releasing it takes another person" if not held.is_single else "it holds from now on")


@hold.command("approve", short_help="Agree to a hold as its second person.")
@click.argument("hold_id")
@_tenant_option
@config_option()
def approve(*, hold_id: str, tenant: str, config_path: Path | None) -> None:
    """Agree to a hold as its second person."""
    from m365audit.pipeline import holding, reviewing  # noqa: PLC0415

    settings = load(config_path)[0].settings
    holding.approve_hold(settings, tenant_id_of(settings, tenant), hold_id, actor=reviewing.actor_here(settings),
                         now=datetime.now(UTC))  # fmt: skip
    say(f"{hold_id} has its second person")


@hold.command("release", short_help="End a hold early.")
@click.argument("hold_id")
@_tenant_option
@reason_option
@config_option()
def release(*, hold_id: str, tenant: str, reason: str, config_path: Path | None) -> None:
    """End a hold early; where a second person is required, another one than who set it."""
    from m365audit.pipeline import holding, reviewing  # noqa: PLC0415

    settings = load(config_path)[0].settings
    holding.release_hold(settings, tenant_id_of(settings, tenant), hold_id, reason=reason,
                         actor=reviewing.actor_here(settings), now=datetime.now(UTC))  # fmt: skip
    say(f"{hold_id} is released")


@hold.command("list", short_help="List the holds.")
@format_option("table", "csv", "json")
@config_option()
def list_holds(*, form: str, config_path: Path | None) -> None:
    """List every hold that was ever set, the active ones marked."""
    from m365audit.pipeline import holding  # noqa: PLC0415

    now = datetime.now(UTC)
    rows = [
        (h.tenant, h.hold_id, h.object, h.until, h.is_active(now), h.is_single or h.approved_by is not None, h.reason)
        for h in holding.holds(load(config_path)[0].settings.state)
    ]
    show(lay_out(("tenant_id", "hold_id", "object", "until", "is_active", "has_second_person", "reason"), rows, form))


@click.command()
@format_option("text", "json")
@config_option()
def verify(*, form: str, config_path: Path | None) -> None:
    """Check that the evidence is what it was: kept files, accounts, publication, journal, register history.

    Ends with 5 when something is damaged, with 4 when something could not be checked.
    """
    from m365audit.pipeline.verification import verify as run_checks  # noqa: PLC0415
    from m365audit.store.verifying import NOT_PROVEN  # noqa: PLC0415

    checks = run_checks(load(config_path)[0].settings)
    if form == "json":
        show(as_json({"checks": [{"name": c.name, "state": c.state, "checked": c.checked, "sentences": c.sentences}
                                 for c in checks], "not_proven": NOT_PROVEN}))  # fmt: skip
    else:
        for check in checks:
            show_lines([f"{check.state:<12} {check.name} ({check.checked})", *(f"    {s}" for s in check.sentences)])
        show_lines(["", "No check here can prove:", *(f"  {each}" for each in NOT_PROVEN)])
    states = {check.state for check in checks}
    if "damaged" in states:
        sys.exit(StoreError.exit_code)
    if "not_checked" in states:
        sys.exit(4)


@click.command()
@format_option("table", "csv", "json")
@config_option()
def views(*, form: str, config_path: Path | None) -> None:
    """Who looked at names: every report, page or export that showed who is behind a token, and why."""
    from m365audit.store.journal import open_journal  # noqa: PLC0415

    with open_journal(load(config_path)[0].settings.state) as journal:
        entries = [entry for entry in journal.entries(kind="view") if entry.event != "opened"]
    rows = [
        (e.at, e.tenant, e.actor.name, e.actor.how, e.event, e.body.get("what") or e.subject,
         e.body.get("purpose") or e.body.get("reason"), e.body.get("rows"))
        for e in entries
    ]  # fmt: skip
    show(lay_out(("at", "tenant_id", "who", "known_by", "event", "what", "purpose", "rows"), rows, form))

"""What people decide, from wish to entry: one function per thing that a person does, for command line and page alike.

Cases, requests and attestations are in ``casework``; how entries are written is in ``recording``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from m365audit.config import Settings, load_policy
from m365audit.config.clocks import load_clocks
from m365audit.errors import ReviewError, StaleVersionError
from m365audit.findings import decisions, review, rows
from m365audit.findings.case import Case
from m365audit.findings.decisions import Ruling
from m365audit.findings.values import Facts, Review, Terms, Wish
from m365audit.pipeline.completeness import check_journal, check_whole
from m365audit.pipeline.recording import Drafts, case_drafts, draft_of, looked_at, write, write_ruling
from m365audit.store import published
from m365audit.store import review_tables as tables
from m365audit.store.journal import Actor, Draft, Entry, Journal, has_journal, open_journal
from m365audit.store.sandbox import LockedDatabase


@dataclass(frozen=True, slots=True)
class FindingKey:
    """Which finding is meant."""

    tenant: str
    finding_id: str


def actor_here(settings: Settings) -> Actor:
    """Return the operating system's user: nobody proved who it is, and every entry says so."""
    user = system_user()
    return actor_of(settings, f"os:{user}", user, "os")


def system_user() -> str:
    """Return the name of this process's user, as the system has it: LOGNAME and USER are anybody's to set."""
    if sys.platform == "win32":
        return os.getlogin()
    import pwd  # noqa: PLC0415 - there is none elsewhere

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may run as a number that no list names
        return f"uid-{os.geteuid()}"


def actor_of(settings: Settings, identity: str, name: str, how: str) -> Actor:
    """Return who has an id: the natural person and the roles that the configuration gives, else themselves.

    Args:
        settings: the configuration.
        identity: ``entra:<object id>`` or ``os:<user>``.
        name: their name where the configuration knows none.
        how: ``entra`` or ``os``.
    """
    known = settings.review.person_of(identity)
    if known is None:
        return Actor(identity, identity, name, (), how)
    return Actor(identity, known.person, known.name or name, tuple(known.roles), how)


def terms_of(settings: Settings) -> Terms:
    """Return the conditions under which decisions are made.

    Raises:
        ConfigurationError: the clocks beside the policy cannot be read.
    """
    holders: dict[str, set[str]] = {}
    for person in settings.review.people:
        for role in person.roles:
            holders.setdefault(role, set()).add(person.person)
    return Terms(
        load_clocks(settings.policy.parent),
        settings.review.second_person == "required",
        {role: frozenset(people) for role, people in holders.items()},
        frozenset(person.person for person in settings.review.people),
        {identity: person.person for person in settings.review.people for identity in person.ids},
    )


def is_one_person(settings: Settings) -> bool:
    """Return whether the data protection officer and the risk owner are one natural person (GDPR Art. 38(6))."""
    return any({"dpo", "risk_owner"} <= set(person.roles) for person in settings.review.people)


def zone_of(settings: Settings) -> tzinfo:
    """Return the reader's zone: a day that is named ends there."""
    return ZoneInfo(settings.report.time_zone)


def rows_of(settings: Settings, now: datetime, ask: tables.Ask) -> dict[str, list[rows.Row]]:
    """Return the rows of all review tables, for what a database that is open shows; without a journal of its entries.

    Raises:
        StoreError: the journal cannot be read.
    """
    if has_journal(settings.state):
        with open_journal(settings.state) as journal:
            entries = journal.entries()
    else:
        entries = tables.published_entries(ask)
    found = [_facts(row) for row in tables.finding_facts(ask, rows.decided_ids(entries))]
    now = max([now, *(entry.at for entry in entries)])  # a clock that was set back makes nothing last longer
    seen = rows.Seen(
        found, tables.openings(ask), now, load_clocks(settings.policy.parent), zone_of(settings), _policy_days(settings)
    )
    return rows.review_rows(entries, seen)


@contextmanager
def open_reviewed(settings: Settings, now: datetime) -> Iterator[LockedDatabase]:
    """Open the published database with today's decisions laid over it; without a journal, those it holds as of today.

    Raises:
        StoreError: nothing is published, or the journal cannot be read.
    """
    with published.open_for_report(settings.publish) as database:
        if has_journal(settings.state):
            check_whole(settings, tables.published_head(database.execute))
        tables.lay_over(database.execute, rows_of(settings, now, database.execute))
        yield database


def review_of(settings: Settings, key: FindingKey, now: datetime) -> tuple[Review, Facts, list[Entry]]:
    """Return how a finding stands, what the machine says of it, and its history.

    Raises:
        ReviewError: there is no such finding.
    """
    with open_journal(settings.state) as journal:
        return _looked_at(settings, journal, key, now, terms_of(settings))


def decide(
    settings: Settings, actor: Actor, key: FindingKey, wish: Wish, *, expected_version: int | None, now: datetime
) -> Entry:  # fmt: skip
    """Decide on a finding, or ask for a decision that takes a second person; a confirmed breach opens its case.

    Args:
        settings: the configuration.
        actor: who decides.
        key: the finding.
        wish: what is decided.
        expected_version: version of the review that was looked at; None when nobody looked.
        now: the time.

    Returns:
        The entry on the finding.

    Raises:
        ReviewError: it may not be; nothing was written.
        StaleVersionError: somebody else decided meanwhile.
        StoreError: nothing is published, or the journal cannot be used.
    """
    check_configured(settings, key.tenant)
    terms = terms_of(settings)

    def made(journal: Journal) -> Drafts:
        stands, facts, entries = _looked_at(settings, journal, key, now, terms)
        _check_version(stands, expected_version, entries)
        cases = rows.case_list(journal.entries(kind="case", tenant=key.tenant), terms.clocks)
        if wish.to == "accepted":
            _check_no_overdue_breach(cases, key.finding_id, now)
        ruling = decisions.decide(terms, stands, facts, actor, wish, now=now)
        drafts: Drafts = [(draft_of("finding", key.tenant, key.finding_id, ruling, actor), stands.version)]
        if wish.to == "confirmed" and wish.breach == "yes":
            drafts += _case_of_breach(journal, cases, facts, actor, wish=wish, now=now)
        return drafts

    return write(settings, made, now)[0]


def approve(
    settings: Settings, actor: Actor, key: FindingKey, reason: str, *, expected_version: int | None, now: datetime
) -> Entry:  # fmt: skip
    """Let a decision through that another person asked for; see ``decide``."""
    return _answer(settings, key, expected_version, now, actor, rule=lambda terms, stands, facts: decisions.approve(
        terms, stands, facts, actor, reason, now=now))  # fmt: skip


def deny(
    settings: Settings, actor: Actor, key: FindingKey, reason: str, *, expected_version: int | None, now: datetime
) -> Entry:  # fmt: skip
    """Refuse a decision that another person asked for, or take one's own request back; see ``decide``."""
    return _answer(settings, key, expected_version, now, actor, rule=lambda terms, stands, _: decisions.deny(
        terms, stands, actor, reason))  # fmt: skip


def give_opinion(
    settings: Settings, actor: Actor, key: FindingKey, opinion: str, reason: str, *, now: datetime
) -> Entry:  # fmt: skip
    """Write down what the data protection officer thinks of an acceptance; it never blocks it."""
    return _answer(settings, key, None, now, actor, rule=lambda terms, stands, _: decisions.give_opinion(
        terms, stands, actor, opinion, reason))  # fmt: skip


def note_opened(settings: Settings, actor: Actor, key: FindingKey, now: datetime) -> None:
    """Write down when a person first looked at a finding, once: a breach case tells it beside detection and awareness.

    Raises:
        StoreError: the journal cannot be used.
    """
    check_journal(settings)
    with open_journal(settings.state) as journal:
        if not looked_at(journal, key.tenant, [key.finding_id]):
            body = {"what": "finding", "purpose": "review"}
            draft = Draft("view", key.tenant, key.finding_id, rows.OPENED, actor, body)
            journal.append(draft, expected_version=None, at=now)


def _case_of_breach(
    journal: Journal, cases: Sequence[Case], facts: Facts, actor: Actor, *, wish: Wish, now: datetime
) -> Drafts:  # fmt: skip
    """Return the entries of the case that a confirmed breach opens: who confirms it is aware, so the clock runs."""
    if any(facts.finding_id in case.finding_ids and case.state != "closed" for case in cases):
        return []
    case_id, drafts = case_drafts(journal, facts.tenant, [facts], actor, body={"reason": wish.reason.strip()}, now=now)
    aware = {"aware_at": now.isoformat(), "before": None, "reason": wish.reason.strip()}
    return [*drafts, (Draft("case", facts.tenant, case_id, "aware", actor, aware), 1)]


def _answer(
    settings: Settings, key: FindingKey, expected: int | None, now: datetime, actor: Actor, *,
    rule: Callable[[Terms, Review, Facts], Ruling],
) -> Entry:  # fmt: skip
    check_configured(settings, key.tenant)
    terms = terms_of(settings)

    def made(journal: Journal) -> tuple[str, str, str, Ruling, int]:
        stands, facts, entries = _looked_at(settings, journal, key, now, terms)
        _check_version(stands, expected, entries)
        return "finding", key.tenant, key.finding_id, rule(terms, stands, facts), stands.version

    return write_ruling(settings, made, actor, now)


def _looked_at(
    settings: Settings, journal: Journal, key: FindingKey, now: datetime, terms: Terms
) -> tuple[Review, Facts, list[Entry]]:  # fmt: skip
    facts = facts_of(settings, key)
    entries = journal.entries(kind="finding", tenant=key.tenant, subject=key.finding_id)
    return review.fold(entries, facts, now, terms.clocks), facts, entries


def facts_of(settings: Settings, key: FindingKey) -> Facts:
    """Return what the published database says of a finding.

    Raises:
        ReviewError: there is no such finding.
        StoreError: nothing is published.
    """
    with published.open_published(settings.publish) as database:
        found = [_facts(row) for row in tables.finding_facts(database.execute, [key.finding_id])]
    for facts in found:
        if facts.tenant == key.tenant:
            return facts
    hint = "list them with `m365audit findings list --all`"
    raise ReviewError(f"there is no finding {key.finding_id}", hint=hint, key="no_finding", finding=key.finding_id)


def check_configured(settings: Settings, tenant: str) -> None:
    """Make sure that the configuration names the tenant on which somebody decides.

    Raises:
        ReviewError: it names others, and not this one.
    """
    if settings.tenants and tenant not in {known.id for known in settings.tenants}:
        hint = f"add {tenant} to `tenants:` again to decide on what was found there"
        raise ReviewError(f"the configuration has no tenant {tenant}", hint=hint, key="no_tenant", tenant=tenant)


def _facts(row: Sequence[Any]) -> Facts:
    tenant, finding, rule, severity, reasons, *rest = row
    return Facts(tenant, finding, rule, severity, tuple(reasons or ()), *rest)


def _check_version(stands: Review, expected: int | None, entries: Sequence[Entry]) -> None:
    if expected is None or expected == stands.version:
        return
    newest = entries[-1] if entries else None
    who = f" ({newest.event} at {newest.at:%Y-%m-%d %H:%M} UTC)" if newest else ""
    raise StaleVersionError(
        f"you decided on version {expected}; it is at version {stands.version} now{who}",
        version=stands.version,
        event=newest.event if newest else "",
        hint="nothing was written: look at it again, then decide",
    )


def _check_no_overdue_breach(cases: Sequence[Case], finding_id: str, now: datetime) -> None:
    for case in cases:
        left = case.left(now)
        if finding_id in case.finding_ids and left is not None and left.total_seconds() < 0:
            what = f"the breach case {case.case_id} is overdue: its finding is no risk that can be accepted now"
            hint = f"see m365audit breach status {case.case_id}"
            raise ReviewError(what, hint=hint, key="breach_overdue", case=case.case_id)


def _policy_days(settings: Settings) -> int | None:
    response = load_policy(settings.policy).policy.response
    return None if response is None else response.days

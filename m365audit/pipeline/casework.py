"""Breach cases, requests of people and attestations, from wish to entry: for command line and page alike.

Each function checks and writes one thing; what it may be refused for stands in ``m365audit.findings``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from m365audit.config import Settings, load_policy
from m365audit.config.clocks import load_clocks
from m365audit.config.spelling import suggestion
from m365audit.config.yamlnodes import read_document
from m365audit.errors import ReviewError, StaleVersionError
from m365audit.findings import breach, notification, requests, rows
from m365audit.findings import case as cases
from m365audit.findings.case import Case
from m365audit.findings.conditions import check_reason
from m365audit.findings.decisions import Ruling
from m365audit.findings.requests import SubjectRequest
from m365audit.findings.roles import check_may
from m365audit.findings.values import Terms
from m365audit.pipeline.completeness import check_journal
from m365audit.pipeline.recording import case_drafts, next_id, write, write_ruling
from m365audit.pipeline.reviewing import FindingKey, check_configured, facts_of, open_reviewed, terms_of, zone_of
from m365audit.report import People
from m365audit.report.hiding import hidden
from m365audit.resources import data_dir
from m365audit.store.durable import sha256_of
from m365audit.store.journal import Actor, Draft, Entry, Journal, open_journal
from m365audit.store.person_key import person_key
from m365audit.store.published import PublishedReader

_PEOPLE: Final = frozenset({"dpo", "risk_owner", "analyst", "admin"})


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something, and when.

    Attributes:
        expected_version: version of the case or request that was looked at; None when nobody looked.
    """

    settings: Settings
    actor: Actor
    now: datetime
    expected_version: int | None = None


# Breach cases


def all_cases(settings: Settings) -> list[Case]:
    """Return how every breach case stands, the newest last."""
    with open_journal(settings.state) as journal:
        return rows.case_list(journal.entries(kind="case"), load_clocks(settings.policy.parent))


def case_of(settings: Settings, case_id: str) -> tuple[Case, list[Entry]]:
    """Return how a case stands, and its history.

    Raises:
        ReviewError: there is no such case.
    """
    with open_journal(settings.state) as journal:
        return _case(journal, case_id, terms_of(settings))


def open_case(doing: Doing, tenant: str, finding_ids: Sequence[str], reason: str) -> Entry:
    """Open a case that is suspected: nobody is aware yet, so no clock runs.

    Raises:
        ReviewError: there is no such finding, a case has it already, or there is no reason.
    """
    check_configured(doing.settings, tenant)
    terms = terms_of(doing.settings)
    check_may(terms, doing.actor, _PEOPLE, "open a breach case")
    check_reason(reason)
    facts = [facts_of(doing.settings, FindingKey(tenant, each)) for each in dict.fromkeys(finding_ids)]

    def made(journal: Journal) -> list[tuple[Draft, int | None]]:
        for case in rows.case_list(journal.entries(kind="case", tenant=tenant), terms.clocks):
            taken = set(case.finding_ids) & set(finding_ids)
            if taken and case.state != "closed":
                what = f"{min(taken)} is in the case {case.case_id} already"
                raise ReviewError(what, hint="go on with that one", key="in_case", case=case.case_id)
        body = {"reason": reason.strip()}
        return case_drafts(journal, tenant, facts, doing.actor, body=body, now=doing.now)[1]

    return write(doing.settings, made, doing.now)[0]


def become_aware(doing: Doing, case_id: str, aware_at: datetime, reason: str) -> Entry:
    """Say when somebody was reasonably certain: the hours of GDPR Art. 33(1) run from then."""
    return _on_case(doing, case_id, lambda terms, case: breach.become_aware(
        terms, case, doing.actor, aware_at, reason, now=doing.now))  # fmt: skip


def answer_later_awareness(doing: Doing, case_id: str, reason: str, *, is_approved: bool) -> Entry:
    """Let a later awareness that another person asked for through, or do not."""
    return _on_case(doing, case_id, lambda terms, case: breach.answer_later_awareness(
        terms, case, doing.actor, reason, is_approved=is_approved))  # fmt: skip


def assess(doing: Doing, case_id: str, risk: str, reason: str) -> Entry:
    """Say what the risk for the people concerned is."""
    return _on_case(doing, case_id, lambda terms, case: breach.assess(terms, case, doing.actor, risk, reason))


def notify(
    doing: Doing, case_id: str, notified_at: datetime, *, is_complete: bool, answers: Mapping[str, str],
    reference: str | None = None, late_reason: str | None = None,
) -> Entry:  # fmt: skip
    """Say that the authority was notified, first or completely."""
    return _on_case(doing, case_id, lambda terms, case: breach.notify(
        terms, case, doing.actor, notified_at, now=doing.now, is_complete=is_complete, answers=answers,
        reference=reference, late_reason=late_reason))  # fmt: skip


def write_answers(doing: Doing, case_id: str, answers: Mapping[str, str]) -> Entry:
    """Keep answers for the notification until it is sent."""
    return _on_case(doing, case_id, lambda terms, case: breach.write_answers(terms, case, doing.actor, answers))


def tell(doing: Doing, case_id: str, at: datetime, whom: str) -> Entry:
    """Say that the controller (``controller``) or the people concerned (``people``) were told."""
    return _on_case(doing, case_id, lambda terms, case: breach.tell(
        terms, case, doing.actor, at, now=doing.now, whom=whom))  # fmt: skip


def close(doing: Doing, case_id: str, reason: str, not_informed_reason: str | None = None) -> Entry:
    """End a case."""
    return _on_case(doing, case_id, lambda terms, case: breach.close(
        terms, case, doing.actor, reason, not_informed_reason))  # fmt: skip


def _on_case(doing: Doing, case_id: str, rule: Callable[[Terms, Case], Ruling]) -> Entry:
    terms = terms_of(doing.settings)

    def made(journal: Journal) -> tuple[str, str, str, Ruling, int]:
        case, entries = _case(journal, case_id, terms)
        _check_version(doing, case.case_id, case.version, entries)
        return "case", case.tenant, case.case_id, rule(terms, case), case.version

    return write_ruling(doing.settings, made, doing.actor, doing.now)


def _case(journal: Journal, case_id: str, terms: Terms) -> tuple[Case, list[Entry]]:
    entries = journal.entries(kind="case", subject=case_id.upper())
    if not entries:
        hint = "list them with `m365audit breach list`"
        raise ReviewError(f"there is no breach case {case_id}", hint=hint, key="no_case", case=case_id)
    return cases.fold(entries, terms.clocks), entries


def draft_notification(settings: Settings, case_id: str, now: datetime) -> tuple[Case, list[notification.Answer]]:
    """Return a case and the draft of its notification (GDPR Art. 33), for a person to complete.

    What the evidence says names nobody, as everywhere; what a person wrote stands as it was written.

    Raises:
        ReviewError: there is no such case.
        StoreError: nothing is published.
    """
    case, _ = case_of(settings, case_id)
    with open_reviewed(settings, now) as database:
        asked = {"tenant": case.tenant, "findings": list(case.finding_ids)}
        published = PublishedReader(database)
        (found,) = published.rows("breach-evidence", **asked)
        reader = hidden(published, People(person_key(settings.state)))
        evidence = reader.row({"tenant_id": case.tenant, **found})
    return case, notification.draft(case, evidence, now)


# Requests of people


def all_requests(settings: Settings) -> list[SubjectRequest]:
    """Return how every request of a person stands, the newest last."""
    clocks, days = load_clocks(settings.policy.parent), policy_days(settings)
    with open_journal(settings.state) as journal:
        found = rows.by_subject(journal.entries(kind="request"), "request").values()
    return [requests.fold(entries, clocks, days) for entries in found]


def add_request(doing: Doing, tenant: str, kind: str, received: date, reference: str) -> Entry:
    """Write down a request that came in.

    Raises:
        ReviewError: there is no such kind of request, or the day lies in the future.
    """
    terms, today = terms_of(doing.settings), _today(doing)
    ruling = requests.add(terms, doing.actor, kind, received, reference, today=today)
    return write_ruling(
        doing.settings,
        lambda journal: ("request", tenant, next_id(journal, "request", "DS", doing.now), ruling, 0),
        doing.actor,
        doing.now,
    )


def extend_request(doing: Doing, request_id: str, reason: str) -> Entry:
    """Extend the time of a request by two months; only within the first."""
    return _on_request(doing, request_id, lambda terms, request: requests.extend(
        terms, request, doing.actor, reason, today=_today(doing), clocks=terms.clocks))  # fmt: skip


def end_request(doing: Doing, request_id: str, reason: str, *, is_refused: bool) -> Entry:
    """Say that a request was answered, or refused, and how."""
    return _on_request(doing, request_id, lambda terms, request: requests.end(
        terms, request, doing.actor, reason, at=doing.now, is_refused=is_refused))  # fmt: skip


def _on_request(doing: Doing, request_id: str, rule: Callable[[Terms, SubjectRequest], Ruling]) -> Entry:
    terms, days = terms_of(doing.settings), policy_days(doing.settings)

    def made(journal: Journal) -> tuple[str, str, str, Ruling, int]:
        entries = journal.entries(kind="request", subject=request_id.upper())
        if not entries:
            hint = "list them with `m365audit requests list`"
            raise ReviewError(f"there is no request {request_id}", hint=hint, key="no_request", request=request_id)
        request = requests.fold(entries, terms.clocks, days)
        _check_version(doing, request.request_id, request.version, entries)
        return "request", request.tenant, request.request_id, rule(terms, request), request.version

    return write_ruling(doing.settings, made, doing.actor, doing.now)


def policy_days(settings: Settings) -> int | None:
    """Return the days in which the policy promises to answer; None where it names none."""
    response = load_policy(settings.policy).policy.response
    return None if response is None else response.days


def _today(doing: Doing) -> date:
    return doing.now.astimezone(zone_of(doing.settings)).date()


# Attestations


@dataclass(frozen=True, slots=True)
class Statement:
    """What somebody answers for.

    Attributes:
        control: the control, e.g. ``C07-3``.
        kind: what it is, e.g. contract, certificate, statement.
        ref: where it is.
        role: role of who answers for it.
        valid_until: until when it holds.
        file: the document itself; its hash is kept, not the file.
    """

    control: str
    kind: str
    ref: str
    role: str
    valid_until: datetime
    file: Path | None = None


def control_ids() -> list[str]:
    """Return the ids of all controls."""
    value = read_document(data_dir("config") / "controls.yml").value
    return [str(entry["control"]) for entry in value["controls"]] if isinstance(value, dict) else []


def attest(doing: Doing, tenant: str, statement: Statement, known: Sequence[str] | None = None) -> Entry:
    """Write down a statement about a control; it is never evidence, and never makes it ``within``.

    Args:
        doing: who does it, and when.
        tenant: tenant id.
        statement: what is stated.
        known: ids of all controls; None for those of the product.

    Raises:
        ReviewError: there is no such control, it is over already, or nothing is said.
        OSError: the file cannot be read.
    """
    check_may(terms_of(doing.settings), doing.actor, _PEOPLE, "attest a control")
    control, ids = statement.control.upper(), control_ids() if known is None else known
    if control not in ids:
        what = f"there is no control {statement.control!r}"
        raise ReviewError(what, hint=suggestion(control, ids), key="no_control", control=statement.control)
    if statement.valid_until <= doing.now:
        what = "the statement is over already"
        raise ReviewError(what, hint="--valid-until takes a day in the future", key="statement_over")
    if not all(text.strip() for text in (statement.kind, statement.ref, statement.role)):
        what = "kind, ref and role must say something"
        hint = "e.g. --kind contract --ref 'DPA 2026-03' …"
        raise ReviewError(what, hint=hint, key="empty", field=("attestation_kind", "ref", "by_role"))
    body = {
        "kind": statement.kind.strip(), "ref": statement.ref.strip(), "role": statement.role.strip(),
        "valid_until": statement.valid_until.isoformat(), "file": statement.file.name if statement.file else None,
        "sha256": sha256_of(statement.file) if statement.file else None,
    }  # fmt: skip
    check_journal(doing.settings)
    with open_journal(doing.settings.state) as journal:
        draft = Draft("attestation", tenant, control, "attest", doing.actor, body)
        return journal.append(draft, expected_version=None, at=doing.now)


def _check_version(doing: Doing, subject: str, version: int, entries: Sequence[Entry]) -> None:
    if doing.expected_version is None or doing.expected_version == version:
        return
    raise StaleVersionError(
        f"you decided on version {doing.expected_version} of {subject}; it is at version {version} now",
        version=version,
        event=entries[-1].event,
        hint="nothing was written: look at it again, then decide",
    )

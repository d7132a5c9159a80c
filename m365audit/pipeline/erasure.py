"""A request for erasure, carried out or refused: who is meant, whether it may be done, what it would change, doing it.

Never says a person's name in an entry that stays.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from m365audit import findings, report
from m365audit.config import Settings
from m365audit.errors import ReviewError
from m365audit.findings import erasures
from m365audit.findings.conditions import check_reason
from m365audit.pipeline.holding import active_holds
from m365audit.pipeline.values import now
from m365audit.rules.loader import read_rules
from m365audit.store import suppression
from m365audit.store.database import open_store
from m365audit.store.erasing import Eraser, Erasure, FindingName, remaining_in
from m365audit.store.journal import Actor, Draft, Entry, canonical, open_journal
from m365audit.store.masks import Identifier, Masks, masks_for
from m365audit.store.person_key import person_key
from m365audit.store.persons import Person, identify
from m365audit.store.published import PublishedReader, open_for_report
from m365audit.store.published_file import PUBLISHED_NAME

GROUNDS: Final = {
    "17(3)(a)": "freedom of expression and information",
    "17(3)(b)": "a legal obligation, or a task in the public interest",
    "17(3)(c)": "public health",
    "17(3)(d)": "archiving, research or statistics",
    "17(3)(e)": "establishing, exercising or defending legal claims",
    "12(5)": "manifestly unfounded or excessive",
    "12(2)": "the person could not be identified",
}
"""Grounds on which a request may be refused, by article of the GDPR."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to, or would.

    Attributes:
        subject: the erasure's name in the journal.
        person: who is meant, as the evidence knows them; not to be printed where others look.
        erasure: what changes.
        is_done: False for a dry run.
        left: files of state and publish in which a search of the bytes still finds the person.
    """

    subject: str
    person: Person
    erasure: Erasure
    is_done: bool
    left: tuple[Path, ...] = ()


def resolve(settings: Settings, tenant: str, wanted: str) -> str:
    """Return the object id or user principal name behind a report's token; anything else as it is.

    Raises:
        ReviewError: no person of the tenant has this token.
    """
    if not wanted.upper().startswith("P-"):
        return wanted
    with open_for_report(settings.publish) as database:
        rows = PublishedReader(database).rows("report-people")
    people = report.People(person_key(settings.state))
    people.learn(rows)
    for row in rows:
        for value in (row["person_id"], row["person_name"]):
            if row["tenant_id"] == tenant and value and people.token(tenant, str(value)) == wanted.upper():
                return str(value)
    raise ReviewError(
        f"no person of this tenant has the token {wanted}",
        hint="tokens of an earlier key, or of a person who was erased, lead nowhere; name the object id",
    )


def token_of(settings: Settings, tenant: str, value: str) -> str:
    """Return the token under which reports speak of a person."""
    people = report.People(person_key(settings.state))
    if (settings.publish / PUBLISHED_NAME).is_file():
        with open_for_report(settings.publish) as database:
            people.learn(PublishedReader(database).rows("report-people"))
    return people.token(tenant, value)


def erase(
    settings: Settings, tenant: str, wanted: str, *, reason: str, actor: Actor, is_applied: bool,
    at: datetime | None = None,
) -> Erased:  # fmt: skip
    """Take a person out of everything in ``state`` and ``publish``, or say what that would change.

    Args:
        settings: the configuration.
        tenant: tenant id.
        wanted: object id, user principal name, or a report's token.
        reason: why, for the journal; at least 20 characters.
        actor: who does it.
        is_applied: False for a dry run.
        at: now.

    Raises:
        ReviewError: the reason says nothing, a hold forbids it, or nobody knows for sure who is meant.
        StoreError: the store cannot be used.
    """
    moment = at or now()
    check_reason(reason)
    meant = resolve(settings, tenant, wanted)
    token = token_of(settings, tenant, meant)
    with open_store(settings.state) as connection:
        person = identify(connection, tenant, meant)
        check_person(person)
        _check_holds(settings, tenant, token, moment)
        masks = _masks(settings, tenant, person, token)
        eraser = Eraser(connection, settings.state, settings.publish, tenant, masks, _namer(), moment)
        staged, erasure = eraser.prepare()
        with open_journal(settings.state) as journal:
            draft = _linked(_draft(tenant, reason, actor, masks, erasure), token, journal.entries(kind="erasure"))
            erasure.journal = sum(
                masks.document(text) != text for text in (_text(entry.body) for entry in journal.entries())
            )
            if not is_applied or not erasure.total:
                for folder in (staged.folder, staged.publish_folder):
                    shutil.rmtree(folder, ignore_errors=True)
                return Erased(draft.subject, person, erasure, is_done=False)
            journal.erase(draft, masks.document, at=moment)
        eraser.commit(staged, asdict(replace(draft, event="done")))
    with open_store(settings.state):
        pass  # opening the store completes what was promised
    return Erased(
        draft.subject, person, erasure, is_done=True, left=remaining_in(settings.state, settings.publish, masks)
    )


def refuse(settings: Settings, tenant: str, wanted: str, *, ground: str, reason: str, actor: Actor) -> str:
    """Put on record that a request for erasure was refused, on which ground; return the entry's subject.

    Raises:
        ReviewError: the ground is none, or the reason says nothing.
    """
    check_reason(reason)
    if ground not in GROUNDS:
        raise ReviewError(f"{ground!r} is no ground for refusing", hint=f"one of {', '.join(GROUNDS)}")
    meant = resolve(settings, tenant, wanted)
    token = token_of(settings, tenant, meant)
    masks = Masks(dict.fromkeys([Identifier("address" if "@" in meant else "id", meant)], token))
    body = {"ground": f"Art. {ground} GDPR: {GROUNDS[ground]}", "reason": masks.text(reason)}
    with open_journal(settings.state) as journal:
        journal.append(Draft("erasure", tenant, token, "refused", actor, body), expected_version=None)
    return token


def check_person(person: Person) -> None:
    """Make sure that it is one person.

    Raises:
        ReviewError: nobody can say which account is meant.
    """
    if (person.shared and not person.ids) or len(person.ids) > 1:
        ids = ", ".join(sorted(person.ids | person.other_ids))
        raise ReviewError(
            f"this name belonged to more than one account ({ids})",
            hint="name the object id of the one that is meant; what both share is left",
        )


def _check_holds(settings: Settings, tenant: str, token: str, at: datetime) -> None:
    for hold in active_holds(settings.state, at):
        if hold.tenant in {"", tenant} and (hold.object in {"tenant", f"person:{token}"} or hold.object[:5] == "feed:"):
            raise ReviewError(
                f"hold {hold.hold_id} on {hold.object} forbids it until {hold.until:%Y-%m-%d}: {hold.reason}",
                hint="restrict the use instead (Art. 18), or release the hold first; a refusal cites its ground: "
                "--refuse '17(3)(e)'",
            )


def person_masks(person: Person) -> Masks:
    """Return what finds a person in texts."""
    return Masks(masks_for(person.identifiers, secrets.token_hex(5)))


def _masks(settings: Settings, tenant: str, person: Person, token: str) -> Masks:
    """Return masks for everything that tells the person; what was erased before keeps its mask."""
    pairs = masks_for(person.identifiers, secrets.token_hex(5))
    pairs[Identifier("other", token)] = "P-ERASED"
    known = suppression.load(settings.state, tenant)
    if known is not None:
        pairs = {identifier: known.mask_of(identifier) or mask for identifier, mask in pairs.items()}
    return Masks(pairs)


def _namer() -> FindingName:
    """Return what gives a masked finding the id that the next evaluation will compute for it."""
    known = {name: rule for rule in read_rules() for name in (rule.id, *rule.aliases)}

    def name(rule: str, tenant: str, subject: Mapping[str, str | None]) -> str | None:
        made = known.get(rule)
        return findings.finding_id(made.key_name, made.key_version, tenant, subject) if made else None

    return name


def _linked(draft: Draft, token: str, before: list[Entry]) -> Draft:
    """Return the entry with what was begun for this person before and never carried out: that ends with this one."""
    again = erasures.begun_for(before, draft.tenant, token)
    return replace(draft, body={**draft.body, "whom": erasures.mark_of(draft.subject, token), "again": again})


def _draft(tenant: str, reason: str, actor: Actor, masks: Masks, erasure: Erasure) -> Draft:
    subject = f"E-{secrets.token_hex(5)}"
    body = {
        "reason": masks.document(reason),
        "rows": dict(erasure.rows),
        "files": len(erasure.files),
        "reports": len(erasure.reports),
        "removed": len(erasure.removed),
    }
    return Draft("erasure", tenant, subject, "begun", actor, body)


def _text(body: Mapping[str, Any]) -> str:
    return canonical(body)

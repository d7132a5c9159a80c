"""Entries of the journal: who, when, what; how they are hashed, and what is wrong with a chain. Pure functions."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from m365audit.errors import StoreError

KINDS: Final = ("finding", "case", "request", "attestation", "hold", "view", "purge", "erasure")
"""What an entry may be about."""
BEGINNING: Final = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it.

    Attributes:
        id: ``entra:<object id>``, ``os:<user>`` or ``machine``.
        person: the natural person (``review.people`` of the configuration, else the id): two ids of one are one.
        name: as people know them.
        roles: dpo, risk_owner, analyst, admin, reviewer; empty when the configuration names nobody.
        how: ``entra`` (signed in), ``os`` (the operating system's user, not authenticated) or ``machine``.
    """

    id: str
    person: str
    name: str
    roles: tuple[str, ...]
    how: str


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry before it is one.

    Attributes:
        kind: one of ``KINDS``.
        tenant: tenant id; empty where it concerns the auditor as a whole.
        subject: what it is about: id of a finding, a case, a request …
        event: what happened.
        actor: who did it.
        body: the particulars, plain JSON values.
    """

    kind: str
    tenant: str
    subject: str
    event: str
    actor: Actor
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry(Draft):
    """One entry of the journal.

    Attributes:
        seq: its place in the whole journal, from 1.
        at: when it was written (UTC).
        version: its place among the entries on this subject, from 1, without gaps.
        previous: hash of the entry before it.
        hash: SHA-256 over all of it, ``previous`` included.
        erased_at: when a person's data were taken out of its text; None for a text as it was written.
    """

    seq: int
    at: datetime
    version: int
    previous: str
    hash: str
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """An entry that is not what it was when it was written, or is not there: its place and what is wrong."""

    seq: int
    what: str


def canonical(value: object) -> str:
    """Return JSON in the one form that is hashed: sorted keys, no white space, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def entry_hash(row: Mapping[str, Any]) -> str:
    """Return the hash of an entry: over everything it says, its text by hash, and the hash of the one before."""
    return digest(canonical({name: row[name] for name in row if name != "hash"}))


def time_text(at: datetime) -> str:
    """Return a time in UTC as it is hashed."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def time_of(text: str) -> datetime:
    """Return the time that ``time_text`` wrote."""
    return datetime.fromisoformat(text)


def entry_of(row: Mapping[str, Any] | sqlite3.Row) -> Entry:
    """Return the entry of a row.

    Raises:
        StoreError: it is not one that this program wrote.
    """
    try:
        actor, body = json.loads(row["actor"]), json.loads(row["text"] or "{}")
        return Entry(
            row["kind"], row["tenant"], row["subject"], row["event"],
            Actor(actor["id"], actor["person"], actor["name"], tuple(actor["roles"]), actor["how"]), body,
            row["seq"], time_of(row["at"]), row["version"], row["previous"], row["hash"],
            time_of(row["erased_at"]) if row["erased_at"] else None,
        )  # fmt: skip
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"entry {row['seq']} of the decisions is not one that this program wrote",
            hint="somebody changed the file: put back its newest copy",
        ) from error


def broken_in(rows: Sequence[sqlite3.Row]) -> Iterator[BrokenLink]:
    """Yield what is wrong with the chain."""
    previous, versions = BEGINNING, dict[tuple[str, str, str], int]()
    erased: dict[int, str] = {}
    for row in rows:
        if row["kind"] == "erasure":
            noted = json.loads(row["text"] or "{}")
            erased |= dict(zip(noted.get("entries", ()), noted.get("texts", ()), strict=False))
    for place, row in enumerate(rows, 1):
        told = {name: row[name] for name in row.keys()[:11]}
        subject = (row["tenant"], row["kind"], row["subject"])
        versions[subject] = versions.get(subject, 0) + 1
        if row["seq"] != place or row["version"] != versions[subject]:
            yield BrokenLink(row["seq"], "an entry before it is missing")
        if row["previous"] != previous:
            yield BrokenLink(row["seq"], "it does not follow the entry before it")
        if row["hash"] != entry_hash(told):
            yield BrokenLink(row["seq"], "it was changed")
        if not _is_text_whole(row, erased):
            yield BrokenLink(row["seq"], "its text was changed")
        previous = row["hash"]


def _is_text_whole(row: sqlite3.Row, erased: Mapping[int, str]) -> bool:
    """Return whether a text is the one that was written, or the one that an erasure says it left."""
    if row["text"] is None:
        return False
    if row["erased_at"] is not None:
        return erased.get(row["seq"]) == digest(row["text"])
    return bool(row["body_hash"] == digest(row["salt"] + row["text"]))

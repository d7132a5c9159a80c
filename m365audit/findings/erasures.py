"""Erasures that were begun and not carried out, as the journal tells them. Pure functions over its entries.

A kill between the journal and the evidence leaves a person masked in the one and whole in the other; nothing but this
says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from m365audit.store.journal import Entry
from m365audit.store.journal_entries import digest

_MARK: Final = 16


def mark_of(subject: str, token: str) -> str:
    """Return what tells a later erasure that an earlier one was about the same person, and nobody else who it is.

    Args:
        subject: name of the earlier erasure in the journal.
        token: the person's token in reports, which takes the private key to make.
    """
    return digest(f"{subject}|{token}")[:_MARK]


def unfinished(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the erasures that were begun, and neither done nor done again; by their names."""
    begun: dict[str, Entry] = {}
    ended: set[str] = set()
    for entry in entries:
        if entry.kind == "erasure" and entry.event == "begun":
            begun[entry.subject] = entry
        elif entry.kind == "erasure" and entry.event == "done":
            ended |= {entry.subject, *map(str, entry.body.get("again", ()))}
    return {subject: entry for subject, entry in begun.items() if subject not in ended}


def begun_for(entries: Iterable[Entry], tenant: str, token: str) -> list[str]:
    """Return the names of unfinished erasures of this person."""
    return [
        subject
        for subject, entry in unfinished(entries).items()
        if entry.tenant == tenant and entry.body.get("whom") == mark_of(subject, token)
    ]

"""Owns how rows look on a page: titles with an app's name in place of its id, persons as tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from markupsafe import Markup, escape

from m365audit.report.people import People
from m365audit.report.rows import parts_of
from m365audit.report.rule_texts import rule_texts, said_part
from m365audit.store.journal import Actor, Entry


def title_of(row: Mapping[str, object], people: People, language: str) -> str:
    """Return a finding's title in the reader's language: persons as tokens, the app's name where its id stands."""
    text, subject = rule_texts(language).get(str(row["rule"])), row.get("subject")
    own = text.filled(dict(parts_of(str(subject or "{}")))) if text is not None and text.has_own_title else None
    title = people.hide(own or str(row["title"]), str(row["tenant_id"]))
    app, name = row.get("app_id"), row.get("app_name")
    return title.replace(str(app), f"“{name}”") if app and name else title


def question_of(row: Mapping[str, object], language: str) -> Markup | None:
    """Return what a finding asks, in the reader's language; marked as English where there is no other."""
    text = rule_texts(language).get(str(row["rule"]))
    own = text.question if text is not None and text.has_own_title else None
    asked = own or row.get("question")
    if asked is None:
        return None
    return escape(asked) if own or language == "en" else Markup('<span lang="en">{}</span>').format(asked)


def subject_of(row: Mapping[str, object], people: People, language: str) -> list[tuple[str, str, str | None]]:
    """Return the parts of a finding's subject: name, value with persons as tokens, and the words for a code."""
    subject, tenant = row.get("subject"), str(row["tenant_id"])
    parts = parts_of(str(subject)) if subject is not None else ()
    hidden = [(name, people.hide(value, tenant)) for name, value in parts]
    return [(name, value, said_part(language, name, value)) for name, value in hidden]


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a history: what happened, why, when, and by whom, who is named by role alone."""

    version: int
    event: str
    to: str
    until: datetime | None
    reason: str
    more: tuple[tuple[str, str | datetime], ...]
    at: datetime
    by: str
    is_you: bool
    how: str


_MORE: Final = (
    "breach", "owner", "evidence", "opinion", "risk", "aware_at", "notified_at", "phase", "reference", "late_reason",
    "kind", "received_on", "due_on", "answered_at", "not_informed_reason", "ref", "sha256", "valid_until",
)  # fmt: skip


def history_of(entries: Sequence[Entry], actor: Actor, people: People) -> list[Said]:
    """Return entries as they are shown, the oldest first; persons in their texts as tokens."""
    return [_said(entry, actor, people) for entry in entries]


def _moment(text: str) -> datetime | None:
    with suppress(ValueError):
        return datetime.fromisoformat(text)
    return None


def _said(entry: Entry, actor: Actor, people: People) -> Said:
    body = entry.body
    more: list[tuple[str, str | datetime]] = []
    for name in _MORE:
        value = body.get(name)
        if value:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            moment = _moment(shown) if name.endswith("_at") else None
            more.append((name, moment or people.hide(shown, entry.tenant)))
    until, asked = body.get("until"), body.get("state") if entry.kind == "finding" else None
    return Said(
        version=entry.version, event=entry.event, to=str(body.get("to") or asked or ""),
        until=datetime.fromisoformat(until) if until else None,
        reason=people.hide(str(body.get("reason") or ""), entry.tenant), more=tuple(more), at=entry.at,
        by=", ".join(entry.actor.roles) or "", is_you=entry.actor.person == actor.person, how=entry.actor.how,
    )  # fmt: skip

"""Present grants → drafts of consent records. A draft cannot be valid: purpose, legal basis and period stay empty.

What was granted says nothing about what was agreed to. Must never fill in what only a person can know.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from m365audit.register.document import SCHEMA
from m365audit.register.processes import DEFAULT_API

_UNSEEN: Final = re.compile(
    "[^\x20-\x7e\xa1-\xac\xae-\u02ff\u0370-\u05ff\u0900-\u1fff\u20a0-\u20bf\u2c00-\u2fdf\u3040-\ud7ff"
    "\uff01-\uffee\U0001f300-\U0001faff]"
)
"""Everything but the letters and signs of common scripts: breaks of lines, direction, what cannot be seen."""
_LONGEST_NAME: Final = 100
_COMMENT: Final = 34
"""Column at which remarks begin."""


@dataclass(frozen=True, slots=True)
class Granted:
    """One permission that an app holds and that reaches a workload of the policy, or none (``workload`` is None)."""

    app_id: str
    app_name: str | None
    api: str
    permission: str
    kind: str
    workload: str | None
    operations: tuple[str, ...]
    granted_for: str | None
    principals: int
    event_id: str | None
    first_seen_at: datetime | None


def harmless_text(text: str) -> str:
    """Return a name that an app chose as one line of text that cannot end a comment or mislead the eye."""
    cut = text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"
    return _UNSEEN.sub(lambda found: f"\\u{{{ord(found.group()):x}}}" if found.group() != "…" else "…", cut)


def quoted(text: str) -> str:
    """Return a text as a double-quoted YAML scalar in which nothing but plain characters stands."""
    return json.dumps(harmless_text(text), ensure_ascii=False)


def draft_name(app_id: str, app_name: str | None, taken: frozenset[str]) -> str:
    """Return the name of a record that is not taken: made of the app's name, and of its id where that says nothing."""
    word = re.sub(r"[^a-z0-9]+", "-", (app_name or "").lower()).strip("-")[:50].strip("-") or "app"
    name = f"draft-{word}"
    return name if name not in taken else f"{name}-{app_id[:8]}"


def draft(tenant: str, grants: Sequence[Granted], *, record: str, made_at: datetime) -> str:
    """Return one draft, as the text of a file.

    Args:
        tenant: tenant id.
        grants: what one app holds; at least one.
        record: the record's name.
        made_at: newest evidence that the draft is made from.
    """
    return "\n".join(_lines(tenant, grants, record, made_at)) + "\n"


def _lines(tenant: str, grants: Sequence[Granted], record: str, made_at: datetime) -> Iterator[str]:
    app = grants[0]
    name = app.app_name or app.app_id
    yield "# yaml-language-server: $schema=schemas/consent.schema.json"
    yield "#"
    yield f"# DRAFT, made from what {harmless_text(name)} is granted as of {made_at:%Y-%m-%d %H:%M} UTC."
    yield "# A grant is no agreement: fill in every empty field from what was really agreed, take out what was not, and"
    yield "# run `m365audit register check`. Until then this file is refused. Names of apps are chosen by their makers."
    yield ""
    yield f"schema: {SCHEMA}"
    yield f"record: {record}"
    yield f"tenant: {tenant}"
    yield "integration:"
    yield _remark("  kind:", "crm | telephony | website | mail_addin | other")
    yield f"  name: {quoted(name)}"
    yield f"  app_ids: [{app.app_id}]"
    yield "history:"
    yield "  - event: granted"
    for key, what in _EMPTY_ENTRY:
        yield _remark(f"    {key}:", what)
    yield _remark("    evidence:", "at least one: the agreement, decision or ticket that proves it")
    events = sorted({grant.event_id for grant in grants if grant.event_id})
    yield from (f"      # - {{kind: entra_audit, ref: {quoted(event)}}}" for event in events)
    by_workload: dict[str, list[Granted]] = {}
    for grant in grants:
        if grant.workload:
            by_workload.setdefault(grant.workload, []).append(grant)
    yield "    processes:" + ("" if by_workload else "   # nothing that the app holds reaches an audited workload")
    for workload in sorted(by_workload):
        yield from _process(workload, by_workload[workload])
    rest = sorted({f"{g.permission} ({g.kind})" for g in grants if not g.workload})
    if rest:
        yield "# It holds besides, reaching none of the audited workloads:"
        yield from (f"#   {harmless_text(each)}" for each in rest)


_EMPTY_ENTRY: Final = (
    ("recorded_at", "when this is written down, e.g. 2026-09-01T09:14:00Z"),
    ("effective_from", "when the agreement begins"),
    ("effective_until", "when it ends"),
)


def _process(workload: str, grants: Sequence[Granted]) -> Iterator[str]:
    yield f"      - id: {workload.replace('_', '-')}"
    yield _remark("        purpose:", "why the app needs this, in a sentence")
    bases = "consent | contract | legal_obligation | vital_interest | public_task | legitimate_interest"
    yield _remark("        legal_basis:", bases)
    yield f"        workload: {workload}"
    yield "        permissions:"
    for text in dict.fromkeys(_permission(grant) for grant in grants):
        yield f"          - {text}"
    operations = list(dict.fromkeys(operation for grant in grants for operation in grant.operations))
    yield _remark(f"        operations: [{', '.join(operations)}]", "what the permissions allow; keep what was agreed")
    yield _remark("        resources:", f"all, {{ids: [...]}} or {{groups: [...]}}; granted for {_reach(grants)}")


def _permission(grant: Granted) -> str:
    api = "" if grant.api == DEFAULT_API else f", api: {grant.api}"
    return f"{{name: {quoted(grant.permission)}, kind: {grant.kind}{api}}}"


def _reach(grants: Sequence[Granted]) -> str:
    if any(grant.kind == "application" and grant.granted_for is None for grant in grants):
        return "everything in the tenant"
    if any(grant.granted_for == "all_users" for grant in grants):
        return "all users"
    people = max(grant.principals for grant in grants)
    return f"{people} users one by one" if people else harmless_text(grants[0].granted_for or "a part of the tenant")


def _remark(text: str, what: str) -> str:
    return f"{text:<{_COMMENT}} # {what}"


def grants_of(rows: Sequence[Mapping[str, object]]) -> dict[str, list[Granted]]:
    """Return rows of the published grants by app, in the order of the apps' names."""
    found: dict[str, list[Granted]] = {}
    for row in rows:
        operations = row["operations"]
        moment = row["first_seen_at"]
        people = row["principals"]
        grant = Granted(
            app_id=str(row["app_id"]),
            app_name=_text(row["app_name"]),
            api=str(row["api"]),
            permission=str(row["permission"]),
            kind=str(row["kind"]),
            workload=_text(row["workload"]),
            operations=tuple(map(str, operations)) if isinstance(operations, list | tuple) else (),
            granted_for=_text(row["granted_for"]),
            principals=people if isinstance(people, int) else 0,
            event_id=_text(row["event_id"]),
            first_seen_at=moment if isinstance(moment, datetime) else None,
        )
        found.setdefault(grant.app_id, []).append(grant)
    return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)

"""Rules inside one record that no single field can break: order, names, repeats. Never looks at another record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from m365audit.config.durations import iso
from m365audit.config.policy import Policy
from m365audit.config.spelling import nearest, shown
from m365audit.config.yamlnodes import Document, KeyPath
from m365audit.register.document import ENDING_EVENTS, EVIDENCE_KINDS, FULL_EVENTS
from m365audit.register.permissions import PermissionNames, check_permissions
from m365audit.register.soundness import Sound

_WORDS_FOR_LISTS = {
    "app_ids": ("duplicate_app_id", "the app id"),
    "operations": ("duplicate_operation", "the operation"),
    "ids": ("duplicate_resource", "the resource"),
    "groups": ("duplicate_resource", "the group"),
    "regions": ("duplicate_region", "the region"),
    "data_categories": ("duplicate_data_category", "the data category"),
}


def check_record(document: Document, policy: Policy, names: PermissionNames) -> None:
    """Note every problem of a record that its fields' own shapes do not show."""
    sound = Sound(document)
    _check_repeats(sound, ("integration", "app_ids"))
    _check_begin(sound)
    _check_order(sound)
    for index in sound.indexes("history"):
        entry = ("history", index)
        _check_period(sound, entry)
        _check_people(sound, entry)
        _check_policy_version(sound, entry, policy)
        _check_evidence(sound, entry)
        if sound.text(*entry, "event") in ENDING_EVENTS:
            _check_ended_names(sound, index)
        elif sound.text(*entry, "event") in FULL_EVENTS:
            _check_processes(sound, entry, names)
    _check_stable_processes(sound)


def _check_begin(sound: Sound) -> None:
    event = sound.text("history", 0, "event")
    if event is not None and event != "granted":
        todo = "put the granted entry first; what was agreed to must stand before what became of it"
        sound.problem("begins_without_grant", ("history", 0, "event"), f"the history begins with {event}", todo)


@dataclass(frozen=True, slots=True)
class _Order:
    """One rule about the order of entries."""

    key: str
    code: str
    may_be_equal: bool
    what: str
    todo: str


_RECORDED = _Order(
    key="recorded_at",
    code="recorded_at_goes_back",
    may_be_equal=True,
    what="the entry was recorded before the one above it",
    todo="entries stand in the order in which they were written down; correct the time or add the entry at the end",
)
_EFFECTIVE = _Order(
    key="effective_from",
    code="effective_from_not_rising",
    may_be_equal=False,
    what="the version does not begin after the one above it",
    todo="let each granted, amended or renewed entry begin later than the last; use invalidated to undo one",
)


def _check_order(sound: Sound) -> None:
    """Complain about entries out of order: what was written down later stands later."""
    everything = list(sound.indexes("history"))
    _check_rising(sound, everything, _RECORDED)
    full = [index for index in everything if sound.text("history", index, "event") in FULL_EVENTS]
    _check_rising(sound, full, _EFFECTIVE)


def _check_rising(sound: Sound, entries: list[int], order: _Order) -> None:
    last: datetime | None = None
    for index in entries:
        moment = sound.time("history", index, order.key)
        if moment is None:
            continue
        if last is not None and (moment < last or (moment == last and not order.may_be_equal)):
            what = f"{order.what}: {iso(moment)} after {iso(last)}"
            sound.problem(order.code, ("history", index, order.key), what, order.todo)
        last = moment if last is None else max(last, moment)


def _check_period(sound: Sound, entry: KeyPath) -> None:
    begin, end = sound.time(*entry, "effective_from"), sound.time(*entry, "effective_until")
    if begin is not None and end is not None and end <= begin:
        what = f"effective_until {iso(end)} is not after effective_from {iso(begin)}"
        sound.problem("until_not_after_from", (*entry, "effective_until"), what, "give a later end; it is exclusive")


def _check_people(sound: Sound, entry: KeyPath) -> None:
    recorded, approved = sound.text(*entry, "recorded_by"), sound.text(*entry, "approved_by")
    if recorded and approved and recorded.casefold() == approved.casefold():
        what = f"recorded_by and approved_by are both {shown(approved)}"
        sound.problem("same_person", (*entry, "approved_by"), what, "let a second person approve it")


def _check_policy_version(sound: Sound, entry: KeyPath, policy: Policy) -> None:
    version = sound.text(*entry, "policy_version")
    known = policy.version_names
    if version is None or version in known:
        return
    path = (*entry, "policy_version")
    if not known:
        what = f"policy version {shown(version)} cannot be checked: the policy lists no versions"
        sound.warning("unchecked_policy_version", path, what, "list the versions in policy.yaml")
        return
    close = nearest(version, known)
    todo = f"did you mean {close}?" if close else f"known are {', '.join(known)}"
    sound.problem("unknown_policy_version", path, f"policy version {shown(version)} is not in the policy", todo)


def _check_evidence(sound: Sound, entry: KeyPath) -> None:
    for index in sound.indexes(*entry, "evidence"):
        path = (*entry, "evidence", index, "kind")
        kind = sound.text(*path)
        close = None if kind is None or kind in EVIDENCE_KINDS else nearest(kind, EVIDENCE_KINDS)
        if close is not None:
            what = f"{shown(kind)} looks like the kind of evidence {close}"
            sound.warning("unusual_evidence_kind", path, what, f"did you mean {close}?")
    is_ending = sound.text(*entry, "event") in ENDING_EVENTS
    if is_ending and not sound.is_broken(*entry, "evidence") and sound.value(*entry, "evidence") is None:
        what = "nothing proves this ending"
        sound.warning("ending_without_evidence", entry, what, "add evidence, e.g. [{kind: document, ref: letter.pdf}]")


def _check_ended_names(sound: Sound, position: int) -> None:
    """Check that an ending entry names processes that an earlier entry declared, each once."""
    known = _declared_before(sound, position)
    seen: set[str] = set()
    for index in sound.indexes("history", position, "processes"):
        path = ("history", position, "processes", index)
        name = sound.text(*path)
        if name is None:
            continue
        if name in seen:
            sound.problem("duplicate_process", path, f"the process {shown(name)} is named twice", "keep one of them")
        elif name not in known and not _is_declaration_unclear(sound, position):
            close = nearest(name, known)
            listed = f"known are {', '.join(sorted(known))}" if known else "no earlier entry declares any"
            what = f"no earlier entry declares the process {shown(name)}"
            sound.problem("unknown_process", path, what, f"did you mean {close}?" if close else listed)
        seen.add(name)


def _declared_before(sound: Sound, position: int) -> set[str]:
    known: set[str] = set()
    for earlier in range(position):
        known.update(sound.texts("history", earlier, "processes", each="id"))
    return known


def _is_declaration_unclear(sound: Sound, position: int) -> bool:
    """Return whether an earlier entry's process ids have problems of their own, so that any name may be right."""
    return any(
        sound.is_broken("history", earlier, "processes")
        or any(
            sound.is_broken("history", earlier, "processes", index, "id")
            for index in sound.indexes("history", earlier, "processes")
        )
        for earlier in range(position)
    )


def _check_processes(sound: Sound, entry: KeyPath, names: PermissionNames) -> None:
    seen: set[str] = set()
    for index in sound.indexes(*entry, "processes"):
        path = (*entry, "processes", index)
        name = sound.text(*path, "id")
        if name is not None and name in seen:
            what = f"the process {shown(name)} stands twice in this entry"
            todo = "give each process an id of its own, or join the two"
            sound.problem("duplicate_process", (*path, "id"), what, todo)
        seen.add(name or "")
        _check_resources(sound, (*path, "resources"))
        for key in ("operations", "regions", "data_categories"):
            _check_repeats(sound, (*path, key))
        check_permissions(sound, path, names)


def _check_resources(sound: Sound, path: KeyPath) -> None:
    """Check that a list of resources names either ids or groups."""
    found = sound.value(*path)
    if not isinstance(found, dict):
        return
    named = [key for key in ("ids", "groups") if found.get(key) is not None]
    if len(named) > 1:
        what = "ids stands together with groups"
        sound.problem("ids_with_groups", path, what, "use one of them; make two processes if both are meant")
    elif not named and not any(sound.is_broken(*path, key) for key in found):
        todo = "write all, {ids: [...]} or {groups: [...]}: what is covered is never assumed"
        sound.problem("no_resources", path, "no resource is named", todo)
    for key in named:
        _check_repeats(sound, (*path, key))


def _check_repeats(sound: Sound, path: KeyPath) -> None:
    """Complain about values that stand twice in a list, without regard to case."""
    code, noun = _WORDS_FOR_LISTS[str(path[-1])]
    seen: set[str] = set()
    for index in sound.indexes(*path):
        text = sound.text(*path, index)
        if text is not None and text.lower() in seen:
            sound.problem(code, (*path, index), f"{noun} {shown(text)} is listed twice", "keep one of them")
        seen.add("" if text is None else text.lower())


def _check_stable_processes(sound: Sound) -> None:
    """Warn when a process's id is used for another workload later: ids are stable for ever."""
    first: dict[str, tuple[str, int]] = {}
    for index in sound.indexes("history"):
        for number in sound.indexes("history", index, "processes"):
            path = ("history", index, "processes", number)
            name, workload = sound.text(*path, "id"), sound.text(*path, "workload")
            if name is None or workload is None:
                continue
            known, line = first.setdefault(name, (workload, sound.document.line((*path, "workload"))))
            if known != workload:
                what = f"the process {shown(name)} was of workload {known} on line {line}"
                todo = "a process is one purpose and one workload: give the new one a new id"
                sound.warning("process_changed_workload", (*path, "workload"), what, todo)

"""The verdict of one event, written a second time from design/verdicts.md: one event, one candidate, one test a time.

It shares nothing with the product. Slow and plain on purpose; where the two differ, one of them is wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from .world import Event, Process, Record, Verdict, World

DIMENSIONS = ("period", "workload", "operation", "access_kind", "permission", "resource")


def judge(world: World, event: Event) -> Verdict:
    """Return the verdict of one event."""
    settled = _settled_without_candidates(world, event)
    if settled is not None:
        return settled
    assert event.occurred_at is not None
    answers = [
        compare(world, event, record, process_id)
        for record in _records_of(world, event)
        for process_id in _ever(record)
    ]
    within = sorted(a for a in answers if not a[2] and not a[3])
    if within:
        return Verdict("within", (), within[0][0], within[0][1])
    open_ones = [a for a in answers if not a[2]]
    if open_ones:
        record, process, _, unknowns = min(open_ones, key=lambda a: (len(a[3]), a[0], a[1]))
        return Verdict("not_assessable", unknowns, record, process)
    record, process, mismatches, _ = min(answers, key=lambda a: (len(a[2]), len(a[3]), a[0], a[1]))
    return Verdict("outside", mismatches, record, process)


def _settled_without_candidates(world: World, event: Event) -> Verdict | None:  # noqa: PLR0911 - one per test
    if event.workload is not None and event.workload not in world.workloads:
        return Verdict("out_of_scope")
    if event.succeeded is False or _is_microsofts_own(world, event):
        return Verdict("out_of_scope")
    if event.tenant in world.unevaluated:
        return Verdict("not_assessable", ("register_invalid",))
    if event.occurred_at is None:
        return Verdict("not_assessable", ("time_unknown",))
    if event.app_id is None:
        return Verdict("not_assessable", ("app_unknown",))
    if not _records_of(world, event):
        return Verdict("outside", ("no_record",))
    return None


def _is_microsofts_own(world: World, event: Event) -> bool:
    if event.app_id is None or event.app_id not in world.first_party:
        return False
    owners = [owner for tenant, app, owner in world.service_principals if (tenant, app) == (event.tenant, event.app_id)]
    return all(owner is not None and owner in world.microsoft_tenants for owner in owners)


def _records_of(world: World, event: Event) -> list[Record]:
    return [
        record
        for record in world.records
        if record.tenant == event.tenant and event.app_id in {app.lower() for app in record.app_ids}
    ]


def _ever(record: Record) -> set[str]:
    return {process.id for entry in record.history for process in entry.processes}


# The state of the register at a time -------------------------------------------------------------------------


def in_force(record: Record, t: datetime) -> int | None:
    """Return the position of the version in force at t."""
    begun = [i for i, entry in enumerate(record.history) if entry.is_full and entry.effective_from <= t]
    return begun[-1] if begun else None


def period(record: Record, process_id: str, t: datetime) -> tuple[int, str | None]:
    """Return the position of the version that a candidate is compared in at t, and why it is not active, if so."""
    declaring = [i for i, entry in enumerate(record.history) if process_id in {p.id for p in entry.processes}]
    begun = [i for i in declaring if record.history[i].effective_from <= t]
    if not begun:
        return declaring[0], "before_start"
    version = begun[-1]
    until = record.history[version].effective_until
    assert until is not None
    later = list(enumerate(record.history))[version + 1 :]
    endings = [(i, e) for i, e in later if not e.is_full and (not e.named or process_id in e.named)]
    if any(e.event == "invalidated" and _reaches(record, i, version) for i, e in endings):
        return version, "invalidated"
    if any(e.event != "invalidated" and e.effective_from + record.stop_within <= t for _, e in endings):
        return version, "after_withdrawal"
    if until <= t or in_force(record, t) != version:
        return version, "after_expiry"
    return version, None


def _reaches(record: Record, position: int, version: int) -> bool:
    """Whether an invalidation ends a version written before it: it was in force then, or was to begin later.

    What was written after the invalidation plays no part: appending to a history revives nothing.
    """
    moment = record.history[position].effective_from
    written_before = replace(record, history=record.history[:position])
    return in_force(written_before, moment) == version or record.history[version].effective_from > moment


# One candidate, six dimensions ---------------------------------------------------------------------------------


def compare(
    world: World, event: Event, record: Record, process_id: str
) -> tuple[str, str, tuple[str, ...], tuple[str, ...]]:
    """Return record, process, mismatch reasons and unknown dimensions of one candidate."""
    assert event.occurred_at is not None
    version, reason = period(record, process_id, event.occurred_at)
    process = next(p for p in record.history[version].processes if p.id == process_id)
    results = {
        "period": "match" if reason is None else "mismatch",
        "workload": _equal(event.workload, {process.workload}),
        "operation": _equal(event.operation, set(process.operations)),
        "access_kind": _equal(event.access_kind, {kind for _, kind in process.permissions}),
        "permission": _permission(event, process),
        "resource": _resource(world, event, process),
    }
    mismatches = tuple(
        reason if name == "period" and reason else name for name in DIMENSIONS if results[name] == "mismatch"
    )
    unknowns = tuple(f"{name}_unknown" for name in DIMENSIONS if results[name] == "unknown")
    return record.record, process_id, mismatches, unknowns


def _equal(value: str | None, wanted: set[str]) -> str:
    if value is None:
        return "unknown"
    return "match" if value in wanted else "mismatch"


def _permission(event: Event, process: Process) -> str:
    if event.permissions is None:
        return "match"
    names = {name for name, kind in process.permissions if event.access_kind in {None, kind}}
    return "match" if names & set(event.permissions) else "mismatch"


def _resource(world: World, event: Event, process: Process) -> str:  # noqa: PLR0911 - one per condition
    if process.covers_all:
        return "match"
    ids, names = _identities(world, event)
    listed = {entry.lower() for entry in process.ids}
    groups = {group.lower() for group in process.groups}
    if (ids | names) & listed:
        return "match"
    membership = _belongs(world, event, ids, groups) if groups else "mismatch"
    if membership == "match":
        return "match"
    if event.resource_id is None and event.resource_name is None:
        return "unknown"
    may_be_user = event.resource_kind in {None, "user"}
    if not ids and (groups or any("@" not in entry for entry in listed)):
        return "unknown"
    if not names and may_be_user and any("@" in entry for entry in listed):
        return "unknown"
    return membership


def _identities(world: World, event: Event) -> tuple[set[str], set[str]]:
    """Return all ids and all names of the event's resource: its own and those that the directory ties to them."""
    ties = {(i.lower(), n.lower()) for tenant, i, n in world.directory if tenant == event.tenant}
    ids = {event.resource_id.lower()} if event.resource_id is not None else set()
    names = {event.resource_name.lower()} if event.resource_name is not None else set()
    tied_ids = {i for i, n in ties if n in names}
    tied_names = {n for i, n in ties if i in ids}
    return ids | (tied_ids if len(tied_ids) == 1 else set()), names | (tied_names if len(tied_names) == 1 else set())


# Groups at a time ----------------------------------------------------------------------------------------------


def _belongs(world: World, event: Event, ids: set[str], groups: set[str]) -> str:
    assert event.occurred_at is not None
    seen: set[str] = set()
    todo = set(groups)
    observed = True
    while todo:
        group = todo.pop()
        seen.add(group)
        if group in ids:
            return "match"
        observed = observed and _is_observed(world, event.tenant, group, event.occurred_at)
        members = set(_members(world, event.tenant, group, event.occurred_at))
        if members & ids:
            return "match"
        todo |= {m for m in members if _is_group(world, event.tenant, m)} - seen
    return "mismatch" if observed else "unknown"


def _is_group(world: World, tenant: str, member: str) -> bool:
    return (
        any(s.tenant == tenant and s.group.lower() == member for s in world.snapshots)
        or any(c.tenant == tenant and c.group.lower() == member for c in world.changes)
        or any(
            s.tenant == tenant and (m.lower(), kind) == (member, "group")
            for s in world.snapshots
            for m, kind in s.members
        )
    )


def _answering(world: World, tenant: str, group: str, t: datetime) -> datetime | None:
    """Return the time of the snapshot that answers for t: the next one, if t is not too long before the first."""
    times = sorted({s.at for s in world.snapshots if (s.tenant, s.group.lower()) == (tenant, group)})
    if not times or t > times[-1] or t < times[0] - world.before_first:
        return None
    return min(at for at in times if at >= t)


def _is_observed(world: World, tenant: str, group: str, t: datetime) -> bool:
    at = _answering(world, tenant, group, t)
    return at is not None and all(
        s.is_complete for s in world.snapshots if (s.tenant, s.group.lower(), s.at) == (tenant, group, at)
    )


def _members(world: World, tenant: str, group: str, t: datetime) -> Iterator[str]:
    at = _answering(world, tenant, group, t)
    if at is None:
        return
    listed = {
        m.lower()
        for s in world.snapshots
        if (s.tenant, s.group.lower(), s.at) == (tenant, group, at)
        for m, _ in s.members
    }
    changes = [c for c in world.changes if (c.tenant, c.group.lower()) == (tenant, group) and t < c.at <= at]
    for member in listed | {c.member.lower() for c in changes}:
        next_changes = [c for c in changes if c.member.lower() == member]
        if not next_changes:
            yield member  # then it is listed
            continue
        first = min(c.at for c in next_changes)
        if all(c.change == "remove" for c in next_changes if c.at == first):
            yield member

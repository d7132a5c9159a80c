"""Strategies: small crowded worlds whose values collide often, so that every corner of the verdict is met.

Hypothesis chooses the seed and everything else follows from it: its own choices lean so far to the simple that few
events would get past the first tests.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from hypothesis import strategies as st
from verdicts.world import Change, Entry, Event, Process, Record, Snapshot, World

T = TypeVar("T")

TENANTS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
APPS = ("a0000000-0000-4000-8000-00000000000a", "b0000000-0000-4000-8000-00000000000b")
FOREIGN_APP = "f0000000-0000-4000-8000-00000000000f"
MICROSOFT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PROCESSES = ("p-mail", "p-log", "p-Z", "p-é")
OPERATIONS = ("read", "write", "send")
PERMISSIONS = (("Mail.Read", "application"), ("Mail.Read", "delegated"), ("Mail.Send", "application"),
               ("Calendars.Read", "delegated"))  # fmt: skip
USERS = ("d0000000-0000-4000-8000-00000000000d", "e0000000-0000-4000-8000-00000000000e",
         "e1000000-0000-4000-8000-00000000000e")  # fmt: skip
NAMES = ("ann@contoso.example", "bob@contoso.example", "cas@contoso.example")
GROUPS = ("33333333-3333-4333-8333-33333333333a", "33333333-3333-4333-8333-33333333333b",
          "33333333-3333-4333-8333-33333333333c")  # fmt: skip
CHAT = "19:chat@thread.v2"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def worlds(max_events: int = 80) -> st.SearchStrategy[World]:
    """Return whole worlds of up to so many events."""
    return st.integers(0, 2**48).map(lambda seed: build_world(Random(seed), max_events))  # noqa: S311 - no secret


def build_world(rnd: Random, max_events: int) -> World:
    """Return one world."""
    tenants = TENANTS[: rnd.choice((1, 1, 2))]
    return World(
        records=tuple(build_record(rnd, name, tenants) for name in ("r-b", "r-A", "r-c", "r-Z")[: rnd.randint(1, 4)]),
        events=tuple(build_event(rnd, f"e{n}", tenants) for n in range(rnd.randint(1, max_events))),
        snapshots=_snapshots(rnd, tenants),
        changes=tuple(_change(rnd, tenants) for _ in range(rnd.randint(0, 6))),
        directory=tuple({(rnd.choice(tenants), rnd.choice(USERS), any_case(rnd, rnd.choice(NAMES))) for _ in range(3)}),
        service_principals=tuple(
            (rnd.choice(tenants), rnd.choice(APPS), rnd.choice((MICROSOFT, TENANTS[0], None)))
            for _ in range(rnd.randint(0, 2))
        ),
        first_party=frozenset(rnd.choice(((), (), (), (), (APPS[1],), (FOREIGN_APP,)))),
        microsoft_tenants=frozenset({MICROSOFT}),
        unevaluated=frozenset(rnd.choice(((), (), (), (TENANTS[1],)))),
        before_first=rnd.choice((timedelta(days=31), 2 * DAY, timedelta())),
    )


def group_worlds() -> st.SearchStrategy[World]:
    """Return worlds in which only membership of groups at a time decides."""
    return st.integers(0, 2**48).map(lambda seed: build_group_world(Random(seed)))  # noqa: S311 - no secret


def build_group_world(rnd: Random) -> World:
    """Return a world of one record that lists groups, many snapshots and changes, and events that agree otherwise."""
    tenant, app = TENANTS[:1], APPS[0]
    processes = tuple(
        Process(i, "mail", ("read",), (("Mail.Read", "application"),), groups=some(rnd, GROUPS, 2)) for i in ("p", "q")
    )
    return World(
        records=(Record("r", tenant[0], (app,), (Entry("granted", START - 99 * DAY, START + 99 * DAY, processes),)),),
        events=tuple(
            Event(tenant[0], f"e{n}", _moment(rnd), app, "application", "mail", "read", None, "user", rnd.choice(USERS))
            for n in range(80)
        ),
        snapshots=_snapshots(rnd, tenant) + _snapshots(rnd, tenant),
        changes=tuple(_change(rnd, tenant) for _ in range(rnd.randint(0, 24))),
        before_first=rnd.choice((timedelta(days=31), 2 * DAY)),
    )


def build_record(rnd: Random, name: str, tenants: tuple[str, ...] = TENANTS) -> Record:
    """Return one record of a known tenant for one or both of the apps."""
    return Record(
        record=name,
        tenant=rnd.choice(tenants),
        app_ids=tuple(any_case(rnd, app) for app in rnd.choice((APPS, APPS, APPS[:1], APPS[1:]))),
        history=build_history(rnd),
        stop_within=rnd.choice((timedelta(), DAY, 2 * DAY + MICROSECOND)),
    )


def build_history(rnd: Random) -> tuple[Entry, ...]:
    """Return a history that begins with granted and whose full-state entries rise; endings stand between them."""
    entries: list[Entry] = []
    declared: set[str] = set()
    for start in sorted(rnd.sample(range(14), rnd.randint(1, 3))):
        ids = some(rnd, PROCESSES, 3)
        declared |= set(ids)
        entries.append(
            Entry(
                event=rnd.choice(("amended", "renewed")) if entries else "granted",
                effective_from=START + start * DAY,
                effective_until=START + (start + rnd.randint(1, 25)) * DAY,
                processes=tuple(build_process(rnd, i) for i in ids),
            )
        )
        entries += [
            Entry(
                event=rnd.choice(("withdrawn", "revoked", "invalidated")),
                effective_from=START + rnd.randint(0, 20) * DAY,
                named=tuple(rnd.sample(sorted(declared), rnd.choice((0, 1)))),
            )
            for _ in range(rnd.choice((0, 0, 0, 1, 2)))
        ]
    return tuple(entries)


def build_process(rnd: Random, process_id: str) -> Process:
    """Return one declaration of a process."""
    mode = rnd.choice(("all", "ids", "groups", "groups"))
    return Process(
        id=process_id,
        workload=rnd.choice(("mail", "mail", "mail", "calendar")),
        operations=("read", *some(rnd, OPERATIONS[1:], 2)) if rnd.random() < 0.7 else some(rnd, OPERATIONS, 2),
        permissions=tuple(rnd.sample(PERMISSIONS, rnd.choice((1, 2, 4)))),
        covers_all=mode == "all",
        ids=tuple(any_case(rnd, i) for i in some(rnd, (*USERS, *NAMES, CHAT), 3)) if mode == "ids" else (),
        groups=tuple(any_case(rnd, g) for g in some(rnd, GROUPS, 2)) if mode == "groups" else (),
    )


def build_event(rnd: Random, event_id: str, tenants: tuple[str, ...] = TENANTS) -> Event:
    """Return one event; every field may be missing."""
    return Event(
        tenant=rnd.choice(tenants),
        event_id=event_id,
        occurred_at=rarely_none(rnd, _moment(rnd)),
        app_id=rarely_none(rnd, rnd.choice((*APPS, *APPS, *APPS, FOREIGN_APP))),
        access_kind=rarely_none(rnd, rnd.choice(("application", "delegated"))),
        workload=rarely_none(rnd, rnd.choice(("mail", "mail", "mail", "mail", "mail", "mail", "calendar", "files"))),
        operation=rarely_none(rnd, rnd.choice(("read", "read", "read", "write", "send", "delete"))),
        permissions=rnd.choice(
            (
                None,
                None,
                None,
                (),
                ("Mail.Read",),
                ("mail.read",),
                ("Calendars.Read", "Mail.Read"),
                ("Mail.Send", "Mail.Read"),
            )
        ),
        resource_kind=rnd.choice(("user", "user", "group", "team", "chat", None)),
        resource_id=any_case(rnd, rnd.choice((*USERS, *USERS, *GROUPS, CHAT))) if rnd.random() < 0.6 else None,
        resource_name=any_case(rnd, rnd.choice(NAMES)) if rnd.random() < 0.4 else None,
        succeeded=rnd.choice((True, True, True, True, True, True, None, False)),
    )


def any_case(rnd: Random, text: str) -> str:
    """Return the text as it is or in upper case."""
    return rnd.choice((text, text, text.upper()))


def some(rnd: Random, values: tuple[str, ...], most: int) -> tuple[str, ...]:
    """Return one or more of the values."""
    return tuple(rnd.sample(values, rnd.randint(1, most)))


def rarely_none(rnd: Random, value: T) -> T | None:
    """Return the value, or None one time in twenty."""
    return None if rnd.random() < 0.05 else value


def with_events(world: World, **fields: object) -> World:
    """Return the world with the same fields replaced in every event."""
    return replace(world, events=tuple(replace(e, **fields) for e in world.events))  # type: ignore[arg-type]


def _moment(rnd: Random) -> datetime:
    """Return a whole day, or a microsecond beside it: boundaries are hit, just before and just after."""
    return START + rnd.randint(-1, 24) * DAY + rnd.choice((0, 0, 0, -1, 1)) * MICROSECOND


def _snapshots(rnd: Random, tenants: tuple[str, ...]) -> tuple[Snapshot, ...]:
    """Return snapshots of the groups, nested and in circles, some incomplete; one per tenant, group and time."""
    members = [(u, "user") for u in (*USERS, *USERS)] + [(g, "group") for g in GROUPS] + [(CHAT, "other")]
    drawn = [
        Snapshot(
            tenant=rnd.choice(tenants),
            group=rnd.choice(GROUPS),
            at=START + rnd.randint(0, 24) * DAY,
            members=tuple(rnd.sample(members, rnd.randint(0, 4))),
            is_complete=rnd.random() < 0.8,
        )
        for _ in range(rnd.randint(0, 12))
    ]
    return tuple({(s.tenant, s.group, s.at): s for s in drawn}.values())


def _change(rnd: Random, tenants: tuple[str, ...]) -> Change:
    return Change(
        tenant=rnd.choice(tenants),
        group=rnd.choice(GROUPS),
        member=any_case(rnd, rnd.choice((*USERS, *USERS, *GROUPS))),
        at=_moment(rnd),
        change=rnd.choice(("add", "remove")),
    )

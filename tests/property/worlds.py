"""Strategies: small crowded worlds whose values collide often, so that every corner of the verdict is met."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st
from verdicts.world import Change, Entry, Event, Process, Record, Snapshot, World

TENANTS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
APPS = ("a0000000-0000-4000-8000-00000000000a", "b0000000-0000-4000-8000-00000000000b",
        "c0000000-0000-4000-8000-00000000000c")  # fmt: skip
FOREIGN_APP = "f0000000-0000-4000-8000-00000000000f"
MICROSOFT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
PROCESSES = ("p-mail", "p-log", "p-Z", "p-é")
WORKLOADS = ("mail", "calendar", "files")
OPERATIONS = ("read", "write", "send")
PERMISSIONS = (("Mail.Read", "application"), ("Mail.Read", "delegated"), ("Mail.Send", "application"),
               ("Calendars.Read", "delegated"))  # fmt: skip
USERS = ("d0000000-0000-4000-8000-00000000000d", "e0000000-0000-4000-8000-00000000000e")
NAMES = ("ann@contoso.example", "Bob@Contoso.example")
GROUPS = ("33333333-3333-4333-8333-33333333333a", "33333333-3333-4333-8333-33333333333b",
          "33333333-3333-4333-8333-33333333333c")  # fmt: skip
CHAT = "19:chat@thread.v2"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def mixed_case(text: str) -> st.SearchStrategy[str]:
    """Return the text as it is, in upper or in lower case."""
    return st.sampled_from((text, text.upper(), text.lower()))


def one_of(*values: str) -> st.SearchStrategy[str]:
    """Return one of the values in any case."""
    return st.sampled_from([v for text in values for v in (text, text.upper())])


# Whole days, and a microsecond beside them: boundaries are hit, just before and just after.
days = st.integers(0, 20).map(lambda n: START + n * DAY)
moments = st.builds(lambda day, shift: day + shift * MICROSECOND, days, st.sampled_from((0, 0, 0, -1, 1)))


@st.composite
def processes(draw: st.DrawFn, process_id: str) -> Process:
    """Return one declaration of a process."""
    mode = draw(st.sampled_from(("all", "ids", "groups", "groups")))
    return Process(
        id=process_id,
        workload=draw(st.sampled_from(WORKLOADS[:2])),
        operations=tuple(draw(st.sets(st.sampled_from(OPERATIONS), min_size=1))),
        permissions=tuple(draw(st.sets(st.sampled_from(PERMISSIONS), min_size=1, max_size=2))),
        covers_all=mode == "all",
        ids=tuple(draw(st.sets(one_of(*USERS, *NAMES, CHAT), min_size=1, max_size=2))) if mode == "ids" else (),
        groups=tuple(draw(st.sets(one_of(*GROUPS), min_size=1, max_size=2))) if mode == "groups" else (),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Entry, ...]:
    """Return a history that begins with granted and whose full-state entries rise."""
    starts = sorted(draw(st.sets(st.integers(0, 16), min_size=1, max_size=3)))
    entries: list[Entry] = []
    declared: set[str] = set()
    for number, start in enumerate(starts):
        ids = draw(st.sets(st.sampled_from(PROCESSES), min_size=1, max_size=3))
        declared |= ids
        begin = START + start * DAY
        entries.append(
            Entry(
                event="granted" if number == 0 else draw(st.sampled_from(("amended", "renewed"))),
                effective_from=begin,
                effective_until=begin + draw(st.integers(1, 20)) * DAY,
                processes=tuple(draw(processes(i)) for i in sorted(ids)),
            )
        )
        for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
            entries.append(
                Entry(
                    event=draw(st.sampled_from(("withdrawn", "revoked", "invalidated"))),
                    effective_from=draw(days),
                    named=tuple(draw(st.sets(st.sampled_from(sorted(declared)), max_size=2))),
                )
            )
    return tuple(entries)


@st.composite
def records(draw: st.DrawFn, name: str) -> Record:
    """Return one record of a known tenant for one or two of the apps."""
    return Record(
        record=name,
        tenant=draw(st.sampled_from(TENANTS)),
        app_ids=tuple(draw(st.sets(one_of(*APPS[:2]), min_size=1, max_size=2))),
        history=draw(histories()),
        stop_within=draw(st.sampled_from((timedelta(), DAY, 2 * DAY + MICROSECOND))),
    )


@st.composite
def snapshots(draw: st.DrawFn) -> tuple[Snapshot, ...]:
    """Return snapshots of the groups, nested and in circles, some incomplete; one per tenant, group and time."""
    members = st.sampled_from([(u, "user") for u in USERS] + [(g, "group") for g in GROUPS] + [(CHAT, "other")])
    drawn = draw(
        st.lists(
            st.builds(
                Snapshot,
                tenant=st.sampled_from(TENANTS),
                group=st.sampled_from(GROUPS),
                at=days,
                members=st.sets(members, max_size=3).map(tuple),
                is_complete=st.sampled_from((True, True, True, False)),
            ),
            max_size=8,
        )
    )
    return tuple({(s.tenant, s.group, s.at): s for s in drawn}.values())


changes = st.builds(
    Change,
    tenant=st.sampled_from(TENANTS),
    group=st.sampled_from(GROUPS),
    member=one_of(*USERS, *GROUPS),
    at=moments,
    change=st.sampled_from(("add", "remove")),
)


@st.composite
def events(draw: st.DrawFn, number: int) -> Event:
    """Return one event; every field may be missing."""
    return Event(
        tenant=draw(st.sampled_from(TENANTS)),
        event_id=f"e{number}",
        occurred_at=draw(st.one_of(moments, moments, moments, moments, st.none())),
        app_id=draw(st.sampled_from((*APPS, APPS[0], APPS[1], APPS[0], APPS[1], FOREIGN_APP, None))),
        access_kind=draw(st.sampled_from(("application", "application", "delegated", None))),
        workload=draw(st.sampled_from(("mail", "mail", "mail", "calendar", "files", None))),
        operation=draw(st.sampled_from(("read", "read", "read", "write", "send", "delete", None))),
        permissions=draw(
            st.sampled_from(
                (None, None, (), ("Mail.Read",), ("mail.read",), ("Calendars.Read", "Mail.Read"), ("Mail.Send", "Mail.Read"))
            )
        ),
        resource_kind=draw(st.sampled_from(("user", "user", "group", "team", "chat", None))),
        resource_id=draw(st.one_of(st.none(), one_of(*USERS, *USERS, *GROUPS, CHAT))),
        resource_name=draw(st.one_of(st.none(), one_of(*NAMES))),
        succeeded=draw(st.sampled_from((True, True, True, True, None, False))),
    )


@st.composite
def worlds(draw: st.DrawFn, max_events: int = 40) -> World:
    """Return a whole world."""
    count = draw(st.integers(1, 4))
    return World(
        records=tuple(draw(records(name)) for name in ("r-b", "r-A", "r-c", "r-Z")[:count]),
        events=tuple(draw(events(number)) for number in range(draw(st.integers(1, max_events)))),
        snapshots=draw(snapshots()),
        changes=tuple(draw(st.lists(changes, max_size=6))),
        directory=tuple(
            draw(
                st.lists(
                    st.tuples(st.sampled_from(TENANTS), st.sampled_from(USERS), one_of(*NAMES)), max_size=4, unique=True
                )
            )
        ),
        service_principals=tuple(
            draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(TENANTS), st.sampled_from(APPS), st.sampled_from((MICROSOFT, TENANTS[0], None))
                    ),
                    max_size=3,
                )
            )
        ),
        first_party=frozenset(draw(st.sets(st.sampled_from(APPS[1:]), max_size=1))),
        microsoft_tenants=frozenset({MICROSOFT}),
        unevaluated=frozenset(draw(st.sampled_from(((), (), (), (TENANTS[1],))))),
        before_first=draw(st.sampled_from((timedelta(days=31), 2 * DAY, timedelta()))),
    )


def boundaries(record: Record) -> list[datetime]:
    """Return the moments at which the state of a record may change, and the middle between any two."""
    edges = sorted(
        {e.effective_from for e in record.history}
        | {e.effective_from + record.stop_within for e in record.history}
        | {e.effective_until for e in record.history if e.effective_until}
    )
    return sorted({*edges, *(e - MICROSECOND for e in edges), *(a + (b - a) / 2 for a, b in pairwise(edges))})

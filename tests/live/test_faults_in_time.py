"""Faults as windows of time: what an outage, a late record, a new subscription or a jumping clock leaves in the ledger.

Where a gap is for ever, its interval is compared to the second.
"""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from m365audit.graph import clock
from m365audit.graph.feeds.directory_audits import COLLECTION as AUDITS
from m365audit.graph.planning import MARGIN
from m365audit.simulator.served_truth import moment
from m365audit.simulator.service import Fault
from m365audit.simulator.service.calls import Service
from m365audit.simulator.service.clock import SimulatedClock

from .living import LATER, Living, Row, living, small_world

FEED: Final = "directory_audits"
HOUR: Final = timedelta(hours=1)
State = tuple[datetime, datetime, str, str | None]


def still(world: Any) -> SimulatedClock:
    """Return a clock that moves only when it is told to: so that moments can be compared to the second."""
    return SimulatedClock(world.now, pace=0)


def joined(rows: list[Row]) -> list[State]:
    """Return what the rows say of time, neighbours that say the same as one."""
    told: list[State] = []
    for row in rows:
        if told and told[-1][1:] == (row.begin, row.state, row.reason):
            told[-1] = (told[-1][0], row.end, row.state, row.reason)
        else:
            told.append((row.begin, row.end, row.state, row.reason))
    return told


# A20


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names that the DNS does not know; it knows all others."""
    unknown: set[str] = set()
    real = socket.getaddrinfo

    def looked_up(host: Any, *more: Any, **how: Any) -> Any:
        if host in unknown:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *more, **how)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    return unknown


def renamed(one: Living, service: Service) -> Living:
    """Let the configuration name a service by a name instead of an address."""
    place = re.sub(r"//[^:/]+", "//localhost", getattr(one.settings.cloud, service))
    one.settings = one.settings.model_copy(
        update={"cloud": one.settings.cloud.model_copy(update={service: place})}  # type: ignore[union-attr]
    )
    one.simulator.simulation.origins[service] = place
    return one


@pytest.mark.parametrize("service", ["login", "graph"])
def test_a20_a_name_that_the_dns_does_not_know(tmp_path: Path, nameless: set[str], service: Service) -> None:
    world = small_world(20)
    with living(tmp_path, world, feeds=(FEED, "users"), separate_ports=True) as one:
        renamed(one, service)
        nameless.add("localhost")
        outcome = one.run()
        asked = {request.service for request in one.simulator.log}
        assert asked == ({"login"} if service == "graph" else {"graph"})
        assert not any(request.had_token for request in one.simulator.log)
        assert not one.stored()
        assert {(row.state, row.reason) for row in one.windows(feed=FEED)} == {("gap", "error")}, "nothing is given up"
        assert outcome.is_partial
        told = [outcome.collected[0].refusal, *(row.detail for row in one.windows(feed=FEED))]
        assert any(("name" in sentence and "DNS" in sentence) or "resolved" in sentence for sentence in told), told
        nameless.clear()
        one.require_exact(one.run())
        assert one.missing(now=one.simulator.now()) == set()


# A23, C14


@pytest.mark.parametrize("away", [3, 29, 40, 400])
def test_a23_c14_what_an_outage_cost_is_told_to_the_second(tmp_path: Path, away: int) -> None:
    world = small_world(23)
    assert AUDITS.reach is not None
    with living(tmp_path, world, feeds=(FEED,), clock=still(world)) as one:
        one.run()
        ((begin, until, state, _),) = joined(one.windows(feed=FEED))
        assert (begin, until, state) == (world.begin, world.now, "drained")
        before = len(list(one.simulator.log))
        one.simulator.advance(timedelta(days=away))
        now = one.simulator.now()
        outcome = one.run()
        one.require_exact(outcome)
        readable = now - AUDITS.reach + MARGIN
        lost = [(world.now, readable, "gap", "expired")] if readable > world.now else []
        rows = joined(one.windows(feed=FEED))
        assert [row for row in rows if row[2] == "gap"] == lost
        assert (rows[0][0], rows[-1][1]) == (world.begin, now)
        assert all(one.end == other.begin for one, other in pairwise(one.windows(feed=FEED))), "not a second untold"
        assert outcome.is_partial is bool(lost)
        firsts = [
            first_asked(request.query) for request in list(one.simulator.log)[before:] if FEED_PATH in request.path
        ]
        assert firsts == sorted(firsts), "oldest first"
        assert min(firsts) == max(world.begin if away < 30 else readable, readable if lost else world.begin)
        again = one.run()
        assert not again.is_partial, "what is lost is told once, and asked for no more"
        assert [row for row in joined(one.windows(feed=FEED)) if row[2] == "gap"] == lost


FEED_PATH: Final = "/auditLogs/directoryAudits"


def first_asked(query: str) -> datetime:
    """Return the first moment that a request's filter wants."""
    found = re.search(r"ge(?:%20|\+| )([0-9T:.%A-Z-]+?Z)", query)
    assert found, query
    return moment(found[1].replace("%3A", ":").replace("%3a", ":"))


# A24


@pytest.mark.parametrize("kind", ["never_started", "switched_off"])
def test_a24_a_subscription_that_was_off_is_a_gap_until_the_second_it_began(tmp_path: Path, kind: str) -> None:
    world = small_world(24)
    with living(tmp_path, world, feeds=("audit_exchange",), clock=still(world)) as one:
        served = one.simulator.world.tenants[one.tenant]
        if kind == "never_started":
            served.subscriptions.clear()
        else:
            one.simulator.simulation.disabled_subscriptions.add((one.tenant, "Audit.Exchange"))
        outcome = one.run()
        one.require_exact(outcome)
        assert outcome.is_partial
        started = [r for r in one.simulator.log if r.path.endswith("subscriptions/start")]
        assert len(started) == 1
        assert joined(one.windows(feed="audit_exchange")) == [(world.begin, world.now, "gap", "disabled")]
        one.simulator.advance(13 * HOUR)
        now = one.simulator.now()
        one.require_exact(one.run())
        (off, on) = joined(one.windows(feed="audit_exchange"))
        assert (off[0], off[2:], on[1:]) == (world.begin, ("gap", "disabled"), (now, "drained", None))
        since = started[0].at.replace(microsecond=0)
        assert off[1] == on[0]
        assert since <= on[0] <= since + timedelta(seconds=1), "the first whole second that is surely covered"


def test_a24_silence_after_a_start_is_not_peace(tmp_path: Path) -> None:
    world = small_world(24)
    with living(tmp_path, world, [Fault("warming_up")], feeds=("audit_exchange",), clock=still(world)) as one:
        one.simulator.world.tenants[one.tenant].subscriptions.clear()
        one.run()
        one.simulator.advance(6 * HOUR)
        outcome = one.run()
        assert {(row.state, row.reason) for row in one.windows(feed="audit_exchange")} == {("gap", "disabled")}
        assert outcome.is_partial


# B1


def test_b1_what_comes_late_is_found_and_its_window_rests_later(tmp_path: Path) -> None:
    world = small_world(1)
    with living(tmp_path, world, feeds=(FEED,), clock=still(world), page=None) as one:
        served = one.simulator.world.tenants[one.tenant]
        record = served.collections["directoryAudits"][0]
        late, at = (one.tenant, FEED, record["id"]), moment(record["activityDateTime"])
        served.arrivals[record["id"]] = world.now + 20 * HOUR
        one.run(end=world.now)
        assert late not in one.stored()
        assert {row.state for row in one.windows(feed=FEED)} == {"drained"}
        one.simulator.advance(LATER)
        one.run(end=world.now)
        assert late in one.stored()
        assert {row.state for row in one.windows(feed=FEED) if row.holds(at)} == {"drained"}, "it added something"
        one.simulator.advance(LATER)
        one.run(end=world.now)
        assert {row.state for row in one.windows(feed=FEED)} == {"settled"}
        assert one.stored()[late] == 1


# C13


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What the host's clock says next; the last of it for ever."""
    said: list[datetime] = []

    class Jumping(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return (said.pop(0) if len(said) > 1 else said[0]).replace(tzinfo=tz)

    monkeypatch.setattr(clock, "datetime", Jumping)
    return said


@pytest.mark.parametrize(
    "jumps",
    [
        [datetime(1970, 1, 1, tzinfo=UTC)],
        [datetime(2037, 1, 1, tzinfo=UTC)],
        [datetime(2026, 9, 15, 7, tzinfo=UTC), datetime(2025, 9, 15, tzinfo=UTC), datetime(2027, 9, 15, tzinfo=UTC)]
        * 9,
    ],
)
def test_c13_a_host_s_clock_that_jumps_moves_no_window(
    tmp_path: Path, host: list[datetime], jumps: list[datetime]
) -> None:
    world = small_world(13)
    host += jumps
    with living(tmp_path, world, feeds=(FEED,), clock=still(world)) as one:
        one.require_exact(one.run())
        assert joined(one.windows(feed=FEED)) == [(world.begin, world.now, "drained", None)]
        one.simulator.advance(HOUR)
        host[:] = jumps[::-1]
        one.require_exact(one.run())
        assert joined(one.windows(feed=FEED)) == [(world.begin, one.simulator.now(), "drained", None)]
        pulled = [row.last_pulled_at for row in one.windows() if row.last_pulled_at]
        assert all(min(abs(at - world.now), abs(at - world.now - HOUR)) < timedelta(minutes=2) for at in pulled)

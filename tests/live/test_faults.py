"""Every fault of the catalogue by name, the whole way: from Microsoft's answer to what the ledger says of it.

A fault is *repaired* when everything is stored and nothing is told as unseen; else there is a *gap* with the right
reason, of the feed that was struck alone. Each case has a tenant of its own, and all tenants of a group are collected
in one run: so every case also shows that the others' faults do it no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from m365audit.pipeline import Outcome
from m365audit.pipeline.values import Collected
from m365audit.simulator.service import Logged
from m365audit.simulator.service.hostile_links import hostile_links

from .fault_cases import GROUPS, LOGIN, REPAIRED, Case
from .living import Living, living, small_world

ALL = [(group, case) for group, cases in GROUPS.items() for case in cases]


@dataclass(frozen=True, slots=True)
class Ran:
    """A group after its run."""

    living: Living
    outcome: Outcome
    tenants: dict[str, str]

    def collected(self, case: Case) -> Collected:
        """Return what the run says of the tenant of a case."""
        return next(each for each in self.outcome.collected if each.tenant == self.tenants[case.name])

    def requests(self, case: Case) -> list[Logged]:
        """Return what was asked of the tenant of a case."""
        return [each for each in self.living.simulator.log if each.tenant == self.tenants[case.name]]


def _collect(name: str, folder: Path, stack: ExitStack) -> Ran:
    cases = GROUPS[name]
    assert len({case.name for case in cases}) == len(cases)
    world = small_world(11, tenants=len(cases))
    tenants = dict(zip((case.name for case in cases), world.clients, strict=True))
    feeds = {tenants[case.name]: case.feeds for case in cases}
    one = stack.enter_context(living(folder, world, feeds=feeds, separate_ports=True))
    links = hostile_links(one.simulator.graph, one.simulator.elsewhere.origin, one.simulator.elsewhere.plain_origin)
    one.simulator.faults.add(*(case.of(tenants[case.name], links) for case in cases))
    return Ran(one, one.run(within=timedelta(hours=6)), tenants)


@pytest.fixture(scope="module")
def group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Ran]]:
    """Give a group, collected once."""
    with ExitStack() as stack:
        yield cache(lambda name: _collect(name, tmp_path_factory.mktemp(name), stack))


@pytest.fixture
def ran(group: Callable[[str], Ran], name: str) -> Ran:
    return group(name)


@pytest.mark.parametrize(("name", "case"), [pytest.param(g, c, id=c.name) for g, c in ALL])
def test_fault(ran: Ran, case: Case) -> None:
    tenant, one = ran.tenants[case.name], ran.living
    assert [f.kind for f in one.simulator.faults.met if f.tenant == tenant], "the fault was never met"
    gaps = {(row.feed, row.reason) for row in one.windows(tenant) if row.state in {"gap", "open"}}
    gaps |= {(each.feed, each.reason) for each in one.listings(tenant) if not each.is_whole}
    missing = {feed for _, feed, _ in one.missing(tenant, now=one.world.now)}
    if case.ends == REPAIRED:
        assert (gaps, missing) == (set(), set())
        assert not ran.collected(case).is_partial
    else:
        assert gaps == {(feed, case.ends) for feed in case.struck}
        assert missing <= set(case.struck)
        assert ran.collected(case).is_partial


@pytest.mark.parametrize("name", GROUPS)
def test_what_is_stored_and_told_is_exact(ran: Ran) -> None:
    ran.living.require_exact(ran.outcome)


@pytest.mark.parametrize("name", GROUPS)
def test_nothing_was_ever_sent_elsewhere(ran: Ran) -> None:
    assert ran.living.simulator.elsewhere.contacts == []


@pytest.mark.parametrize("name", GROUPS)
def test_no_tenant_was_asked_without_end(ran: Ran) -> None:
    asked = Counter(each.tenant for each in ran.living.simulator.log)
    assert max(asked.values()) < 150
    for case in (each for each in GROUPS["access"] if each.name in ran.tenants and each.is_whole_tenants):
        assert len(ran.requests(case)) < 15


@pytest.mark.parametrize("name", ["limits"])
def test_a3_asks_again_on_another_connection(ran: Ran) -> None:
    compared = 0
    for case in (each for each in GROUPS["limits"] if each.name.startswith("A3_") and each.fault.where != LOGIN):
        asked = ran.requests(case)
        for place, request in enumerate(asked):
            if case.fault.kind not in request.faults:
                continue
            again = next((r for r in asked[place + 1 :] if (r.path, r.query) == (request.path, request.query)), None)
            assert again is None or again.peer != request.peer, case.name
            compared += again is not None
    assert compared > 15


@pytest.mark.parametrize("name", ["pages"])
def test_a13_and_a22_are_told_as_incidents(ran: Ran) -> None:
    told = {tenant for tenant, _, _ in ran.living.incidents("link_refused")}
    no_links = ("number", "list", "empty")  # what is no text at all is no page either
    led = [c for c in GROUPS["pages"] if c.name.startswith(("A13_", "A22_")) and not c.name.endswith(no_links)]
    assert told == {ran.tenants[case.name] for case in led}
    assert {each.tenant for each in ran.outcome.collected if each.refused_links} == told


@pytest.mark.parametrize("name", ["access"])
def test_a18_says_in_a_sentence_why_nobody_was_let_in(ran: Ran) -> None:
    refused = [case for case in GROUPS["access"] if case.name.startswith("A18_")]
    said = [ran.collected(case).refusal for case in refused]
    assert all(len(sentence) > 40 for sentence in said)
    assert len(set(said)) > len(said) // 2
    rows = dict(ran.living.asked("SELECT tenant_id, code FROM sign_in_states WHERE NOT is_signed_in"))
    codes = {case.name: f"AADSTS{case.fault.detail['code']}" for case in refused}
    assert {case.name: rows.get(ran.tenants[case.name]) for case in refused} == codes
    assert not ran.outcome.is_locked_out

"""The throttle in virtual time: Microsoft's limits hold in every window, nobody starves, and nothing stands still."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import virtual_time
from m365audit.graph.limits import DIRECTORY_UNITS, LIMITS, resource_units
from m365audit.graph.throttle import LONGEST_CLOSURE_S, Throttle

REPORTS = ("reports",)
Went = list[tuple[float, str, float]]
"""When, whose, at what cost."""


def most_in_a_window(times: Sequence[tuple[float, float]], seconds: float) -> float:
    """Return the most that any closed window of a length holds."""
    ordered = sorted(times)
    most = total = 0.0
    begin = 0
    for at, cost in ordered:
        total += cost
        while ordered[begin][0] < at - seconds:
            total -= ordered[begin][1]
            begin += 1
        most = max(most, total)
    return most


def assert_within(went: Went, name: str, *, by_cost: bool = False) -> None:
    """Assert that every published limit of a name holds in every window."""
    for limit in (limit for limit in LIMITS if limit.name == name):
        by_tenant: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for at, tenant, cost in went:
            by_tenant[tenant if limit.scope == "each" else ""].append((at, cost if by_cost else 1.0))
        for times in by_tenant.values():
            assert most_in_a_window(times, limit.seconds) <= limit.amount


def new_throttle() -> Throttle:
    """Return a throttle that lives in the running loop's time."""
    return Throttle(clock=asyncio.get_running_loop().time)


def play(plan: Sequence[tuple[float, str, float]], limits: Sequence[str] = REPORTS) -> tuple[Went, float]:
    """Let requests come at their times; return how they went, and when the last did."""
    went: Went = []

    async def one(throttle: Throttle, at: float, tenant: str, cost: float) -> None:
        await asyncio.sleep(at)
        await throttle.admit(tenant, limits, cost=cost)
        went.append((asyncio.get_running_loop().time(), tenant, cost))

    async def everything() -> float:
        throttle = new_throttle()
        await asyncio.gather(*(one(throttle, *request) for request in plan))
        return asyncio.get_running_loop().time()

    return went, virtual_time.run(everything())


arrivals = st.lists(
    st.tuples(
        st.one_of(st.just(0.0), st.floats(0, 60), st.integers(0, 12).map(lambda n: n * 5.0)),
        st.sampled_from(["a", "b", "c"]),
        st.just(1.0),
    ),
    max_size=80,
)


@settings(max_examples=150, deadline=None)
@given(arrivals)
def test_no_window_of_a_tenant_holds_more_than_five_reports(plan: list[tuple[float, str, float]]) -> None:
    went, _ = play(plan)
    assert len(went) == len(plan)
    assert_within(went, "reports")


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 199).map(str), st.just(1.0)), min_size=150, max_size=500))
def test_no_window_over_all_tenants_holds_more_than_122_reports(plan: list[tuple[float, str, float]]) -> None:
    went, _ = play(plan)
    assert len(went) == len(plan)
    assert_within(went, "reports")


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 15), st.sampled_from(["a", "b"]), st.sampled_from([1.0, 2.0, 700.0, 1_700.0])),
        max_size=60,
    )
)
def test_no_window_holds_more_resource_units_than_the_tenant_has(plan: list[tuple[float, str, float]]) -> None:
    went, _ = play(plan, ("directory",))
    assert len(went) == len(plan)
    assert_within(went, "directory", by_cost=True)


def test_a_burst_after_a_pause_does_not_let_twice_the_limit_through() -> None:
    went, _ = play([(0.0, "a", 1.0)] + [(9.9, "a", 1.0)] * 4 + [(10.4, "a", 1.0)] * 5)
    times = sorted(at for at, _, _ in went)
    assert most_in_a_window([(at, 1.0) for at in times], 10) == 5


@pytest.mark.parametrize(("requests", "tenants"), [(200, 1), (4_000, 100), (120, 24)])
def test_the_fleet_is_done_within_a_tenth_of_the_least_time(requests: int, tenants: int) -> None:
    _, took = play([(0.0, str(n % tenants), 1.0) for n in range(requests)])
    least = max((-(-requests // tenants) / 5 - 1) * 10, (requests / 122 - 1) * 10, 0)
    assert took <= 1.1 * least + 10.3


def test_a_tenant_with_a_thousand_waiting_delays_another_by_no_more_than_its_turn() -> None:
    greedy = [(0.0, f"greedy {n % 50}", 1.0) for n in range(5_000)]
    went, _ = play([*greedy, (20.0, "modest", 1.0)])
    at = next(at for at, tenant, _ in went if tenant == "modest")
    assert 20 <= at <= 20 + 10.5


def test_those_who_share_a_limit_take_turns() -> None:
    went, _ = play([(0.0, tenant, 1.0) for tenant in ("big",) * 1_000 + tuple(f"t{n}" for n in range(400))])
    last_small = max(at for at, tenant, _ in went if tenant != "big")
    assert last_small <= (400 + 400 / 122 * 5) / 122 * 10.5
    assert max(at for at, _, _ in went) == pytest.approx(1_000 / 5 * 10, rel=0.06)


def test_within_a_tenant_the_first_to_come_is_the_first_to_go() -> None:
    order: list[int] = []

    async def one(throttle: Throttle, number: int) -> None:
        await throttle.admit("a", REPORTS)
        order.append(number)

    async def everything() -> None:
        throttle = new_throttle()
        await asyncio.gather(*(one(throttle, n) for n in range(23)))

    virtual_time.run(everything())
    assert order == list(range(23))


def test_cheap_requests_do_not_pass_a_dear_one_for_ever() -> None:
    async def cheap(throttle: Throttle) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(8_000):  # 1.1 times what the limit lets through, evenly
                group.create_task(throttle.admit(f"t{number % 100}", ("directory",), cost=100))
                await asyncio.sleep(1 / 80)

    async def everything() -> float:
        throttle = new_throttle()
        others = asyncio.create_task(cheap(throttle))
        await asyncio.sleep(40)
        await throttle.admit("dear", ("directory", "call_records"), cost=3_500)
        took = asyncio.get_running_loop().time() - 40
        others.cancel()
        return took

    assert virtual_time.run(everything()) <= 2


def answer(throttle: Throttle, status: int = 200, retry_after: float | None = None, **headers: str) -> None:
    """Note an answer to a report of tenant a."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    throttle.note_answer("a", REPORTS, status=status, retry_after=retry_after, headers=named)


def test_retry_after_closes_the_tenant_and_nobody_else() -> None:
    async def everything() -> None:
        time = asyncio.get_running_loop().time
        throttle = new_throttle()
        answer(throttle, 429, 120)
        await throttle.admit("b", REPORTS)
        await throttle.admit("a", ("directory",))
        assert time() == 0
        await throttle.admit("a", REPORTS)
        assert time() == pytest.approx(120, abs=0.01)

    virtual_time.run(everything())


def test_a_tenant_closed_while_it_waits_waits_longer_and_says_so() -> None:
    told: list[tuple[float, str]] = []

    async def everything() -> None:
        throttle = new_throttle()
        for _ in range(5):
            await throttle.admit("a", REPORTS)
        waiting = asyncio.create_task(throttle.admit("a", REPORTS, on_wait=lambda *what: told.append(what)))
        await asyncio.sleep(1)
        answer(throttle, 429, 60)
        await waiting
        assert asyncio.get_running_loop().time() == pytest.approx(61, abs=0.1)

    virtual_time.run(everything())
    assert [round(seconds) for seconds, _ in told] == [10, 51]
    assert told[0][1] == "identity reports: 5 requests in 10 s per tenant"
    assert told[1][1] == "Microsoft asked to wait (identity reports)"


def test_a_scope_that_names_the_app_closes_all_tenants() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        answer(throttle, 429, 40, x_ms_throttle_scope="Application/ReadWrite/0000/1111")
        await throttle.admit("b", REPORTS)
        assert asyncio.get_running_loop().time() == pytest.approx(40, abs=0.01)

    virtual_time.run(everything())


@pytest.mark.parametrize("retry_after", [1e9, float("inf")])
def test_an_absurd_retry_after_is_believed_for_an_hour(retry_after: float) -> None:
    async def everything() -> None:
        throttle = new_throttle()
        answer(throttle, 429, retry_after)
        await throttle.admit("a", REPORTS)
        assert asyncio.get_running_loop().time() == pytest.approx(LONGEST_CLOSURE_S, abs=0.01)

    virtual_time.run(everything())


@pytest.mark.parametrize("retry_after", [None, 0, -5])
def test_refusals_without_a_time_back_off_longer_each_time(retry_after: float | None) -> None:
    async def everything() -> None:
        throttle = new_throttle()
        times = []
        for _ in range(12):
            await throttle.admit("a", REPORTS)
            times.append(asyncio.get_running_loop().time())
            answer(throttle, 429, retry_after)
        pauses = [after - before for before, after in pairwise(times)]
        assert all(after >= before for before, after in pairwise(pauses))
        assert pauses[0] >= 2
        assert 300 <= pauses[-1] <= 331

    virtual_time.run(everything())


def test_a_window_of_answers_at_once_counts_as_one_refusal() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        for _ in range(5):
            answer(throttle, 429)
        await throttle.admit("a", REPORTS)
        assert asyncio.get_running_loop().time() == pytest.approx(2, abs=0.01)

    virtual_time.run(everything())


async def rate_of(throttle: Throttle, requests: int, **headers: str) -> float:
    """Return the requests per second that a tenant comes to when every answer is the same."""
    begin = asyncio.get_running_loop().time()
    for _ in range(requests):
        await throttle.admit("a", REPORTS)
        answer(throttle, 200, None, **headers)
    return requests / (asyncio.get_running_loop().time() - begin)


def test_it_slows_down_before_the_limit_and_recovers_slowly() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        warned = await rate_of(throttle, 100, x_ms_throttle_limit_percentage="1.0")
        assert warned < 0.25
        at_first = await rate_of(throttle, 10)
        assert at_first < 0.35
        await rate_of(throttle, 200)
        assert await rate_of(throttle, 100) == pytest.approx(0.5, rel=0.1)

    virtual_time.run(everything())


@pytest.mark.parametrize("value", ["0.79", "nonsense", "", "nan", "inf"])
def test_other_values_of_the_percentage_slow_nothing(value: str) -> None:
    async def everything() -> None:
        assert await rate_of(new_throttle(), 100, x_ms_throttle_limit_percentage=value) > 0.48

    virtual_time.run(everything())


def test_the_size_of_a_tenant_gives_it_more_units() -> None:
    async def seconds(size: str | None) -> float:
        throttle = new_throttle()
        if size is not None:
            throttle.note_size("a", size)  # type: ignore[arg-type]
        for _ in range(160):
            await throttle.admit("a", ("directory",), cost=500)
        return asyncio.get_running_loop().time()

    took = {size: virtual_time.run(seconds(size)) for size in (None, *DIRECTORY_UNITS)}
    assert took[None] == took["S"] > took["M"] > took["L"]
    assert took["L"] == pytest.approx(9 * 10, rel=0.06)


def test_who_goes_away_while_waiting_takes_nobodys_turn() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        for _ in range(5):
            await throttle.admit("a", REPORTS)
        gone = [asyncio.create_task(throttle.admit("a", REPORTS)) for _ in range(50)]
        await asyncio.sleep(1)
        for task in gone:
            task.cancel()
        await throttle.admit("a", REPORTS)
        assert asyncio.get_running_loop().time() == pytest.approx(10.3, abs=0.1)

    virtual_time.run(everything())


def test_it_sleeps_instead_of_asking_again_and_again() -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(seconds)

    async def everything() -> None:
        throttle = Throttle(clock=asyncio.get_running_loop().time, sleep=sleep)
        await asyncio.gather(*(throttle.admit("a", REPORTS) for _ in range(100)))

    virtual_time.run(everything())
    assert len(slept) <= 3 * 20 + 5


def test_nothing_is_left_running_when_nobody_waits() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        await asyncio.gather(*(throttle.admit("a", REPORTS) for _ in range(11)))
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    virtual_time.run(everything())


def test_ten_queries_at_a_time_and_two_hundred_submissions_a_day() -> None:
    running = 0
    most = 0
    begun: list[float] = []

    async def query(throttle: Throttle) -> None:
        nonlocal running, most
        async with throttle.slot("a", "audit_queries"):
            begun.append(asyncio.get_running_loop().time())
            running += 1
            most = max(most, running)
            await asyncio.sleep(300)
            running -= 1

    async def everything() -> None:
        throttle = new_throttle()
        await asyncio.gather(*(query(throttle) for _ in range(230)))

    virtual_time.run(everything())
    assert most == 10
    assert most_in_a_window([(at, 1.0) for at in begun], 86_400) == 200


def test_what_nobody_published_is_a_mistake() -> None:
    async def everything() -> None:
        throttle = new_throttle()
        with pytest.raises(ValueError, match="no limit named 'mail'"):
            await throttle.admit("a", ("mail",))
        with pytest.raises(ValueError, match="cannot cost"):
            await throttle.admit("a", REPORTS, cost=0)
        with pytest.raises(ValueError, match="no slots named"):
            async with throttle.slot("a", "mail"):
                pass

    virtual_time.run(everything())


@pytest.mark.parametrize(
    ("path", "options", "units"),
    [
        ("applications", {}, 2),
        ("/applications", {"selects": True}, 1),
        ("servicePrincipals", {"selects": True}, 1),
        ("servicePrincipals/1/appRoleAssignments", {"expands": True}, 3),
        ("groups/1/transitiveMembers", {}, 5),
        ("groups/1/members", {"selects": True, "top": 10}, 1),
        ("subscribedSkus", {}, 3),
        ("users", {"top": 999}, 2),
        ("users", {"top": 19}, 1),
        ("organization", {"selects": True, "top": 1}, 1),
    ],
)
def test_what_a_request_costs(path: str, options: dict[str, Any], units: int) -> None:
    assert resource_units(path, **options) == units

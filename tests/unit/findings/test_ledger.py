"""How findings go on from one evaluation to the next, by example and by law."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from findings_oracle import FindingState, Ledger, Present, next_ledger
from hypothesis import given
from hypothesis import strategies as st

from m365audit.rules.runner import RuleOutcome

START = datetime(2026, 3, 1, tzinfo=UTC)
OUTCOMES = ("findings", "clean", "not_evaluated", "error")


def found(name: str = "F1", *, tenant: str = "t", rule: str = "r", count: int = 1) -> Present:
    return Present(
        tenant, name, rule, "high", "title", "question?", "{}", "app", None, None, START, START, count, ("no_record",)
    )  # fmt: skip


def said(name: str, *, tenant: str = "t", rule: str = "r", is_covered: bool = True) -> RuleOutcome:
    return RuleOutcome(tenant, rule, name, None, 0, is_covered=is_covered)  # type: ignore[arg-type]


def evaluate(
    previous: Sequence[FindingState], present: Sequence[Present], outcome: RuleOutcome, day: int = 0
) -> Ledger:
    return next_ledger(previous, present, [outcome], evidence_time={"t": START + timedelta(days=day)})


def test_a_life() -> None:
    first = evaluate([], [found()], said("findings"), 0)
    second = evaluate(first.states, [found(count=5)], said("findings"), 1)
    third = evaluate(second.states, [], said("clean"), 2)
    fourth = evaluate(third.states, [], said("clean"), 3)
    fifth = evaluate(fourth.states, [found(count=7)], said("findings"), 4)
    states = [ledger.states[0] for ledger in (first, second, third, fourth, fifth)]
    assert [(s.state, s.change, s.reopened, s.evidence_count) for s in states] == [
        ("open", "new", 0, 1),
        ("open", "unchanged", 0, 5),
        ("resolved", "resolved", 0, 5),
        ("resolved", "unchanged", 0, 5),
        ("open", "reopened", 1, 7),
    ]
    assert {s.opened_at for s in states} == {START}
    assert [s.resolved_at for s in states] == [None, None, *[START + timedelta(days=2)] * 2, None]
    assert [[c.change for c in ledger.changes] for ledger in (first, second, third, fourth, fifth)] == [
        ["new"], [], ["resolved"], [], ["reopened"],
    ]  # fmt: skip
    assert fifth.changes[0].at == START + timedelta(days=4)


@pytest.mark.parametrize(
    "outcome",
    [
        said("not_evaluated", is_covered=False),
        said("error", is_covered=False),
        said("findings", is_covered=False),
        said("clean", rule="another"),
        said("clean", tenant="another"),
    ],
)
def test_silence_is_no_proof(outcome: RuleOutcome) -> None:
    before = evaluate([], [found()], said("findings"))
    after = evaluate(before.states, [], outcome, 1)
    assert [(s.state, s.resolved_at) for s in after.states] == [("open", None)]
    assert after.changes == ()


def test_another_finding_of_the_same_rule_does_not_keep_it_open() -> None:
    before = evaluate([], [found("F1"), found("F2")], said("findings"))
    after = evaluate(before.states, [found("F2")], said("findings"), 1)
    assert {s.finding_id: s.state for s in after.states} == {"F1": "resolved", "F2": "open"}


def test_a_renamed_rule_resolves_what_it_found_before() -> None:
    before = evaluate([], [found()], said("findings"))
    time = {"t": START}
    kept = next_ledger(before.states, [], [said("clean", rule="new")], evidence_time=time)
    gone = next_ledger(before.states, [], [said("clean", rule="new")], evidence_time=time, aliases={"r": "new"})
    assert (kept.states[0].state, gone.states[0].state) == ("open", "resolved")


def test_a_tenant_without_evidence_time_has_no_invented_one() -> None:
    ledger = next_ledger([], [found()], [said("findings")], evidence_time={})
    assert ledger.states[0].opened_at is None


@dataclass(frozen=True)
class Step:
    """One evaluation: which findings are there, and what the rules came to."""

    present: tuple[Present, ...]
    outcomes: tuple[RuleOutcome, ...]


TENANTS, RULES = ("t", "u"), ("r", "s")
NAMES = [(tenant, rule, f"F-{rule}-{number}") for tenant in TENANTS for rule in RULES for number in range(2)]


@st.composite
def steps(draw: st.DrawFn) -> Step:
    outcomes = {
        (tenant, rule): said(draw(st.sampled_from(OUTCOMES)), tenant=tenant, rule=rule, is_covered=draw(st.booleans()))
        for tenant in TENANTS
        for rule in RULES
        if draw(st.integers(0, 9))
    }
    chosen = draw(st.sets(st.sampled_from(NAMES)))
    speaking = {key for key, outcome in outcomes.items() if outcome.outcome == "findings"}
    present = [found(n, tenant=t, rule=r, count=draw(st.integers(1, 9))) for t, r, n in chosen if (t, r) in speaking]
    return Step(tuple(present), tuple(outcomes.values()))


HISTORIES = st.lists(steps(), min_size=1, max_size=6)


def play(history: Sequence[Step], seed: int = 0) -> list[Ledger]:
    """Run the history; ``seed`` shuffles what comes in within each step."""
    shuffled = random.Random(seed)  # noqa: S311  (an order, not a secret)
    ledgers: list[Ledger] = []
    for day, step in enumerate(history):
        previous = list(ledgers[-1].states) if ledgers else []
        present, outcomes = list(step.present), list(step.outcomes)
        if seed:
            for rows in (previous, present, outcomes):
                shuffled.shuffle(rows)
        time = dict.fromkeys(TENANTS, START + timedelta(days=day))
        ledgers.append(next_ledger(previous, present, outcomes, evidence_time=time))
    return ledgers


@given(HISTORIES)
def test_nothing_is_ever_deleted(history: list[Step]) -> None:
    names: set[tuple[str, str]] = set()
    for ledger in play(history):
        now = {(state.tenant_id, state.finding_id) for state in ledger.states}
        assert now >= names
        names = now


@given(HISTORIES)
def test_the_order_of_what_comes_in_makes_no_difference(history: list[Step]) -> None:
    assert play(history, seed=7) == play(history)


@given(HISTORIES)
def test_evaluating_again_changes_nothing(history: list[Step]) -> None:
    last = play(history)[-1]
    time = dict.fromkeys(TENANTS, START + timedelta(days=len(history) - 1))
    again = next_ledger(last.states, history[-1].present, history[-1].outcomes, evidence_time=time)
    assert again.changes == ()
    assert again.states == tuple(replace(state, change="unchanged") for state in last.states)


@given(HISTORIES)
def test_a_finding_resolves_only_on_evidence_that_was_all_there(history: list[Step]) -> None:
    for step, ledger in zip(history, play(history), strict=True):
        spoken = {(o.tenant_id, o.rule) for o in step.outcomes if o.outcome in OUTCOMES[:2] and o.is_covered}
        present = {(finding.tenant_id, finding.finding_id) for finding in step.present}
        for state in ledger.states:
            key = (state.tenant_id, state.finding_id)
            if state.change == "resolved":
                assert (state.tenant_id, state.rule) in spoken
                assert key not in present
            assert key not in present or state.state == "open"
            assert (state.state == "resolved") == (state.resolved_at is not None)


@given(HISTORIES)
def test_taking_coverage_away_never_resolves_more(history: list[Step]) -> None:
    blind = [replace(s, outcomes=tuple(replace(o, is_covered=False) for o in s.outcomes)) for s in history]
    assert all(state.state == "open" for state in play(blind)[-1].states)


@given(HISTORIES)
def test_a_finding_that_comes_back_keeps_its_beginning(history: list[Step]) -> None:
    seen: dict[tuple[str, str], FindingState] = {}
    for ledger in play(history):
        for state in ledger.states:
            before = seen.get((state.tenant_id, state.finding_id))
            if before is not None:
                assert state.opened_at == before.opened_at
                assert state.reopened == before.reopened + (state.change == "reopened")
                assert (state.change == "reopened") == (before.state == "resolved" and state.state == "open")
            else:
                assert state.change == "new"
            seen[state.tenant_id, state.finding_id] = state

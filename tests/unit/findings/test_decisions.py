"""Who may decide what from where: the table, all its refusals, and what no order of events can bring about."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from m365audit.errors import ReviewError
from m365audit.findings import decisions, roles
from m365audit.findings.conditions import NEVER_ACCEPTED
from m365audit.findings.decisions import MOVES
from m365audit.findings.values import DECISIONS, ENDING, GRAVE, Wish
from m365audit.resources import data_dir

from .deciding import FACTS, NOW, PEOPLE, REASON, Memory, person, terms, wish

MAY: dict[str, set[str]] = {
    "confirmed": {"dpo", "risk_owner", "analyst", "admin"},
    "remediating": {"dpo", "risk_owner", "analyst", "admin"},
    "false_positive": {"dpo", "risk_owner", "analyst", "admin"},
    "explained": {"dpo", "risk_owner", "analyst", "admin"},
    "accepted": {"risk_owner", "analyst", "admin"},
    "resolved": {"dpo", "risk_owner", "analyst", "admin"},
}
FROM: dict[str, set[str | None]] = {
    "confirmed": {None, *DECISIONS},
    "remediating": {"confirmed", "remediating"},
    "false_positive": {None, "confirmed", "remediating"},
    "explained": {None, "confirmed", "remediating"},
    "accepted": {"confirmed", "remediating", "accepted"},
    "resolved": {"confirmed", "remediating"},
}
"""The table once more, by hand: what is possible from where, and for whom (the facts' section 4.3)."""


def standing(decision: str | None, severity: str = "high") -> Memory:
    """Return a finding on which this was decided, by people who may."""
    memory = Memory(replace(FACTS, severity=severity))
    path = {None: [], "confirmed": ["confirmed"]}.get(decision, ["confirmed", str(decision)])
    for to in path:
        memory.decide(person("x"), wish(to))
        if memory.review().pending:
            memory.approve(person("y"))
    assert memory.review().decision == decision
    memory.terms = terms(PEOPLE)
    return memory


@pytest.mark.parametrize(("source", "to"), list(product([None, *DECISIONS], DECISIONS)))
def test_every_way_is_open_or_closed_as_the_table_says(source: str | None, to: str) -> None:
    for name, held in PEOPLE.items():
        memory = standing(source)
        is_allowed = source in FROM[to] and bool(MAY[to] & set(held))
        if not is_allowed:
            with pytest.raises(ReviewError):
                memory.decide(person(name, held), wish(to))
            continue
        after = memory.decide(person(name, held), wish(to))
        assert (after.pending, after.decision) == ((to, source) if to in ENDING else (None, to))


@pytest.mark.parametrize("to", ENDING)
@pytest.mark.parametrize(("asker", "second"), list(product(PEOPLE, PEOPLE)))
def test_a_grave_finding_ends_by_two_people_of_whom_one_has_the_role(to: str, asker: str, second: str) -> None:
    memory = standing("confirmed")
    try:
        memory.decide(person(asker, PEOPLE[asker]), wish(to))
    except ReviewError:
        assert not MAY[to] & set(PEOPLE[asker])
        return
    holder = {"false_positive": "dora", "explained": "dora", "accepted": "rik"}.get(to)
    if asker != second and (holder is None or holder in {asker, second}):
        after = memory.approve(person(second, PEOPLE[second]))
        assert (after.decision, after.pending, after.approved_person) == (to, None, second)
    else:
        with pytest.raises(ReviewError):
            memory.approve(person(second, PEOPLE[second]))
        assert memory.review().pending == to


def test_two_ids_and_two_roles_of_one_person_are_one_person() -> None:
    memory = Memory(terms=terms({"kim": ("analyst", "dpo", "risk_owner"), "lee": ("analyst",)}))
    memory.decide(person("kim"), wish("confirmed"))
    memory.decide(person("kim", ("analyst",), "os:kim"), wish("false_positive"))
    with pytest.raises(ReviewError, match="second person"):
        memory.approve(person("kim", ("dpo",), "entra:11111111-1111-4111-8111-111111111111"))


def test_who_asked_takes_it_back_and_others_deny() -> None:
    for who, event in (("ana", "withdraw"), ("dora", "deny")):
        memory = standing("confirmed")
        memory.decide(person("ana"), wish("resolved"))
        assert memory.deny(person(who)).pending is None
        assert (memory.entries[-1].event, memory.review().decision) == (event, "confirmed")


def test_while_something_is_pending_nothing_else_is_decided() -> None:
    memory = standing("confirmed")
    memory.decide(person("ana"), wish("resolved"))
    with pytest.raises(ReviewError, match="waits for a second person"):
        memory.decide(person("adam"), wish("confirmed"))


@pytest.mark.parametrize("severity", ["info", "low", "medium", "high", "critical"])
@pytest.mark.parametrize("second", [True, False])
def test_who_ends_it_alone_is_said(severity: str, *, second: bool) -> None:
    memory = Memory(replace(FACTS, severity=severity), terms(second=second))
    after = memory.decide(person("one"), wish("false_positive"))
    is_alone = not second or severity not in GRAVE
    assert (after.decision == "false_positive") is is_alone
    assert after.is_second_person_off is (not second)


def test_a_risk_takes_a_risk_owner_even_where_it_is_small() -> None:
    memory = standing("confirmed", "low")
    assert memory.decide(person("ana"), wish("accepted")).pending == "accepted"
    memory = standing("confirmed", "low")
    assert memory.decide(person("rik"), wish("accepted")).decision == "accepted"


def test_the_officer_accepts_only_where_there_is_no_other_risk_owner_and_that_is_said() -> None:
    both = {"dora": ("dpo", "risk_owner"), "ana": ("analyst",)}
    memory = Memory(terms=terms({**both, "rik": ("risk_owner",)}))
    memory.decide(person("ana"), wish("confirmed"))
    memory.decide(person("ana"), wish("accepted"))
    with pytest.raises(ReviewError, match="38\\(6\\)"):
        memory.approve(person("dora"))
    assert not memory.approve(person("rik")).is_role_conflict
    memory = Memory(terms=terms(both))
    memory.decide(person("ana"), wish("confirmed"))
    memory.decide(person("ana"), wish("accepted"))
    assert memory.approve(person("dora")).is_role_conflict


@pytest.mark.parametrize("rule", sorted(NEVER_ACCEPTED))
def test_some_things_are_never_accepted(rule: str) -> None:
    memory = Memory(replace(FACTS, rule=rule))
    memory.decide(person("x"), wish("confirmed"))
    with pytest.raises(ReviewError, match="no risk that can be accepted"):
        memory.decide(person("x"), wish("accepted"))


@pytest.mark.parametrize(("severity", "days"), [("critical", 30), ("high", 90), ("medium", 180), ("low", 365)])
def test_an_acceptance_is_no_longer_than_its_severity_allows(severity: str, days: int) -> None:
    for more, is_allowed in ((0, True), (1, False)):
        memory = Memory(replace(FACTS, severity=severity))
        memory.decide(person("x"), wish("confirmed"))
        asked = wish("accepted", until=NOW + timedelta(days=days, seconds=more))
        if is_allowed:
            memory.decide(person("x"), asked)
        else:
            with pytest.raises(ReviewError, match=f"{days} days at most"):
                memory.decide(person("x"), asked)


def test_a_risk_is_renewed_once_by_the_same_owner() -> None:
    memory = Memory(replace(FACTS, severity="low"))
    memory.decide(person("x"), wish("confirmed"))
    memory.decide(person("x"), wish("accepted"))
    memory.decide(person("x"), wish("accepted"))
    with pytest.raises(ReviewError, match="renewed it once"):
        memory.decide(person("x"), wish("accepted"))
    memory.decide(person("x"), replace(wish("accepted"), owner="somebody above"))


def test_what_grew_graver_while_it_waited_is_not_approved_for_longer_than_it_may_be() -> None:
    memory = standing("confirmed")
    memory.decide(person("ana"), wish("accepted", until=NOW + timedelta(days=60)))
    memory.facts = replace(memory.facts, severity="critical")
    with pytest.raises(ReviewError, match="critical"):
        memory.approve(person("rik"))


REFUSED: dict[str, tuple[Wish, str]] = {
    "no breach answer": (Wish("confirmed", REASON), "breach"),
    "another answer": (Wish("confirmed", REASON, breach="maybe"), "maybe"),
    "short": (Wish("confirmed", "too short", breach="no"), "9 characters"),
    "white space": (Wish("confirmed", "a" + " " * 40 + "b", breach="no"), "characters"),
    "long": (Wish("confirmed", "x" * 5000, breach="no"), "more than"),
    "unknown": (Wish("acepted", REASON), "acepted"),
    "no owner": (Wish("remediating", REASON), "owner"),
    "no evidence": (Wish("resolved", REASON, (" ",)), "evidence"),
    "past": (Wish("accepted", REASON, ("a",), "o", NOW), "past"),
    "no end": (Wish("accepted", REASON, ("a",), "o"), "until"),
    "late plan": (Wish("remediating", REASON, (), "o", NOW + timedelta(days=31)), "30 days"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_refusal_says_what_is_wrong_and_writes_nothing(case: str) -> None:
    memory = standing("confirmed")
    before = list(memory.entries)
    made, words = REFUSED[case]
    with pytest.raises(ReviewError, match=words) as caught:
        memory.decide(person("ana"), made)
    assert caught.value.hint
    assert memory.entries == before


def test_strangers_reviewers_and_machines_decide_nothing() -> None:
    memory = Memory(terms=terms(PEOPLE))
    for who in (person("eve"), person("rev"), replace(person("dora"), how="machine")):
        with pytest.raises(ReviewError):
            memory.decide(who, wish("confirmed"))
    anybody = Memory(terms=terms({"ana": ()}))
    assert anybody.decide(person("ana"), wish("confirmed")).decision == "confirmed"


def test_the_officers_opinion_is_kept_and_blocks_nothing() -> None:
    memory = standing("confirmed")
    with pytest.raises(ReviewError, match="no acceptance"):
        memory.say(person("dora"), "agree")
    memory.decide(person("ana"), wish("accepted"))
    with pytest.raises(ReviewError, match="dpo"):
        memory.say(person("rik"), "agree")
    assert memory.say(person("dora"), "disagree").pending == "accepted"
    after = memory.approve(person("rik"))
    assert (after.decision, after.opinion) == ("accepted", "disagree")


ANYBODY = st.sampled_from(sorted(PEOPLE))


def test_a_user_of_the_machine_and_an_account_are_two_people_only_where_somebody_says_so() -> None:
    memory = Memory()
    memory.decide(person("os:kim", identity="os:kim"), wish("confirmed"))
    memory.decide(person("os:kim", identity="os:kim"), wish("false_positive"))
    account = "entra:11111111-1111-4111-8111-111111111111"
    memory.terms = replace(terms({"k.im": ("dpo",), "l.ee": ("dpo",)}), ids={"os:kim": "k.im", account: "k.im"})
    with pytest.raises(ReviewError, match="second person"):  # asked before the configuration named anybody
        memory.approve(person("k.im", ("dpo",), account))
    assert decisions.deny(memory.terms, memory.review(), person("k.im", ("dpo",), account), REASON).event == "withdraw"
    memory.terms = replace(memory.terms, ids={"os:kim": "os:kim"})
    with pytest.raises(ReviewError, match="are two people"):
        roles.check_second(terms(), "os:kim", person(account, (), account), "no")
    assert memory.approve(person("l.ee", ("dpo",))).decision == "false_positive"


def test_an_account_that_the_configuration_does_not_name_decides_nothing() -> None:
    account = "entra:11111111-1111-4111-8111-111111111111"
    guest = replace(person(account, (), account), how="entra")
    with pytest.raises(ReviewError, match="names nobody") as refused:
        Memory().decide(guest, wish("confirmed"))
    assert account in str(refused.value.hint)


STEPS = st.one_of(
    st.tuples(st.sampled_from(DECISIONS), ANYBODY),
    st.tuples(st.sampled_from(["approve", "approve", "deny", "opinion", "day", "graver", "wider", "again"]), ANYBODY),
)


@given(st.lists(STEPS, max_size=25), st.sampled_from(["low", "high", "critical"]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_no_order_of_events_brings_about_what_must_not_be(
    steps: list[tuple[str, str]], severity: str, has_people: bool,  # noqa: FBT001 - drawn
) -> None:  # fmt: skip
    memory = Memory(replace(FACTS, severity=severity), terms(PEOPLE if has_people else None))
    for step, name in steps:
        before, seen = list(memory.entries), memory.facts
        try:
            _take(memory, step, name)
        except ReviewError:
            assert memory.entries == before
        assert memory.entries[: len(before)] == before  # only ever more
        stands = memory.review()
        assert stands.version == len(memory.entries)
        if stands.decision in ENDING and severity in GRAVE:
            assert stands.approved_person not in {None, stands.decided_person}
        if stands.decision == "accepted":
            assert stands.expires_at is not None
            assert stands.expires_at > memory.now
            assert memory.review(stands.expires_at).decision == "confirmed"
            assert memory.review(stands.expires_at).returned is not None
            if has_people:
                assert "rik" in {stands.decided_person, stands.approved_person}
        if stands.decision in ENDING:
            assert seen.rank <= memory.facts.rank


def _take(memory: Memory, step: str, name: str) -> None:
    who = person(name, PEOPLE[name])
    if step in DECISIONS:
        memory.decide(who, wish(step, until=_until(step, memory.now)))
    elif step == "approve":
        memory.approve(who)
    elif step == "deny":
        memory.deny(who)
    elif step == "opinion":
        memory.say(who, "agree")
    elif step == "day":
        memory.now += timedelta(days=9)
    elif step == "graver":
        memory.facts = replace(memory.facts, severity="critical")
    elif step == "wider":
        memory.facts = replace(memory.facts, reasons=(*memory.facts.reasons, f"reason {len(memory.facts.reasons)}"))
    else:
        memory.facts = replace(memory.facts, reopened=memory.facts.reopened + 1)


def _until(step: str, now: datetime) -> datetime | None:
    return now + timedelta(days=20) if step == "accepted" else None


def test_what_is_never_accepted_are_rules_that_exist() -> None:
    rules = {path.stem for path in (data_dir("queries") / "rules").rglob("*.sql")}
    assert set(NEVER_ACCEPTED) <= rules


def test_the_tables_are_of_the_same_decisions() -> None:
    assert set(MOVES) == set(DECISIONS) == set(MAY) == set(FROM)

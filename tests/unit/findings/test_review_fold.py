"""What the machine gives back, and when something is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from m365audit.findings.values import Facts

from .deciding import FACTS, NOW, Memory, person, wish


def ended(to: str, facts: Facts = FACTS) -> Memory:
    """Return a finding that two people ended so."""
    memory = Memory(facts)
    memory.decide(person("x"), wish("confirmed"))
    memory.decide(person("x"), wish(to))
    memory.approve(person("y"))
    assert memory.review().decision == to
    return memory


ENDINGS = ("false_positive", "explained", "accepted", "resolved")


@pytest.mark.parametrize("to", ENDINGS)
@pytest.mark.parametrize(
    ("change", "why", "spared"),
    [
        ({"severity": "critical"}, "severity", ()),
        ({"reasons": ("no_record", "wider")}, "scope", ()),
        ({"reopened": 1}, "reappeared", ("false_positive",)),
        ({"last_seen_at": NOW + timedelta(hours=1)}, "reappeared", ("false_positive", "explained", "accepted")),
        ({"severity": "medium"}, None, ()),
        ({"reasons": ()}, None, ()),
        ({"state": "resolved", "last_seen_at": NOW + timedelta(hours=1)}, None, ()),
    ],
)
def test_what_changed_comes_back(to: str, change: dict[str, object], why: str | None, spared: tuple[str, ...]) -> None:
    memory = ended(to)
    memory.facts = replace(memory.facts, **change)  # type: ignore[arg-type]
    after = memory.review()
    if why is None or to in spared:
        assert (after.decision, after.returned) == (to, None)
    else:
        assert (after.decision, after.returned, after.returned_from) == ("confirmed", why, to)


def test_an_acceptance_ends_to_the_second() -> None:
    memory = ended("accepted")
    end = memory.review().expires_at
    assert end is not None
    assert memory.review(end - timedelta(seconds=1)).decision == "accepted"
    after = memory.review(end)
    assert (after.decision, after.returned, after.due_at) == ("confirmed", "expired", end + timedelta(days=3))


def test_an_acceptance_whose_end_was_lost_is_over() -> None:
    memory = ended("accepted")
    asked = next(entry for entry in memory.entries if entry.event == "request")
    where = memory.entries.index(asked)
    memory.entries[where] = replace(asked, body={**asked.body, "until": None})
    assert memory.review().returned == "expired"


def test_deciding_again_settles_what_came_back() -> None:
    memory = ended("resolved")
    memory.facts = replace(memory.facts, reopened=1)
    assert memory.review().returned == "reappeared"
    after = memory.decide(person("x"), wish("confirmed"))
    assert (after.decision, after.returned, after.breach) == ("confirmed", None, "no")


@pytest.mark.parametrize(
    ("severity", "due"),
    [
        ("critical", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("high", datetime(2026, 11, 23, 10, tzinfo=UTC)),
        ("medium", datetime(2026, 12, 18, 10, tzinfo=UTC)),  # twenty days without weekends, from a Friday
        ("info", None),
    ],
)
def test_a_decision_is_due_by_severity(severity: str, due: datetime | None) -> None:
    opened = datetime(2026, 11, 20, 10, tzinfo=UTC)
    assert Memory(replace(FACTS, severity=severity, opened_at=opened)).review().due_at == due


def test_nothing_is_due_of_what_is_gone_or_ended() -> None:
    assert Memory(replace(FACTS, state="resolved")).review().due_at is None
    assert ended("false_positive").review().due_at is None


def test_what_waits_is_due_from_when_it_was_asked_for() -> None:
    memory = Memory()
    memory.decide(person("x"), wish("confirmed"))
    assert memory.review().due_at == NOW + timedelta(days=30)
    memory.now += timedelta(days=2)
    after = memory.decide(person("x"), wish("resolved"))
    assert after.due_at == memory.now + timedelta(days=3)


def test_a_plan_is_due_when_it_says() -> None:
    memory = Memory()
    memory.decide(person("x"), wish("confirmed"))
    day = NOW + timedelta(days=5)
    assert memory.decide(person("x"), wish("remediating", until=day)).due_at == day

"""A breach case from suspicion to its end: three times that are three facts, and 72 hours that are 72 hours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from m365audit.errors import ReviewError
from m365audit.findings import breach, case
from m365audit.findings.case import REQUIRED_ANSWERS, Case
from m365audit.findings.decisions import Ruling
from m365audit.findings.notification import FILLED, SUGGESTED, WRITTEN, YOURS, draft
from m365audit.findings.values import Terms
from m365audit.store.journal import Actor, Entry

from .deciding import CLOCKS, NOW, PEOPLE, REASON, person, terms

ANSWERS = dict.fromkeys(REQUIRED_ANSWERS, "an answer")
ANA, DORA = person("ana"), person("dora")


@dataclass
class Told:
    """The entries on one case."""

    terms: Terms = field(default_factory=lambda: terms(PEOPLE))
    now: datetime = NOW
    entries: list[Entry] = field(default_factory=list)

    def __post_init__(self) -> None:
        seen = {"findings": ["F1"], "detected_at": "2026-11-20T08:00:00Z", "first_seen_at": "2026-11-21T08:00:00Z"}
        self.write(ANA, Ruling("open", {**seen, "reason": REASON}))

    @property
    def case(self) -> Case:
        """How it stands."""
        return case.fold(self.entries, CLOCKS)

    def write(self, actor: Actor, ruling: Ruling) -> Case:
        """Append an entry."""
        number = len(self.entries) + 1
        self.entries.append(
            Entry("case", "t", "BR-1", ruling.event, actor, ruling.body, number, self.now, number, "", "")
        )
        return self.case

    def aware(self, at: datetime, actor: Actor = ANA) -> Case:
        """Say when somebody was aware."""
        return self.write(actor, breach.become_aware(self.terms, self.case, actor, at, REASON, now=self.now))

    def wait(self, until: datetime) -> Case:
        """Let time pass."""
        self.now = until
        return self.case

    def assess(self, risk: str) -> Case:
        """Assess it."""
        return self.write(DORA, breach.assess(self.terms, self.case, DORA, risk, REASON))

    def notify(self, at: datetime | None = None, *, complete: bool = False, **more: Any) -> Case:
        """Notify the authority."""
        given = {"answers": {}, "reference": None, "late_reason": None, **more}
        when = at or self.now
        return self.write(
            DORA, breach.notify(self.terms, self.case, DORA, when, now=self.now, is_complete=complete, **given)
        )

    def close(self, reason: str | None = None) -> Case:
        """End it."""
        return self.write(DORA, breach.close(self.terms, self.case, DORA, REASON, reason))


def test_three_times_are_three_facts() -> None:
    told = Told()
    assert (told.case.state, told.case.aware_at, told.case.due_at, told.case.left(NOW)) == (
        "suspected",
        None,
        None,
        None,
    )
    found = told.aware(NOW)
    assert (found.detected_at, found.first_seen_at, found.aware_at) == (
        datetime(2026, 11, 20, 8, tzinfo=UTC), datetime(2026, 11, 21, 8, tzinfo=UTC), NOW,
    )  # fmt: skip
    assert (found.state, found.due_at, found.hours) == ("aware", NOW + timedelta(hours=72), 72)


@pytest.mark.parametrize("local", ["2026-03-27T20:00", "2026-10-23T20:00", "2028-02-28T20:00", "2026-12-31T20:00"])
def test_72_hours_are_72_hours_also_when_clocks_are_set(local: str) -> None:
    aware = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
    told = Told(now=aware + timedelta(hours=1))
    due = told.aware(aware).due_at
    assert due is not None
    assert due.astimezone(UTC) - aware.astimezone(UTC) == timedelta(hours=72)
    assert told.case.hours == 72


@pytest.mark.parametrize(
    ("hours", "alert"), [(47.9, None), (48, 48), (59, 48), (60, 60), (69.9, 60), (70, 70), (80, 70)]
)
def test_the_clock_speaks_up(hours: float, alert: int | None) -> None:
    told = Told()
    told.aware(NOW)
    then = NOW + timedelta(hours=hours)
    assert told.case.alert(then) == alert
    assert told.case.left(then) == timedelta(hours=72 - hours)
    told.now = then
    told.notify(NOW + timedelta(hours=1))
    assert (told.case.alert(then), told.case.left(then)) == (None, None)


def test_aware_moves_earlier_by_one_person_and_later_by_two() -> None:
    told = Told()
    told.aware(NOW)
    assert told.aware(NOW - timedelta(hours=5)).aware_at == NOW - timedelta(hours=5)
    later = told.aware(NOW - timedelta(hours=1))
    assert (later.aware_at, later.pending_aware_at) == (NOW - timedelta(hours=5), NOW - timedelta(hours=1))
    with pytest.raises(ReviewError, match="second person"):
        breach.answer_later_awareness(told.terms, later, ANA, REASON, is_approved=True)
    with pytest.raises(ReviewError, match="waits"):
        told.aware(NOW)
    moved = told.write(DORA, breach.answer_later_awareness(told.terms, later, DORA, REASON, is_approved=True))
    assert (moved.aware_at, moved.pending_aware_at) == (NOW - timedelta(hours=1), None)
    assert [entry.body.get("before") for entry in told.entries if entry.event == "aware"][1] is not None


def test_an_earlier_awareness_overtakes_a_later_one_that_waits() -> None:
    told = Told()
    told.aware(NOW - timedelta(hours=5))
    told.aware(NOW)
    found = told.aware(NOW - timedelta(hours=9))
    assert (found.aware_at, found.pending_aware_at) == (NOW - timedelta(hours=9), None)


def test_in_a_company_of_one_a_later_awareness_is_said_to_be_one_persons() -> None:
    told = Told(terms=terms(second=False))
    told.aware(NOW - timedelta(hours=5))
    found = told.aware(NOW)
    assert (found.aware_at, found.is_second_person_off) == (NOW, True)


def test_the_whole_way() -> None:
    told = Told()
    told.aware(NOW)
    states = [told.assess("high_risk").state, told.notify().state, told.notify(complete=True, answers=ANSWERS).state]
    told.write(ANA, breach.tell(told.terms, told.case, ANA, NOW, now=NOW, whom="people"))
    assert [*states, told.close().state] == ["assessed", "notified_initial", "notified_complete", "closed"]
    assert (told.case.people_informed_at, told.case.closed_at) == (NOW, NOW)


def _refusals() -> dict[str, tuple[Callable[[Told], object], str]]:
    late = NOW + timedelta(hours=73)
    return {
        "future": (lambda told: told.aware(told.now + timedelta(hours=1)), "future"),
        "assess first": (lambda told: told.assess("risk"), "nobody is aware"),
        "unknown risk": (lambda told: (told.aware(NOW), told.assess("some")), "no risk 'some'"),
        "notify first": (lambda told: told.notify(), "nobody is aware"),
        "before awareness": (lambda told: (told.aware(NOW), told.notify(NOW - timedelta(1))), "before anybody"),
        "late": (lambda told: (told.aware(NOW), told.wait(late), told.notify(late)), "72 hours were over"),
        "late, no reason": (
            lambda told: (told.aware(NOW), told.wait(late), told.notify(late, late_reason="busy")),
            "4 characters",
        ),
        "incomplete": (
            lambda told: (told.aware(NOW), told.notify(complete=True, answers={"nature": "mail"})), "33\\(3\\)",
        ),
        "blank answer": (
            lambda told: (told.aware(NOW), told.notify(complete=True, answers={**ANSWERS, "people": " "})), "people",
        ),
        "unknown answer": (lambda told: (told.aware(NOW), told.notify(answers={"natur": "x"})), "natur"),
        "twice": (lambda told: (told.aware(NOW), told.notify(), told.notify()), "already"),
        "no risk": (lambda told: (told.aware(NOW), told.assess("no_risk"), told.notify()), "no risk"),
        "close unassessed": (lambda told: (told.aware(NOW), told.close()), "not assessed"),
        "close unnotified": (lambda told: (told.aware(NOW), told.assess("risk"), told.close()), "not wholly notified"),
        "close uninformed": (
            lambda told: (
                told.aware(NOW), told.assess("high_risk"), told.notify(complete=True, answers=ANSWERS), told.close(),
            ),
            "not informed",
        ),
        "closed": (lambda told: (told.close(), told.aware(NOW)), "closed"),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(_refusals()))
def test_a_refusal_says_what_is_wrong(name: str) -> None:
    act, words = _refusals()[name]
    with pytest.raises(ReviewError, match=words):
        act(Told())


def test_who_may_not_is_refused() -> None:
    told = Told()
    told.aware(NOW)
    for who in (person("rev"), person("eve")):
        with pytest.raises(ReviewError):
            breach.become_aware(told.terms, told.case, who, NOW, REASON, now=NOW)
    with pytest.raises(ReviewError):
        breach.assess(told.terms, told.case, ANA, "risk", REASON)


def test_a_late_notification_keeps_its_reason() -> None:
    told = Told()
    told.aware(NOW)
    told.now = NOW + timedelta(hours=80)
    assert told.notify(late_reason=REASON).late_reason == REASON


def test_what_is_no_risk_is_closed_without_a_notification_and_its_clock_stops() -> None:
    told = Told()
    told.aware(NOW)
    assert told.assess("no_risk").left(NOW) is None
    assert told.close().state == "closed"


def test_answers_gather_until_they_are_complete() -> None:
    told = Told()
    told.aware(NOW)
    for name in ANSWERS:
        assert name in told.case.missing
        told.write(ANA, breach.write_answers(told.terms, told.case, ANA, {name: "an answer"}))
    assert told.notify(complete=True).state == "notified_complete"


def test_the_draft_says_of_every_answer_where_it_comes_from() -> None:
    told = Told()
    told.aware(NOW)
    told.write(ANA, breach.write_answers(told.terms, told.case, ANA, {"nature": "mail was read"}))
    evidence = {"titles": ["an app read mail"], "apps": ["CRM"], "events": 3, "items": None, "workloads": ["mail"],
                "mailboxes": 2, "gaps": 1, "is_ongoing": True, "first_at": NOW}  # fmt: skip
    made = {answer.name or answer.question: answer for answer in draft(told.case, evidence, NOW)}
    assert (made["nature"].status, made["nature"].text) == (WRITTEN, "mail was read")
    assert (made["records"].status, made["people"].status, made["contact"].status) == (SUGGESTED, SUGGESTED, YOURS)
    assert "not watched" in made["records"].text
    assert made["Applications"].status == FILLED
    assert {answer.block for answer in draft(told.case, evidence, NOW)} == set(range(10))
    assert all(not answer.text for answer in made.values() if answer.status == YOURS)


def test_a_draft_without_evidence_leaves_everything_to_a_person() -> None:
    made = draft(Told().case, {}, NOW)
    assert {answer.status for answer in made if answer.block in {4, 5, 6}} == {YOURS}


@pytest.mark.parametrize("whom", ["controller", "people"])
def test_nobody_was_told_before_anybody_knew(whom: str) -> None:
    """A day long ago would make any message one in time."""
    told = Told()
    told.aware(NOW)
    with pytest.raises(ReviewError, match="before anybody knew"):
        breach.tell(told.terms, told.case, ANA, NOW - timedelta(days=3650), now=NOW, whom=whom)

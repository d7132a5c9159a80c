"""Deciding on the command line, from a finding to its end: what is written, what is refused, who is who."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import duckdb
import pytest
from click.testing import Result

from m365audit.config import load_settings
from m365audit.errors import ReviewError, StoreError
from m365audit.findings.values import Wish
from m365audit.pipeline import casework, completeness, reviewing
from m365audit.pipeline.casework import Doing
from m365audit.pipeline.circumstances import circumstances
from m365audit.pipeline.moment import present_moment
from m365audit.pipeline.reviewing import FindingKey
from m365audit.store import published
from m365audit.store.journal import Draft, open_journal
from m365audit.store.published import open_published
from m365audit.store.turns import InUseError

from .tiny_world import TENANT, World, invoke, program

REASON = "a reason that says something to whoever reads it"
PEOPLE = """
review:
  people:
    - {{person: me, roles: [analyst], ids: ["os:{user}", "os:other-account-of-mine"]}}
    - {{person: dora, name: Dora, roles: [dpo], ids: ["os:dora"]}}
    - {{person: rik, roles: [risk_owner], ids: ["os:rik"]}}
"""


@dataclass
class Desk:
    """A published world of a test's own, and the gravest of its findings."""

    world: World
    user: Callable[[str], None]
    identity: str

    def run(self, *arguments: str | Path) -> Result:
        """Run a command on it."""
        return invoke(*arguments, "--config", self.world.config)

    def json(self, *arguments: str) -> Any:
        """Run a command that must succeed, and return its JSON."""
        result = self.run(*arguments, "--format", "json")
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def finding(self) -> dict[str, Any]:
        """Return the gravest finding as it is listed now."""
        found: list[dict[str, Any]] = self.json("findings", "list")
        return found[0]

    def decide(self, to: str, *more: str) -> Result:
        """Decide on it."""
        return self.run("findings", "decide", self.identity, "--as", to, "--reason", REASON, *more)

    def entries(self) -> int:
        """Return how many entries the journal has."""
        return open_journal(self.world.folder / "state").head()[0]


@pytest.fixture(scope="session")
def gravest(world: World) -> str:
    """Return the id of the gravest finding."""
    with duckdb.connect(str(world.folder / "publish" / "m365audit.duckdb"), read_only=True) as connection:
        row = connection.execute("SELECT finding_id FROM findings WHERE severity = 'high'").fetchone()
    assert row is not None
    return str(row[0])


@pytest.fixture
def desk(world: World, gravest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Return a copy of the tiny world, at which anybody may be sitting."""
    shutil.copytree(world.folder, tmp_path / "w")
    sits = partial(monkeypatch.setattr, reviewing, "system_user")
    return Desk(World(tmp_path / "w"), lambda name: sits(lambda: name), gravest)


@pytest.fixture
def staffed(desk: Desk) -> Desk:
    """Return the desk with people and roles; the analyst is sitting at it."""
    with desk.world.config.open("a") as file:
        file.write(PEOPLE.format(user="ana"))
    desk.user("ana")
    return desk


def test_a_finding_is_confirmed_asked_to_be_accepted_and_accepted_by_another(staffed: Desk) -> None:
    until = (datetime.now(UTC) + timedelta(days=25)).date().isoformat()
    assert staffed.decide("confirmed", "--breach", "no").exit_code == 0
    asked = staffed.decide("accepted", "--evidence", "T-1", "--owner", "rik", "--until", until)
    assert "waits for a second person" in asked.stdout
    identity = staffed.identity
    assert [f["finding_id"] for f in staffed.json("findings", "list", "--waiting")] == [identity]
    for name in ("ana", "other-account-of-mine", "dora", "eve"):
        staffed.user(name)
        refused = staffed.run("findings", "approve", identity, "--reason", REASON)
        assert refused.exit_code == 2, name
    staffed.user("dora")
    assert staffed.run("findings", "opinion", identity, "--is", "disagree", "--reason", REASON).exit_code == 0
    staffed.user("rik")
    assert staffed.run("findings", "approve", identity, "--reason", REASON).exit_code == 0
    found = staffed.finding()
    assert (found["decision"], found["pending"], found["due_at"]) == ("accepted", None, None)
    history = staffed.json("findings", "history", identity)
    assert [entry["event"] for entry in history["entries"]] == ["confirm", "request", "opinion", "approve"]
    assert history["entries"][0]["how"] == "os"


def test_it_comes_back_when_the_acceptance_ends_and_readers_see_it_at_once(staffed: Desk) -> None:
    settings = load_settings(staffed.world.config).settings
    now = datetime.now(UTC)
    key = FindingKey(TENANT, staffed.identity)
    ana, rik = (reviewing.actor_of(settings, f"os:{name}", name, "os") for name in ("ana", "rik"))
    wishes = [
        Wish("confirmed", REASON, breach="no"),
        Wish("accepted", REASON, ("T-1",), "rik", now + timedelta(days=20)),
    ]
    for version, wish in enumerate(wishes):
        reviewing.decide(settings, ana, key, wish, expected_version=version, now=now)
    reviewing.approve(settings, rik, key, REASON, expected_version=2, now=now)
    seen = {}
    for days in (19, 21):
        with reviewing.open_reviewed(settings, now + timedelta(days=days)) as database:
            (row,) = database.execute(
                "SELECT decision, returned FROM findings WHERE finding_id = $id", {"id": key.finding_id}
            )
            seen[days] = row
    assert seen == {19: ("accepted", None), 21: ("confirmed", "expired")}


def test_what_is_published_next_holds_the_decisions(desk: Desk) -> None:
    before = desk.entries()  # a purge may have been written down when the world was made
    assert desk.decide("confirmed", "--breach", "yes").exit_code == 0
    assert desk.run("evaluate").exit_code == 0
    with duckdb.connect(str(desk.world.folder / "publish" / "m365audit.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT decision FROM findings WHERE decision IS NOT NULL").fetchall() == [
            ("confirmed",)
        ]
        ((reviewed, all_of_them),) = connection.execute(
            "SELECT count(*) FILTER (WHERE version > 0), count(*) = (SELECT count(*) FROM findings) "
            "FROM finding_reviews"
        ).fetchall()
        assert (reviewed, all_of_them) == (1, True)
        assert connection.execute("SELECT state, len(finding_ids) FROM breach_cases").fetchall() == [("aware", 1)]
        assert desk.entries() == before + 3
        assert connection.execute("SELECT count(*) FROM review_events").fetchall() == [(before + 3,)]
    shutil.rmtree(desk.world.folder / "state")  # whoever reads what was published has no state
    assert desk.finding()["decision"] == "confirmed"


REFUSALS: dict[str, tuple[list[str], str]] = {
    "no reason": (["--as", "confirmed", "--breach", "no", "--reason", "because"], "7 characters"),
    "no breach answer": (["--as", "confirmed", "--reason", REASON], "yes, no or unclear"),
    "too early": (["--as", "resolved", "--reason", REASON, "--evidence", "x"], "nobody has confirmed it"),
    "stale": (["--as", "confirmed", "--breach", "no", "--reason", REASON, "--version", "7"], "version 0 now"),
    "no evidence": (["--as", "false_positive", "--reason", REASON], "evidence"),
    "no time": (["--as", "remediating", "--owner", "x", "--until", "soon", "--reason", REASON], "no time"),
    "no day": (["--as", "remediating", "--owner", "x", "--until", "2026-02-30", "--reason", REASON], "no time"),
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_a_refusal_ends_with_2_and_writes_nothing(desk: Desk, name: str) -> None:
    arguments, words = REFUSALS[name]
    before = desk.entries()
    result = desk.run("findings", "decide", desk.identity, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert desk.entries() == before


def test_a_finding_that_is_not_there_is_refused(desk: Desk) -> None:
    result = desk.run("findings", "decide", "F1-NOPE", "--as", "confirmed", "--breach", "no", "--reason", REASON)
    assert (result.exit_code, "no finding begins" in result.stderr) == (2, True)
    with pytest.raises(ReviewError, match="no finding"):
        reviewing.facts_of(load_settings(desk.world.config).settings, FindingKey("another", "F1-NOPE"))


def test_strangers_are_told_who_they_are_not(staffed: Desk) -> None:
    staffed.user("eve")
    result = staffed.decide("confirmed", "--breach", "no")
    assert (result.exit_code, "os:eve" in result.stderr) == (2, True)


def test_a_damaged_journal_stops_deciding_and_reading_with_5(desk: Desk) -> None:
    assert desk.decide("confirmed", "--breach", "no").exit_code == 0
    for path in (desk.world.folder / "state").glob("review.sqlite-*"):
        path.unlink()
    (desk.world.folder / "state" / "review.sqlite").write_bytes(b"no journal" * 1000)
    assert desk.run("findings", "list").exit_code == 5


def test_a_lost_journal_is_told_and_nothing_is_published_without_it(desk: Desk) -> None:
    journal = desk.world.folder / "state" / "review.sqlite"
    assert desk.decide("confirmed", "--breach", "no").exit_code == 0
    kept = shutil.copytree(desk.world.folder / "state", desk.world.folder / "copy")
    assert desk.decide("false_positive", "--evidence", "x").exit_code == 0
    settings = load_settings(desk.world.config).settings
    head = open_journal(settings.state).head()
    completeness.check_whole(settings, head)
    for left in (None, kept):
        for path in journal.parent.glob("review.sqlite*"):
            path.unlink()
        if left is not None:
            shutil.copytree(left, journal.parent, dirs_exist_ok=True)
        with pytest.raises(StoreError, match="decisions are missing"):
            completeness.check_whole(settings, head)


def test_published_decisions_without_any_journal_are_told_on_page_one(desk: Desk) -> None:
    state = desk.world.folder / "state"
    assert desk.decide("confirmed", "--breach", "no").exit_code == 0
    assert desk.run("evaluate").exit_code == 0
    for path in (*state.glob("review.sqlite*"), state / "decisions.head"):
        path.unlink()
    report = desk.run("report")
    assert (report.exit_code, "Decisions are missing" in report.stdout) == (0, True), report.stderr
    assert desk.run("verify").exit_code == 5


def test_that_nothing_was_judged_for_long_is_told(desk: Desk) -> None:
    settings = load_settings(desk.world.config).settings
    now = datetime.now(UTC)
    assert circumstances(settings, host=now + timedelta(days=6)).last_evaluated_at is None
    old = circumstances(settings, host=now + timedelta(days=8)).last_evaluated_at
    assert old is not None
    assert timedelta() < now - old < timedelta(days=1)
    assert "Nothing was read or judged since" not in desk.run("report").stdout
    with open_journal(settings.state) as journal:  # time goes by, by whatever tells it
        draft = Draft("view", "", "x", "opened", reviewing.actor_here(settings), {})
        journal.append(draft, expected_version=None, at=now + timedelta(days=8))
    report = desk.run("report")
    assert "Nothing was read or judged since" in report.stdout, report.stderr


def test_a_tenant_that_the_configuration_does_not_have_is_refused_with_the_next_step(desk: Desk) -> None:
    config = desk.world.config
    config.write_text(config.read_text("utf-8").replace(TENANT, "99999999-9999-4999-8999-999999999999"), "utf-8")
    before = desk.entries()
    for arguments in (
        ("findings", "decide", desk.identity, "--as", "confirmed", "--breach", "yes", "--reason", REASON),
        ("findings", "approve", desk.identity, "--reason", REASON),
        ("breach", "open", desk.identity, "--reason", REASON),
    ):
        result = desk.run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"the configuration has no tenant {TENANT}" in result.stderr
        assert "add 11111111-1111-4111-8111-111111111111 to `tenants:`" in result.stderr
    assert desk.entries() == before


def test_a_journal_that_was_lost_before_anything_of_it_was_published_is_told(desk: Desk) -> None:
    """Only the note beside it knows: on page 1, by `verify`, and by whoever would write another one."""
    folder = desk.world.folder
    assert desk.decide("confirmed", "--breach", "no").exit_code == 0
    words = "Decisions are missing"
    assert words not in desk.run("report").stdout
    assert desk.run("verify").exit_code == 0
    newest = desk.entries()  # the world may have been looked at before, which is an entry too
    for path in (folder / "state").glob("review.sqlite*"):
        path.unlink()
    told = desk.run("verify")
    words_of_it = f"decisions are missing: entry {newest} was written here"
    assert (told.exit_code, words_of_it in told.stdout) == (5, True), told.stdout
    assert words in desk.run("report").stdout
    for arguments in (("findings", "decide", desk.identity, "--as", "confirmed", "--breach", "no", "--reason", REASON),
                      ("report", "--identified", "--reason", REASON)):  # fmt: skip
        refused = desk.run(*arguments)
        assert (refused.exit_code, "decisions are missing" in refused.stderr) == (5, True)
    assert desk.entries() == 0
    assert not (folder / "state" / "review.sqlite").exists()


def test_a_publication_that_another_thread_holds_is_not_taken_for_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def held(folder: Path) -> NoReturn:
        raise InUseError(f"{folder} is in use")

    monkeypatch.setattr(published, "open_published", held)
    with pytest.raises(InUseError):
        completeness.check_journal(load_settings(desk.world.config).settings)


def test_a_clock_that_is_set_back_makes_nothing_last_longer_and_is_told(staffed: Desk) -> None:
    settings = load_settings(staffed.world.config).settings
    key = FindingKey(str(staffed.finding()["tenant_id"]), staffed.identity)
    past = datetime.now(UTC) - timedelta(days=400)
    until = (past + timedelta(days=20)).isoformat()
    owner, asker = (reviewing.actor_of(settings, f"os:{name}", name, "os") for name in ("rik", "other-account-of-mine"))
    wish = Wish("accepted", REASON, ("ticket 1",), "rik", datetime.fromisoformat(until))
    confirmed = Wish("confirmed", REASON, breach="no")
    reviewing.decide(settings, asker, key, confirmed, expected_version=None, now=past)
    reviewing.decide(settings, asker, key, wish, expected_version=None, now=past)
    reviewing.approve(settings, owner, key, REASON, expected_version=None, now=past)
    assert reviewing.review_of(settings, key, past)[0].decision == "accepted"
    casework.open_case(Doing(settings, asker, datetime.now(UTC) + timedelta(days=1)), key.tenant, [], REASON)
    newest = open_journal(settings.state).newest_at()
    assert newest is not None
    with reviewing.open_reviewed(settings, past) as database:  # the host says that it is long ago
        shown = database.execute(
            "SELECT decision, returned FROM findings WHERE finding_id = $id", {"id": key.finding_id}
        )
    assert shown == [("confirmed", "expired")]
    page = staffed.run("report").stdout
    assert "The clock of this machine is wrong" in page
    assert present_moment(settings, past) == newest
    staffed.user("dora")
    told = staffed.run(
        "findings", "decide", staffed.identity, "--as", "remediating", "--owner", "x", "--reason", REASON
    )
    assert "the clock of this machine is earlier than the newest decision" in told.stderr


def test_two_processes_decide_on_one_finding_and_one_is_told(desk: Desk) -> None:
    identity = desk.identity
    arguments = (
        "findings", "decide", identity, "--as", "confirmed", "--breach", "yes", "--reason", REASON, "--version", "0",
        "--config", desk.world.config,
    )  # fmt: skip
    ended = []
    for process in [program(*arguments) for _ in range(3)]:
        process.communicate(timeout=60)
        ended.append(process.returncode)
    assert sorted(ended) == [0, 2, 2]
    cases = casework.all_cases(load_settings(desk.world.config).settings)
    assert [(case.case_id, case.version) for case in cases] == [(f"BR-{datetime.now(UTC).year}-001", 2)]


def test_a_breach_from_awareness_to_its_end(desk: Desk) -> None:
    assert desk.run("breach", "status").stdout == "no breach case is open\n"
    desk.run("findings", "show", desk.identity)
    desk.decide("confirmed", "--breach", "yes")
    (case,) = desk.json("breach", "list")
    identity = case["case_id"]
    found = desk.json("breach", "status", identity)
    assert found["detected"] <= found["first_seen"] < found["aware"]
    assert desk.run("breach", "status").exit_code == 0
    earlier = (datetime.now(UTC) - timedelta(hours=50)).isoformat(timespec="seconds")
    assert desk.run("breach", "aware", identity, "--at", earlier, "--reason", REASON).exit_code == 0
    status = desk.run("breach", "status")
    assert (status.exit_code, "48 hours" in status.stderr) == (20, True)
    draft = desk.json("breach", "draft", identity, "--answer", "nature=mail was read")
    assert "nature" not in draft["missing"]
    assert {answer["status"] for answer in draft["answers"]} == {
        "filled from evidence", "suggestion", "you must write", "written by a person",
    }  # fmt: skip
    refused = desk.run("breach", "notified", identity, "--complete")
    assert (refused.exit_code, "33(3)" in refused.stderr) == (2, True)
    assert desk.run("breach", "assess", identity, "high_risk", "--reason", REASON).exit_code == 0
    answers = [f"--answer={name}=some text" for name in draft["missing"]]
    assert desk.run("breach", "notified", identity, "--complete", "--ref", "AP-1", *answers).exit_code == 0
    assert desk.run("breach", "close", identity, "--reason", REASON).exit_code == 2
    for step in ("told", "informed"):
        assert desk.run("breach", step, identity).exit_code == 0
    assert desk.run("breach", "close", identity, "--reason", REASON).exit_code == 0
    assert (desk.json("breach", "list"), desk.run("breach", "status").exit_code) == ([], 0)


def test_a_case_is_opened_once_for_a_finding_and_has_no_clock_before_awareness(desk: Desk) -> None:
    identity = desk.identity
    assert desk.run("breach", "open", identity, "--reason", REASON).exit_code == 0
    (case,) = desk.json("breach", "list")
    assert (case["state"], case["due_at"]) == ("suspected", None)
    again = desk.run("breach", "open", identity, "--reason", REASON)
    assert (again.exit_code, case["case_id"] in again.stderr) == (2, True)
    assert desk.run("breach", "status", "BR-1").exit_code == 2


def test_an_overdue_breach_is_no_risk_to_accept(desk: Desk) -> None:
    settings = load_settings(desk.world.config).settings
    now, actor = datetime.now(UTC), reviewing.actor_of(settings, "os:a", "a", "os")
    key = FindingKey(TENANT, desk.identity)
    reviewing.decide(settings, actor, key, Wish("confirmed", REASON, breach="yes"), expected_version=0, now=now)
    wish = Wish("accepted", REASON, ("x",), "o", now + timedelta(days=30))
    with pytest.raises(ReviewError, match="overdue"):
        reviewing.decide(settings, actor, key, wish, expected_version=1, now=now + timedelta(hours=73))
    reviewing.decide(settings, actor, key, wish, expected_version=1, now=now + timedelta(hours=71))


def test_requests_are_listed_by_what_is_left(desk: Desk) -> None:
    today = datetime.now(UTC).date()
    for kind, days in (("access", 3), ("erase", 20)):
        received = (today - timedelta(days=days)).isoformat()
        assert desk.run("requests", "add", kind, "--received", received, "--ref", "7").exit_code == 0
    found = desk.json("requests", "list")
    assert [row["kind"] for row in found] == ["erase", "access"]
    assert found[0]["days_left"] < found[1]["days_left"] <= 28
    identity = found[0]["request_id"]
    assert desk.run("requests", "extend", identity, "--reason", REASON).exit_code == 0
    assert desk.run("requests", "answer", identity, "--reason", REASON).exit_code == 0
    assert desk.run("requests", "refuse", identity, "--reason", REASON).exit_code == 2
    assert [row["kind"] for row in desk.json("requests", "list")] == ["access"]
    assert desk.run("requests", "add", "access", "--received", "2999-01-01").exit_code == 2
    assert desk.run("requests", "add", "access", "--received", "yesterday").exit_code == 2


def test_a_statement_is_kept_with_the_hash_of_its_file(desk: Desk, tmp_path: Path) -> None:
    paper = tmp_path / "contract.pdf"
    paper.write_bytes(b"abc")
    given = ("--kind", "contract", "--ref", "DPA 7", "--role", "dpo", "--valid-until")
    assert desk.run("attest", "c07-3", *given, "2999-01-01", "--file", paper).exit_code == 0
    before = desk.entries()
    for control, until in (("C99-1", "2999-01-01"), ("C07-3", "2020-01-01")):
        assert desk.run("attest", control, *given, until).exit_code == 2
    assert desk.run("attest", "C07-3", *given, "2999-01-01", "--file", tmp_path / "none").exit_code == 2
    assert desk.entries() == before
    with reviewing.open_reviewed(load_settings(desk.world.config).settings, datetime.now(UTC)) as database:
        ((control, digest, is_valid),) = database.execute("SELECT control, sha256, is_valid FROM attestations")
    assert (control, digest[:8], is_valid) == ("C07-3", "ba7816bf", True)


def test_a_stale_look_at_a_case_is_refused(desk: Desk) -> None:
    settings = load_settings(desk.world.config).settings
    now, actor = datetime.now(UTC), reviewing.actor_here(settings)
    doing = Doing(settings, actor, now)
    identity = casework.open_case(doing, TENANT, [desk.identity], REASON).subject
    casework.become_aware(doing, identity, now, REASON)
    with pytest.raises(ReviewError, match="version 2 now"):
        casework.assess(Doing(settings, actor, now, 1), identity, "risk", REASON)


def test_hostile_words_stay_words(desk: Desk) -> None:
    hostile = "\x1b[31m\u202e<script>alert(1)</script> =cmd|'/c calc'!A1 \x9b2J"
    result = desk.run("findings", "decide", desk.identity, "--as", "confirmed", "--breach", "no", "--reason", hostile)
    assert result.exit_code == 0
    shown = desk.run("findings", "history", desk.identity).stdout
    assert not {"\x1b", "\u202e", "\x9b"} & set(shown)
    assert desk.json("findings", "history", desk.identity)["entries"][0]["body"]["reason"] == hostile


def test_who_sits_here_is_what_the_system_says_and_not_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    before = reviewing.system_user()
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "the-data-protection-officer")
    assert reviewing.system_user() == before != "the-data-protection-officer"


def test_a_journal_that_is_lost_is_not_begun_anew(desk: Desk) -> None:
    journal = desk.world.folder / "state" / "review.sqlite"
    assert desk.decide("confirmed", "--breach", "no").exit_code == 0
    settings = load_settings(desk.world.config).settings
    with open_journal(settings.state) as opened:
        seq, digest = opened.head()
    published = desk.world.folder / "publish" / "m365audit.duckdb"
    with duckdb.connect(str(published)) as connection:  # as the next run publishes it
        connection.execute("CREATE OR REPLACE TABLE review_events AS SELECT ? AS seq, ? AS hash", [seq, digest])
    for leftover in journal.parent.glob("review.sqlite*"):
        leftover.unlink()
    key = FindingKey(TENANT, desk.identity)
    refused = desk.decide("remediating", "--owner", "rik")
    assert refused.exit_code != 0
    assert "put back the newest copy" in refused.stderr
    assert not journal.exists()
    with pytest.raises(StoreError, match="decisions are missing"):
        reviewing.note_opened(settings, reviewing.actor_here(settings), key, datetime.now(UTC))
    assert not journal.exists()


def test_a_reader_without_the_journal_sees_an_acceptance_end_all_the_same(staffed: Desk) -> None:
    settings = load_settings(staffed.world.config).settings
    now = datetime.now(UTC)
    key = FindingKey(TENANT, staffed.identity)
    ana, rik = (reviewing.actor_of(settings, f"os:{name}", name, "os") for name in ("ana", "rik"))
    wish = Wish("accepted", REASON, ("T-1",), "rik", now + timedelta(days=20))
    reviewing.decide(settings, ana, key, Wish("confirmed", REASON, breach="no"), expected_version=0, now=now)
    reviewing.decide(settings, ana, key, wish, expected_version=1, now=now)
    reviewing.approve(settings, rik, key, REASON, expected_version=2, now=now)
    with open_published(settings.publish) as database:
        events = reviewing.rows_of(settings, now, database.execute)["review_events"]
    with duckdb.connect(str(staffed.world.folder / "publish" / "m365audit.duckdb")) as connection:  # as a run does
        for event in events:
            names = ", ".join(f'"{name}"' for name in event)
            marks = ", ".join("?" for _ in event)
            connection.execute(f"INSERT INTO review_events ({names}) VALUES ({marks})", list(event.values()))  # noqa: S608
    elsewhere = settings.model_copy(update={"state": settings.state / "of-a-reader"})
    asked = "SELECT decision, returned FROM findings WHERE finding_id = $id"
    found = {}
    for days in (19, 21):
        with reviewing.open_reviewed(elsewhere, now + timedelta(days=days)) as database:
            found[days] = database.execute(asked, {"id": staffed.identity})
    assert found == {19: [("accepted", None)], 21: [("confirmed", "expired")]}

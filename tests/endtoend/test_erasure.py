"""An erased person is in no byte of any file, the answers stay, and what comes later does not bring them back."""

from __future__ import annotations

import getpass
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from landed import TENANT, Desk

from m365audit.errors import ReviewError
from m365audit.pipeline import erasure
from m365audit.pipeline.circumstances import circumstances
from m365audit.pipeline.erasure import Erased
from m365audit.pipeline.holding import set_hold
from m365audit.pipeline.reviewing import actor_here as os_actor
from m365audit.pipeline.verification import verify
from m365audit.store.erasing import Eraser
from m365audit.store.journal import Actor, Draft, open_journal

from .marked import ID, MAIL, NAME, NEEDLES, OTHER, UPN, USER, every_value, evidence, search, users_page

REASON = f"request 17 of {NAME} ({UPN}), identity checked"
PLACES = ("state", "publish")


def _erase(desk: Desk, wanted: str = UPN, *, is_applied: bool = True) -> Erased:
    return erasure.erase(
        desk.settings, TENANT, wanted, reason=REASON, actor=os_actor(desk.settings), is_applied=is_applied
    )


def _folders(desk: Desk) -> list[Path]:
    return [desk.settings.state, desk.settings.publish]


def _answers(desk: Desk) -> dict[str, object]:
    """Return what must not change: verdicts, coverage, accounts of files, findings and when they were seen."""
    return {
        "verdicts": desk.published("SELECT verdict, reasons, count(*) FROM verdicts GROUP BY ALL ORDER BY ALL"),
        "coverage": desk.published("SELECT * FROM coverage ORDER BY ALL"),
        "accounts": desk.published("SELECT source_id, sha256, records, stored, duplicate, quarantined FROM sources"),
        "findings": desk.published("SELECT finding_id, rule, severity, state, evidence_count FROM findings ORDER BY 1"),
        "rows": desk.ask("SELECT feed, count(*), count(DISTINCT record_id) FROM landed_records GROUP BY 1 ORDER BY 1"),
        "groups": desk.published("SELECT group_id, count(*) FROM group_snapshot_members GROUP BY 1"),
    }


@pytest.fixture(scope="module")
def taken_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A desk at which a person was taken in with everything that names them, judged and decided on."""
    desk = Desk(tmp_path_factory.mktemp("marked") / "desk")
    desk.run(*evidence(desk), evaluate=True)
    note = Draft("finding", TENANT, "F1-X", "confirmed", os_actor(desk.settings), {"reason": f"{NAME} said {MAIL}"})
    with open_journal(desk.settings.state) as journal:
        journal.append(note, expected_version=None)
    for name, text in {"notes.csv": f"who\r\n{UPN}\r\n", f"{UPN}.txt": NAME, "old.pdf": "%PDF-1.4 opaque"}.items():
        (desk.settings.publish / name).write_text(text)
    assert {needle for _, needle in search(_folders(desk))} >= {ID, UPN, "zmarker.mail", "marker-quux", "7654321"}
    return desk.folder


@pytest.fixture
def marked(taken_in: Path, tmp_path: Path) -> Desk:
    """That desk, for a test of its own."""
    shutil.copytree(taken_in, tmp_path / "desk")
    return Desk(tmp_path / "desk")


@pytest.mark.parametrize("wanted", [UPN, ID.upper()])
def test_no_byte_is_left_and_every_answer_stays(marked: Desk, wanted: str) -> None:
    before = _answers(marked)
    result = _erase(marked, wanted)
    assert result.is_done
    assert result.left == ()
    assert search(_folders(marked)) == []
    assert _answers(marked) == before
    assert OTHER.encode() in every_value(marked.settings.state / "m365audit.duckdb")
    assert not (marked.settings.publish / "old.pdf").exists()
    with open_journal(marked.settings.state) as journal:
        assert journal.broken_links() == []
        assert [entry.event for entry in journal.entries(kind="erasure")] == ["begun", "done"]


def test_judging_again_changes_nothing_and_brings_nobody_back(marked: Desk) -> None:
    before = _answers(marked)
    _erase(marked)
    marked.run(evaluate=True)
    assert _answers(marked) == before
    assert search(_folders(marked)) == []


def test_the_same_and_other_evidence_does_not_bring_them_back(marked: Desk) -> None:
    _erase(marked)
    rows = marked.ask("SELECT count(*) FROM landed_records")
    files = evidence(marked)
    marked.run(*files, evaluate=True)
    assert search(_folders(marked)) == []
    assert marked.ask("SELECT count(*) FROM landed_records") == rows
    for path in files:  # other bytes, the same person
        path.write_bytes(path.read_bytes() + b"\n") if path.suffix in {".json", ".ndjson"} else None
    marked.run(*(path.rename(path.with_name(f"again-{n}{path.suffix}")) for n, path in enumerate(files)), evaluate=True)
    assert search(_folders(marked)) == []


def test_a_dry_run_counts_and_touches_nothing(marked: Desk) -> None:
    before = {path: path.read_bytes() for folder in _folders(marked) for path in folder.rglob("*") if path.is_file()}
    result = _erase(marked, is_applied=False)
    assert not result.is_done
    assert result.erasure.rows["working.landed_records"] > 5
    assert len(result.erasure.files) >= 10
    after = {path: path.read_bytes() for folder in _folders(marked) for path in folder.rglob("*") if path.is_file()}
    changed = {path.name for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= {"m365audit.duckdb", "run.lock", "people.key", "review.sqlite-wal", "review.sqlite-shm",
                       "review.sqlite"}  # fmt: skip


def test_an_erasure_that_broke_off_is_told_until_it_is_carried_out(
    marked: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the journal and the promise nothing but the journal knows of it."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Eraser, "commit", killed)
        with pytest.raises(KeyboardInterrupt):
            _erase(marked)
    (subject,) = circumstances(marked.settings).unfinished_erasures
    told = [check for check in verify(marked.settings) if check.state == "damaged"]
    assert [(check.name, subject in check.sentences[0]) for check in told] == [
        ("every erasure that was begun was carried out", True)
    ]
    assert _erase(marked).is_done
    assert circumstances(marked.settings).unfinished_erasures == ()
    assert [check for check in verify(marked.settings) if check.state == "damaged"] == []
    assert search(_folders(marked)) == []


def test_erasing_twice_finds_nobody(marked: Desk) -> None:
    _erase(marked)
    assert _erase(marked).erasure.total == 0


def test_a_hold_forbids_it_and_a_refusal_is_on_record(marked: Desk) -> None:
    now = datetime.now(UTC)
    actor = Actor(f"os:{getpass.getuser()}", "p", "p", (), "os")
    set_hold(marked.settings, TENANT, "tenant", reason="lawsuit 2026/44 is going on", until=now + timedelta(days=90),
             actor=actor, now=now)  # fmt: skip
    with pytest.raises(ReviewError, match=r"hold H-.* forbids it until .*lawsuit"):
        _erase(marked)
    assert search(_folders(marked), NEEDLES[:1])
    erasure.refuse(marked.settings, TENANT, UPN, ground="17(3)(e)", reason=f"lawsuit against {UPN} is on", actor=actor)
    with open_journal(marked.settings.state) as journal:
        (entry,) = journal.entries(kind="erasure")
    assert entry.event == "refused"
    assert "17(3)(e)" in entry.body["ground"]
    assert UPN not in str(entry)


def test_an_address_of_two_accounts_is_nobodys_for_sure(marked: Desk) -> None:
    again = {**USER, "id": "d0d0cafe-2222-4222-8333-00c0ffee00ab"}
    marked.run(marked.write("later.json", users_page(again), at="2026-05-05T00:00:00+00:00"))
    with pytest.raises(ReviewError, match="more than one account"):
        _erase(marked)
    result = _erase(marked, ID)
    assert UPN in result.person.shared
    assert search(_folders(marked), (ID,)) == []


def test_a_reason_must_say_something(marked: Desk) -> None:
    with pytest.raises(ReviewError, match="has 5 characters"):
        erasure.erase(marked.settings, TENANT, UPN, reason="asked", actor=os_actor(marked.settings), is_applied=True)

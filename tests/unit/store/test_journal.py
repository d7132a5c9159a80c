"""The journal of decisions: grows and never changes, by several processes, through kills; tells of tampering."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from m365audit.errors import ReviewError, StaleVersionError, StoreError
from m365audit.store import journal as journal_module
from m365audit.store import journal_file, journal_head
from m365audit.store.journal import Actor, Draft, JournalMovedError, has_journal, open_journal
from m365audit.store.journal_head import HEAD_NAME, Head, kept_head

WHO = Actor("os:a", "a", "A", ("dpo",), "os")
AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
_WRITER = """
import sys
from pathlib import Path
from m365audit.store.journal import Actor, Draft, open_journal
who = Actor("os:a", "a", "A", (), "os")
with open_journal(Path(sys.argv[1])) as journal:
    for number in range(int(sys.argv[2])):
        journal.append(Draft("finding", "t", f"F{number % 3}", "confirm", who, {"n": number}), expected_version=None)
        print(number, flush=True)
"""


def draft(subject: str = "F1", event: str = "confirm", kind: str = "finding", **body: object) -> Draft:
    """Return an entry to be."""
    return Draft(kind, "t", subject, event, WHO, body)


def test_without_a_journal_there_is_nothing_and_nothing_is_made(tmp_path: Path) -> None:
    journal = open_journal(tmp_path / "state")
    assert (journal.entries(), journal.head()[0], journal.broken_links()) == ([], 0, [])
    assert not (tmp_path / "state").exists()


def test_entries_come_back_as_they_were_written(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        first = journal.append(draft(reason="é\u202e <b>", number=1), expected_version=0, at=AT)
        second = journal.append(draft("F2"), expected_version=None, at=AT)
        assert journal.entries() == [first, second]
        assert journal.entries(subject="F2") == [second]
    assert (first.seq, first.version, first.at, first.body["reason"]) == (1, 1, AT, "é\u202e <b>")
    assert second.previous == first.hash
    assert open_journal(tmp_path).entries() == [first, second]


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    with open_journal(tmp_path / "state") as journal:
        journal.append(draft(), expected_version=None)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_versions_count_by_subject(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for subject in ("F1", "F2", "F1", "F1"):
        journal.append(draft(subject), expected_version=None)
    assert [(entry.subject, entry.version) for entry in journal.entries()] == [
        ("F1", 1), ("F2", 1), ("F1", 2), ("F1", 3),
    ]  # fmt: skip


def test_a_stale_version_is_refused_with_what_it_is_now(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(), expected_version=0)
    journal.append(draft(event="remediate"), expected_version=1)
    with pytest.raises(StaleVersionError) as caught:
        journal.append(draft(), expected_version=1)
    assert (caught.value.version, caught.value.event) == (2, "remediate")
    assert len(journal.entries()) == 2


def test_several_entries_are_written_together_or_not_at_all(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(), expected_version=0)
    with pytest.raises(StaleVersionError):
        journal.append_all([(draft("F2"), 0), (draft("F1"), 0)])
    with pytest.raises(JournalMovedError):
        journal.append_all([(draft("F2"), 0)], expected_head=0)
    assert [entry.subject for entry in journal.entries()] == ["F1"]


@pytest.mark.parametrize("bad", [draft(kind="nonsense"), draft("F\n1"), draft("\ud800")])
def test_what_is_no_name_is_refused(tmp_path: Path, bad: Draft) -> None:
    journal = open_journal(tmp_path)
    with pytest.raises(ReviewError):
        journal.append(bad, expected_version=None)
    assert journal.entries() == []


def test_broken_characters_are_told_as_such(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(reason="a\ud800b\0c", deep=[{"x": "\udfff"}]), expected_version=None)
    assert journal.entries()[0].body == {"reason": "a\ufffdb\ufffdc", "deep": [{"x": "\ufffd"}]}


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET event = 'deny'",
        "DELETE FROM entries",
        "DELETE FROM bodies",
        "UPDATE bodies SET text = '{}'",
        "INSERT OR REPLACE INTO entries SELECT * FROM entries WHERE seq = 1",
        "INSERT OR REPLACE INTO bodies SELECT * FROM bodies WHERE seq = 1",
    ],
)
def test_the_file_itself_refuses_changes(tmp_path: Path, sql: str) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(), expected_version=None)
    connection = sqlite3.connect(journal.path)
    with pytest.raises(sqlite3.Error):
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize(
    ("sql", "where"),
    [
        ("UPDATE entries SET event = 'deny' WHERE seq = 2", 2),
        ("UPDATE entries SET at = '2020-01-01T00:00:00.000000Z' WHERE seq = 2", 2),
        ('UPDATE bodies SET text = \'{"reason":"other"}\' WHERE seq = 2', 2),
        ("UPDATE bodies SET text = '{}', erased_at = '2026-01-01T00:00:00.000000Z' WHERE seq = 2", 2),
        ("DELETE FROM entries WHERE seq = 2", 3),
        ("DELETE FROM bodies WHERE seq = 2", 2),
    ],
)
def test_tampering_with_the_triggers_gone_is_told(tmp_path: Path, sql: str, where: int) -> None:
    journal = open_journal(tmp_path)
    for number in range(4):
        journal.append(draft(number=number), expected_version=None)
    assert journal.broken_links() == []
    connection = sqlite3.connect(journal.path)
    for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger}")
    connection.execute(sql)
    connection.commit()
    connection.close()
    assert where in {link.seq for link in journal.broken_links()}


def test_erasing_leaves_no_byte_and_a_whole_chain(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(reason="mail of marker@contoso.example was read"), expected_version=None)
    journal.append(draft("F2", reason="nothing of that"), expected_version=None)
    places = journal.erase(
        draft("p", "erase", "erasure"), lambda text: text.replace("marker@contoso.example", "[erased]")
    )
    assert (places, journal.broken_links()) == ([1], [])
    assert journal.entries()[0].body["reason"] == "mail of [erased] was read"
    assert journal.entries()[0].erased_at is not None
    assert journal.entries()[-1].body["entries"] == [1]
    journal.close()
    assert [path for path in tmp_path.iterdir() if b"marker@contoso" in path.read_bytes()] == []


def test_a_damaged_file_is_an_error_and_never_an_empty_journal(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(draft(), expected_version=None)
    journal.close()
    for content in (b"", b"not a database, but long enough to be looked at " * 50, journal.path.read_bytes()[:2000]):
        journal.path.write_bytes(content)
        with pytest.raises(StoreError), open_journal(tmp_path) as damaged:
            damaged.entries()
        with pytest.raises(StoreError), open_journal(tmp_path) as damaged:
            damaged.append(draft(), expected_version=None)


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    writers = [_writer(tmp_path, 25, subprocess.DEVNULL) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    journal = open_journal(tmp_path)
    assert len(journal.entries()) == 75
    assert journal.broken_links() == []


def test_a_kill_loses_nothing_that_was_written(tmp_path: Path) -> None:
    told = 0
    for _ in range(3):
        with _writer(tmp_path, 100_000, subprocess.PIPE) as writer:
            assert writer.stdout is not None
            told += sum(1 for _ in range(5) if writer.stdout.readline())
            time.sleep(0.02)
            os.kill(writer.pid, signal.SIGKILL)
            told += writer.stdout.read().count(b"\n")
    journal = open_journal(tmp_path)
    journal.append(draft(), expected_version=None)
    assert len(journal.entries()) > told >= 15
    assert journal.broken_links() == []
    assert [path.name for path in tmp_path.iterdir() if "creating" in path.name] == []


def _writer(state: Path, number: int, stdout: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _WRITER, str(state), str(number)], stdout=stdout)


def test_time_in_the_journal_never_goes_back(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.append(draft(), expected_version=None, at=AT)
        back = journal.append(draft("F2"), expected_version=None, at=AT - timedelta(days=90))
        assert (back.at, journal.newest_at()) == (AT, AT)
        assert journal.broken_links() == []


@pytest.mark.parametrize("kind", ["entry", "first"])
def test_a_full_disk_writes_nothing_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "entry":
        with open_journal(tmp_path) as journal:
            journal.append(draft(), expected_version=None)
    before = open_journal(tmp_path).entries()

    def cramped(path: Path) -> sqlite3.Connection:
        connection = journal_file.connect(path)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(journal_module, "connect", cramped)
        with open_journal(tmp_path) as journal, pytest.raises(StoreError, match="full") as told:
            journal.append_all([(draft("F9", text="x" * 100_000), None)] * 3)
    assert "room" in (told.value.hint or "")
    with open_journal(tmp_path) as journal:
        assert (journal.entries(), journal.broken_links()) == (before, [])
        after = journal.append(draft("F2"), expected_version=None)
        assert (after.seq, kept_head(tmp_path)) == (len(before) + 1, Head(after.seq, after.hash))


@pytest.mark.parametrize("target", ["elsewhere.sqlite", "nothing"])
def test_a_symbolic_link_is_refused(tmp_path: Path, target: str) -> None:
    other, state = tmp_path / "other", tmp_path / "state"
    with open_journal(other) as journal:
        journal.append(draft(), expected_version=None)
    (other / "review.sqlite").rename(other / "elsewhere.sqlite")
    bytes_before = {path.name: path.read_bytes() for path in other.iterdir()}
    state.mkdir(mode=0o700)
    (state / "review.sqlite").symlink_to(other / target)
    assert has_journal(state)
    with open_journal(state) as journal:
        for attempt in (journal.entries, journal.head, lambda: journal.append(draft("F2"), expected_version=None)):
            with pytest.raises(StoreError, match="symbolic link"):
                attempt()
    assert {path.name: path.read_bytes() for path in other.iterdir()} == bytes_before


def test_a_newer_journal_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.append(draft(), expected_version=None)
    with sqlite3.connect(tmp_path / "review.sqlite") as connection:
        connection.execute(f"PRAGMA user_version = {journal_file.SCHEMA_VERSION + 1}")
    connection.close()
    before = (tmp_path / "review.sqlite").read_bytes()
    with open_journal(tmp_path) as journal:
        for attempt in (journal.entries, lambda: journal.append(draft("F2"), expected_version=None)):
            with pytest.raises(StoreError, match="schema 2, this program knows 1") as told:
                attempt()
            assert "newer m365audit" in (told.value.hint or "")
    assert (tmp_path / "review.sqlite").read_bytes() == before


def test_a_journal_from_before_it_had_a_number_goes_on(tmp_path: Path) -> None:
    with open_journal(tmp_path) as journal:
        journal.append(draft(), expected_version=None)
    with sqlite3.connect(tmp_path / "review.sqlite") as connection:
        connection.execute("PRAGMA user_version = 0")
    connection.close()
    with open_journal(tmp_path) as journal:
        assert journal.append(draft(), expected_version=1).seq == 2


def test_every_entry_is_noted_beside_the_journal(tmp_path: Path) -> None:
    assert kept_head(tmp_path) is None
    with open_journal(tmp_path) as journal:
        for number in range(3):
            entry = journal.append(draft(name=f"n{number}"), expected_version=None)
            assert kept_head(tmp_path) == Head(entry.seq, entry.hash)
        journal.erase(draft("E-1", "begun", "erasure"), lambda text: text.replace("n1", "XX"))
        assert kept_head(tmp_path) == Head(*journal.head())
        assert journal.holds(*journal.head())
        assert not journal.holds(journal.head()[0], "0" * 64)


def test_a_note_that_cannot_be_written_stops_no_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, open_journal(tmp_path) as journal:
        patched.setattr(journal_head, "sync_folder", full)
        assert journal.append(draft(), expected_version=None).seq == 1
    with open_journal(tmp_path) as journal:
        assert journal.append(draft(), expected_version=None).seq == 2


def _lost(state: Path) -> None:
    for path in state.glob("review.sqlite*"):
        path.unlink()


def _cut(state: Path) -> None:
    with sqlite3.connect(state / "review.sqlite") as connection:
        connection.executescript(
            "DROP TRIGGER entries_remain; DROP TRIGGER bodies_remain; DELETE FROM entries WHERE seq > 1; "
            "DELETE FROM bodies WHERE seq > 1"
        )
    connection.close()


def _other(state: Path) -> None:
    _lost(state)
    (state / HEAD_NAME).rename(state / "kept")
    with open_journal(state) as journal:
        for _ in range(4):
            journal.append(draft("F9"), expected_version=None)
    (state / "kept").replace(state / HEAD_NAME)


def _garbled(state: Path) -> None:
    (state / HEAD_NAME).write_text('{"seq": 3}')


@pytest.mark.parametrize(("harm", "words"), [
    (_lost, "decisions are missing"), (_cut, "decisions are missing"), (_other, "decisions are missing"),
    (_garbled, "cannot be read"),
])  # fmt: skip
def test_a_journal_that_lost_entries_is_told_and_not_written_on(
    tmp_path: Path, harm: Callable[[Path], None], words: str
) -> None:
    """Nothing of it was ever published: the note beside it is all that knows."""
    with open_journal(tmp_path) as journal:
        for number in range(3):
            journal.append(draft(number=number), expected_version=None)
        journal.check_noted()
    harm(tmp_path)
    before = open_journal(tmp_path).entries()
    with open_journal(tmp_path) as journal:
        with pytest.raises(StoreError, match=words):
            journal.check_noted()
        with pytest.raises(StoreError, match=words):
            journal.append(draft("F2"), expected_version=None)
    assert open_journal(tmp_path).entries() == before

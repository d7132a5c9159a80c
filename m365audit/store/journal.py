"""The journal of what people decided: one append-only file beside the working database, every entry chained by hash.

Decisions are possible while a run holds DuckDB, and from several processes at once. Entries are never changed and
never removed; what a state is follows from them (``m365audit.findings``). Only a person's erased data leave the text
of an entry, by ``erase``: the chain holds the hash of the text, stays whole, and says which entries it concerns.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from m365audit.errors import ReviewError, StaleVersionError, StoreError
from m365audit.store.journal_entries import (
    BEGINNING,
    KINDS,
    Actor,
    BrokenLink,
    Draft,
    Entry,
    broken_in,
    canonical,
    digest,
    entry_hash,
    entry_of,
    time_of,
    time_text,
)
from m365audit.store.journal_file import connect, create, errors_of_the_journal, refuse_links
from m365audit.store.journal_head import HEAD_NAME, keep_head, kept_head

__all__ = [
    "BEGINNING",
    "KINDS",
    "Actor",
    "BrokenLink",
    "Draft",
    "Entry",
    "Journal",
    "JournalMovedError",
    "canonical",
    "has_journal",
    "open_journal",
]

JOURNAL_NAME: Final = "review.sqlite"
_COLUMNS: Final = (
    "SELECT e.seq, e.at, e.kind, e.tenant, e.subject, e.version, e.event, e.actor, e.body_hash, e.previous, e.hash, "
    "b.salt, b.text, b.erased_at FROM entries AS e LEFT JOIN bodies AS b ON e.seq = b.seq"
)


class JournalMovedError(StaleVersionError):
    """Somebody wrote something since the journal was read; not necessarily about the same thing."""


class Journal:
    """The entries; a context manager. Made by ``open_journal``. One thread, one object.

    Args:
        path: the file; need not be there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def entries(self, *, kind: str | None = None, tenant: str | None = None, subject: str | None = None) -> list[Entry]:
        """Return the entries in the order in which they were written; none when there is no journal yet.

        Raises:
            StoreError: the journal cannot be read.
        """
        wanted = {"kind": kind, "tenant": tenant, "subject": subject}
        chosen = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"e.{name} = :{name}" for name in chosen)
        return [entry_of(row) for row in self._rows(f"WHERE {where}" if where else "", chosen)]

    def head(self) -> tuple[int, str]:
        """Return place and hash of the newest entry; 0 and ``BEGINNING`` when there is none."""
        rows = self._rows("ORDER BY e.seq DESC LIMIT 1", {}, order="")
        return (int(rows[0]["seq"]), str(rows[0]["hash"])) if rows else (0, BEGINNING)

    def append(self, draft: Draft, *, expected_version: int | None, at: datetime | None = None) -> Entry:
        """Write one entry, durable before this returns.

        Args:
            draft: what to write.
            expected_version: newest version of the subject that the decision was made on (0: it has none yet); None
                not to check.
            at: time of it; None for now. It never becomes earlier than the newest entry's: whose clock was set back
                gains nothing by it.

        Raises:
            StaleVersionError: the subject has moved on.
            StoreError: it cannot be written; nothing was.
        """
        return self.append_all([(draft, expected_version)], at=at)[0]

    def append_all(
        self,
        drafts: Sequence[tuple[Draft, int | None]],
        *,
        at: datetime | None = None,
        expected_head: int | None = None,
    ) -> list[Entry]:
        """Write several entries, all of them or none; see ``append``.

        Raises:
            JournalMovedError: the newest entry is not at ``expected_head``: whoever decided by all entries reads again.
        """
        moment = (at or datetime.now(UTC)).astimezone(UTC)
        with self._writing() as connection:
            if expected_head is not None:
                _check_head(connection, expected_head)
            written = [_insert(connection, draft, expected, moment) for draft, expected in drafts]
        if written:
            keep_head(self.path.parent, written[-1])
        return written

    def erase(self, draft: Draft, replace: Callable[[str], str], *, at: datetime | None = None) -> list[int]:
        """Take a person's data out of the texts of all entries, and write down that this was done.

        Args:
            draft: the entry about it, of kind ``erasure``; it gets ``entries``, the places that were changed, and the
                hashes of what stands there now.
            replace: returns a text without the person's data; a text without any of them unchanged.
            at: time of it; None for now.

        Returns:
            The places of the entries concerned. No byte of what was taken out is left in the file.
        """
        moment = (at or datetime.now(UTC)).astimezone(UTC)
        refuse_links(self.path)
        if not self.path.exists():
            return []
        written: list[Entry] = []
        with self._writing() as connection:
            found = list(_changed(connection, replace))
            for seq, text in found:
                connection.execute(
                    "UPDATE bodies SET salt = '', text = ?, erased_at = ? WHERE seq = ?", (text, time_text(moment), seq)
                )
            places = [seq for seq, _ in found]
            if places:
                body = {**draft.body, "entries": places, "texts": [digest(text) for _, text in found]}
                noted = Draft(draft.kind, draft.tenant, draft.subject, draft.event, draft.actor, body)
                written = [_insert(connection, noted, None, moment)]
        if written:
            keep_head(self.path.parent, written[-1])
        with errors_of_the_journal(self.path):
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return places

    def newest_at(self) -> datetime | None:
        """Return the time of the newest entry; None when there is none. It cannot be earlier than that now."""
        rows = self._rows("ORDER BY e.at DESC LIMIT 1", {}, order="")
        return time_of(rows[0]["at"]) if rows else None

    def holds(self, seq: int, digest: str) -> bool:
        """Return whether an entry is there, at its place and with its hash."""
        return [str(row["hash"]) for row in self._rows("WHERE e.seq = :seq", {"seq": seq})] == [digest]

    def check_noted(self) -> None:
        """Make sure that the newest entry that was noted beside the journal is in it: another one is not begun.

        Raises:
            StoreError: it is not, or what was noted cannot be read.
        """
        noted = kept_head(self.path.parent)
        if noted is not None and not self.holds(noted.seq, noted.hash):
            raise StoreError(
                f"decisions are missing: entry {noted.seq} was written here, and the journal in {self.path.parent} "
                "does not hold it",
                hint=f"put back the newest copy of {JOURNAL_NAME}; if there is none, move {HEAD_NAME} aside: "
                "what was decided since has to be decided again then",
                key="decisions_missing",
            )

    def broken_links(self) -> list[BrokenLink]:
        """Return every entry that is not what it was when it was written; empty for a journal that is whole."""
        return list(broken_in(self._rows("", {})))

    def _rows(self, where: str, values: Mapping[str, object], order: str = "ORDER BY e.seq") -> list[sqlite3.Row]:
        refuse_links(self.path)
        if not self.path.exists():
            return []
        with errors_of_the_journal(self.path):
            return self._opened().execute(f"{_COLUMNS} {where} {order}", dict(values)).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write everything inside in one transaction, alone."""
        refuse_links(self.path)
        self.check_noted()
        with errors_of_the_journal(self.path):
            if not self.path.exists():
                create(self.path)
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self.path)
        return self._connection


def open_journal(state: Path) -> Journal:
    """Return the journal of a state folder; where there is none it reads as empty, and the first entry makes it.

    Raises:
        StoreError: later, by its methods, when the file is not a journal or cannot be read.
    """
    return Journal(state / JOURNAL_NAME)


def has_journal(state: Path) -> bool:
    """Return whether a journal is there that this user can see: readers of what is published may have none."""
    try:
        path = state / JOURNAL_NAME
        return path.is_symlink() or path.exists()
    except PermissionError:
        return False


def _insert(connection: sqlite3.Connection, draft: Draft, expected: int | None, at: datetime) -> Entry:
    """Write one entry behind the newest one."""
    if draft.kind not in KINDS:
        raise ReviewError(f"there are no entries of kind {draft.kind!r}")
    if any(not text.isprintable() for text in (draft.tenant, draft.subject, draft.event)):
        raise ReviewError(f"{draft.subject!r} is not a name that the journal takes")
    last = connection.execute("SELECT seq, hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    newest_at = connection.execute("SELECT max(at) FROM entries").fetchone()[0]
    newest = connection.execute(
        "SELECT version, event FROM entries WHERE tenant = ? AND kind = ? AND subject = ? "
        "ORDER BY version DESC LIMIT 1",
        (draft.tenant, draft.kind, draft.subject),
    ).fetchone()
    present = int(newest["version"]) if newest else 0
    if expected is not None and expected != present:
        raise _stale(draft, expected, present, str(newest["event"]) if newest else "")
    actor = canonical(_replaced(asdict(draft.actor), _sound))
    text, salt = canonical(_replaced(dict(draft.body), _sound)), secrets.token_hex(16)
    row: dict[str, Any] = {
        "seq": int(last["seq"]) + 1 if last else 1, "at": max(time_text(at), newest_at or ""), "kind": draft.kind,
        "tenant": draft.tenant, "subject": draft.subject, "version": present + 1, "event": draft.event, "actor": actor,
        "body_hash": digest(salt + text), "previous": str(last["hash"]) if last else BEGINNING,
    }  # fmt: skip
    row["hash"] = entry_hash(row)
    connection.execute(f"INSERT INTO entries VALUES ({', '.join(f':{name}' for name in row)})", row)
    connection.execute("INSERT INTO bodies VALUES (?, ?, ?, NULL)", (row["seq"], salt, text))
    return entry_of({**row, "salt": salt, "text": text, "erased_at": None})


def _check_head(connection: sqlite3.Connection, expected: int) -> None:
    (head,) = connection.execute("SELECT coalesce(max(seq), 0) FROM entries").fetchone()
    if head != expected:
        raise JournalMovedError("somebody else is deciding just now", version=head, event="", hint="try again")


def _stale(draft: Draft, expected: int, present: int, event: str) -> StaleVersionError:
    what = f"{draft.subject} was decided on as it stood at version {expected}; it is at version {present} now"
    return StaleVersionError(
        f"{what} ({event})" if event else what,
        version=present,
        event=event,
        hint="nothing was written: look at it again, then decide",
    )


def _changed(connection: sqlite3.Connection, replace: Callable[[str], str]) -> Iterator[tuple[int, str]]:
    """Yield place and new text of every entry whose text changes."""
    for row in connection.execute("SELECT seq, text FROM bodies ORDER BY seq").fetchall():
        text = canonical(_replaced(json.loads(row["text"]), replace))
        if text != row["text"]:
            yield row["seq"], text


def _replaced(value: object, replace: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return replace(value)
    if isinstance(value, list | tuple):
        return [_replaced(item, replace) for item in value]
    if isinstance(value, dict):
        return {key: _replaced(item, replace) for key, item in value.items()}
    return value


def _sound(text: str) -> str:
    """Return a text without what is no character, which not every reader of it could take."""
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")

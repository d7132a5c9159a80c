"""A person out of every file of ``state`` and ``publish``: databases written anew, files rewritten, all at once.

Events stay, with a mask where the person stood, so that counts, coverage and verdicts stay what they were; what only
describes the person goes. Decides nothing: who is meant, and whether it may be done, is settled before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb

from m365audit.store import rewriting, suppression
from m365audit.store.addresses import truncated_in
from m365audit.store.copying import Changes, changed_rows, copy_database
from m365audit.store.database import DATABASE_NAME
from m365audit.store.journal_head import HEAD_NAME
from m365audit.store.landing_sql import content_of
from m365audit.store.ledger import read_only
from m365audit.store.masked_files import OpaqueFileError, holds_raw, mask_file
from m365audit.store.masks import Masks
from m365audit.store.person_columns import person_columns
from m365audit.store.publish import PUBLISHED_NAME
from m365audit.store.screening import NOTE, note_path, note_text
from m365audit.store.verifying import NOTE_NAME, note_publication

OPAQUE: Final = frozenset({".pdf", ".parquet"})
"""Reports that cannot be looked into and can be rendered again: they are removed."""

_OWN: Final = frozenset(
    {
        DATABASE_NAME,
        f"{DATABASE_NAME}.wal",
        "run.lock",
        "rewriting.json",
        suppression.LIST_NAME,
        NOTE_NAME,
        HEAD_NAME,
    }
)
_OWN_FOLDERS: Final = frozenset({"spool", "spill", "work", "rewriting", "keys"})
_WHOSE: Final = ("user_id", "actor_id", "user_name", "actor_name")

FindingName = Callable[[str, str, Mapping[str, str | None]], str | None]
"""Rule, tenant and subject of a finding → the id that this subject gives; None for a rule that is gone."""


@dataclass(slots=True)
class Erasure:
    """What an erasure changes, or would.

    Attributes:
        rows: ``working.<table>`` or ``published.<table>`` → rows.
        files: kept files that are rewritten.
        reports: files of the published folder that are rewritten.
        removed: files of the published folder that cannot be looked into and go.
        journal: entries of the journal whose texts change.
        remaining: files that hold the person and are not touched, with the reason.
    """

    rows: dict[str, int] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    reports: list[Path] = field(default_factory=list)
    removed: list[Path] = field(default_factory=list)
    journal: int = 0
    remaining: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Everything that changes, counted together."""
        return sum(self.rows.values()) + len(self.files) + len(self.reports) + len(self.removed) + self.journal


@dataclass(frozen=True, slots=True)
class Eraser:
    """What an erasure needs.

    Attributes:
        connection: the working database, alone.
        state: the private folder.
        publish: the published one.
        tenant: tenant id.
        masks: the person, and what stands in their place.
        finding_name: how findings get their ids.
        at: now.
    """

    connection: duckdb.DuckDBPyConnection
    state: Path
    publish: Path
    tenant: str
    masks: Masks
    finding_name: FindingName
    at: datetime

    def prepare(self) -> tuple[rewriting.Staged, Erasure]:
        """Make every file anew beside the old ones; nothing is changed by that.

        Raises:
            OSError: the disk refuses.
            duckdb.Error: a database cannot be copied.
        """
        staged, erasure = rewriting.begin(self.state, self.publish), Erasure()
        self._kept_files(staged, erasure)
        self._published_folder(staged, erasure)
        self._others(erasure)
        self._published_database(staged, erasure)
        self._working_database(staged, erasure)
        return staged, erasure

    def commit(self, staged: rewriting.Staged, note: Mapping[str, Any]) -> None:
        """Promise the exchange; whoever opens the store next completes it."""
        target = staged.folder / suppression.LIST_NAME
        suppression.write(target, self.state, self.tenant, self.masks.pairs)
        staged.moves[target] = self.state / suppression.LIST_NAME
        self._note_publication(staged)
        staged.note = note
        rewriting.promise(self.state, staged)

    def _note_publication(self, staged: rewriting.Staged) -> None:
        """Let the note of what was published name the hashes of what takes its place."""
        if not (self.state / NOTE_NAME).exists():
            return
        fresh_of = {place: fresh for fresh, place in staged.moves.items()}
        paths = [self.publish / name for name in (PUBLISHED_NAME, "report.html")]
        target = staged.folder / NOTE_NAME
        note_publication(target, {path.name: fresh_of.get(path, path) for path in paths})
        staged.moves[target] = self.state / NOTE_NAME

    def _change(self, table: str, row: dict[str, Any]) -> dict[str, Any]:
        """Mask the texts of a row; the address from which the person themselves came is cut to its network."""
        after = {name: self.masks.value(value) for name, value in row.items()}
        is_their_own = any(name in row and after[name] != row[name] for name in _WHOSE)
        if is_their_own and isinstance(after.get("ip_address"), str):
            after["ip_address"] = truncated_in(after["ip_address"])
        if isinstance(after.get("spool"), str):
            folder, slash, name = after["spool"].rpartition("/")
            after["spool"] = f"{folder}{slash}{self.masks.file_name(name)}"
        if table == "quarantine" and after != row:
            after["excerpt"] = None
        return after

    def _kept_files(self, staged: rewriting.Staged, erasure: Erasure) -> None:
        """Rewrite the files of evidence; each stays in the folder that its first hash names, so that it is known."""
        for path in _files(self.state / "spool" / self.tenant):
            if path.name.endswith(NOTE):
                continue
            fresh = staged.place(len(staged.moves))
            try:
                is_changed = mask_file(path, fresh, self.masks)
            except OpaqueFileError:
                fresh.write_bytes(b'{"erased":"this file could not be looked into and held an erased person"}\n')
                is_changed = True
            name = self.masks.file_name(path.name)
            if name != path.name and not is_changed:
                fresh.write_bytes(path.read_bytes())
            if is_changed or name != path.name:
                _replace(staged, path, path.with_name(name), fresh)
                note = staged.place(len(staged.moves))
                note.write_text(note_text(fresh, "erased"), encoding="utf-8")
                staged.moves[note] = note_path(path.parent)
                erasure.files.append(path)
        for arriving in (self.state / "spool").glob("*/arriving-*"):
            staged.removes.append(arriving)

    def _published_folder(self, staged: rewriting.Staged, erasure: Erasure) -> None:
        for path in _files(self.publish):
            if path.name == PUBLISHED_NAME or rewriting.PUBLISH_FOLDER in path.parts:
                continue
            if path.suffix.lower() in OPAQUE or path.name.startswith(".unfinished-"):
                staged.removes.append(path)
                erasure.removed.append(path)
                continue
            fresh = staged.place(len(staged.moves), is_published=True)
            try:
                if mask_file(path, fresh, self.masks):
                    _replace(staged, path, path.with_name(self.masks.file_name(path.name)), fresh)
                    erasure.reports.append(path)
            except OpaqueFileError:
                fresh.unlink(missing_ok=True)
                staged.removes.append(path)
                erasure.removed.append(path)

    def _others(self, erasure: Erasure) -> None:
        """Look at what else lies in the private folder: it is not ours to rewrite, and it is named."""
        for path in _files(self.state):
            inside = path.relative_to(self.state)
            if inside.parts[0] in _OWN_FOLDERS or path.name in _OWN or path.name.startswith("review.sqlite"):
                continue
            if holds_raw(path, self.masks):
                erasure.remaining[str(inside)] = "not a file of this program; remove it yourself"

    def _published_database(self, staged: rewriting.Staged, erasure: Erasure) -> None:
        path = self.publish / PUBLISHED_NAME
        if not path.is_file():
            return
        fresh = staged.place(len(staged.moves), is_published=True)
        with read_only(self.connection, path, "published"):
            changes = Changes(self.masks.needles, self._change, tenant=self.tenant)
            rows = copy_database(self.connection, "published", fresh, changes, workdir=staged.folder)
        staged.moves[fresh] = path
        erasure.rows |= {f"published.{table}": count for table, count in rows.items()}

    def _working_database(self, staged: rewriting.Staged, erasure: Erasure) -> None:
        connection = self.connection
        row = connection.execute("SELECT current_database()").fetchone()
        working = str(row[0]) if row else ""
        self._name_findings()
        connection.execute("CHECKPOINT")
        lines = staged.folder / "landed_records.ndjson"
        lines.touch()
        columns = person_columns(connection, working)
        changes = Changes(
            self.masks.needles,
            self._change,
            tenant=self.tenant,
            derived={"landed_records": {"content": content_of("CAST({record} AS VARCHAR)", "t.feed")}},
            instead={"sightings": _sightings(working, changed_rows(lines, columns["landed_records"]))},
        )
        fresh = staged.place(len(staged.moves))
        rows = copy_database(connection, working, fresh, changes, workdir=staged.folder)
        path = self.state / DATABASE_NAME
        staged.removes.append(path.with_name(f"{path.name}.wal"))
        staged.moves[fresh] = path
        erasure.rows |= {f"working.{table}": count for table, count in rows.items()}

    def _name_findings(self) -> None:
        """Let findings whose subject is masked keep their ids, and so what was decided on them."""
        rows = self.connection.execute(
            "SELECT finding_id, rule, CAST(subject AS VARCHAR) FROM finding_ledger WHERE tenant_id = ?", [self.tenant]
        ).fetchall()
        for finding, rule, subject in rows:
            masked = self.masks.document(subject)
            if masked == subject:
                continue
            computed = self.finding_name(rule, self.tenant, json.loads(masked))
            if computed is not None:
                self.connection.execute(
                    "INSERT INTO finding_names SELECT ?, ?, ? WHERE NOT EXISTS "
                    "(FROM finding_names WHERE tenant_id = ? AND computed_id = ?)",
                    [self.tenant, computed, finding, self.tenant, computed],
                )


def _replace(staged: rewriting.Staged, path: Path, target: Path, fresh: Path) -> None:
    staged.moves[fresh] = target
    if target != path:
        staged.removes.append(path)


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _sightings(working: str, changed: str) -> str:
    """Return the sightings of state objects with the id and the content that the objects have now."""
    return f"""
        SELECT s.* REPLACE (coalesce(m.record_id, s.record_id) AS record_id, coalesce(m.content, s.content) AS content)
        FROM {working}.main.sightings AS s
        LEFT JOIN (
            SELECT DISTINCT ON (t.tenant_id, t.feed, t.record_id, t.content)
                t.tenant_id, t.feed, t.record_id AS was_id, t.content AS was, c.record_id,
                {content_of("c.record", "t.feed")} AS content
            FROM {working}.main.landed_records AS t INNER JOIN {changed} AS c ON t.rowid = c.rewritten_row
        ) AS m ON s.tenant_id = m.tenant_id AND s.feed = m.feed AND s.record_id = m.was_id AND s.content = m.was
        ORDER BY s.rowid
    """


def remaining_in(state: Path, publish: Path, masks: Masks) -> tuple[Path, ...]:
    """Return the files of both folders in whose bytes one of the spellings still stands; the proof of an erasure."""
    return tuple(path for folder in (state, publish) for path in _files(folder) if holds_raw(path, masks))


def holding_files(folder: Path, masks: Masks) -> list[Path]:
    """Return the files of a folder that hold the person, compressed ones included; nothing is changed."""
    found = []
    for path in _files(folder):
        with TemporaryDirectory() as aside:
            try:
                is_held = mask_file(path, Path(aside) / "masked", masks)
            except OpaqueFileError:
                is_held = True
        if is_held:
            found.append(path)
    return found

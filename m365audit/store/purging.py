"""What is too old, out of the working database and the kept files: written anew, so that no byte of it is left.

In = stored + duplicate + quarantined stays explained: what went is counted by file and feed in ``removals``. Verdicts
on what remains stay what they were: of listings the newest one before the cut-off is kept, as what later ones build on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit.model import LOG_FEEDS
from m365audit.store import rewriting
from m365audit.store.addresses import truncated, truncated_in
from m365audit.store.copying import Changes, copy_database
from m365audit.store.database import DATABASE_NAME
from m365audit.store.expiring import Expired
from m365audit.store.landing_calls import FORM
from m365audit.store.landing_sql import content_of
from m365audit.store.ledger import read_only
from m365audit.store.masked_files import OpaqueFileError, mask_file
from m365audit.store.publish import PUBLISHED_NAME
from m365audit.store.screening import NOTE, note_path, note_text

_WHEN: Final = "coalesce(occurred_at, enveloped_at, observed_at)"
_ADDRESS: Final = r'"(\d{1,3}\.){3}\d{1,3}|"[^"]*[0-9a-fA-F]{1,4}:[0-9a-fA-F:]*:'
_TOMB: Final = b'{"purged":"older than it may be kept"}\n'


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """What is older goes: logs whole, addresses to their network, counts without a person."""

    logs: datetime
    addresses: datetime
    aggregates: datetime


@dataclass(slots=True)
class Purged:
    """What a purge removes: rows by table, rows whose addresses are cut, kept files that are rewritten."""

    rows: dict[str, int] = field(default_factory=dict)
    addresses: int = 0
    files: int = 0

    @property
    def total(self) -> int:
        """Everything together."""
        return sum(self.rows.values()) + self.addresses + self.files


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge needs.

    Attributes:
        connection: the working database, alone.
        state: the private folder.
        publish: the published one.
        cutoffs: what is too old.
        tenants: those that no hold keeps whole.
        held_feeds: tenant and feed of holds.
        held_findings: findings whose evidence a hold keeps.
        at: now.
    """

    connection: duckdb.DuckDBPyConnection
    state: Path
    publish: Path
    cutoffs: Cutoffs
    tenants: tuple[str, ...]
    held_feeds: tuple[tuple[str, str], ...]
    held_findings: tuple[str, ...]
    at: datetime

    def prepare(self) -> tuple[rewriting.Staged, Purged]:
        """Make every file anew beside the old ones; nothing that counts is changed by that."""
        staged, purged = rewriting.begin(self.state, self.publish), Purged()
        self._choose()
        self._count(purged)
        self._map_forms()
        self._files(staged, purged)
        self._database(staged, purged)
        return staged, purged

    def _choose(self) -> None:
        """Put what goes into temporary tables: rows of calls and records by their place, listings that are outdone."""
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE free_tenants AS SELECT unnest(?::VARCHAR[]) AS tenant_id",
            [list(self.tenants)],
        )
        run("CREATE OR REPLACE TEMP TABLE held_feeds (tenant_id VARCHAR, feed VARCHAR)")
        for tenant, feed in self.held_feeds:
            run("INSERT INTO held_feeds VALUES (?, ?)", [tenant, feed])
        run("CREATE OR REPLACE TEMP TABLE held_events (tenant_id VARCHAR, feed VARCHAR, event_id VARCHAR)")
        path = self.publish / PUBLISHED_NAME
        if self.held_findings and path.is_file():
            with read_only(self.connection, path, "published"):
                run(
                    "INSERT INTO held_events SELECT tenant_id, feed, event_id FROM published.finding_evidence "
                    "WHERE list_contains(?, finding_id)", [list(self.held_findings)],
                )  # fmt: skip
        free = (
            "tenant_id IN (FROM free_tenants) "
            "AND (tenant_id, {feed}) NOT IN (SELECT (tenant_id, feed) FROM held_feeds) "
            "AND (tenant_id, {feed}, {id}) NOT IN (SELECT (tenant_id, feed, event_id) FROM held_events)"
        )
        calls = free.format(feed="'graph_activity'", id="event_id")
        records = free.format(feed="feed", id="coalesce(record_id, '')")
        logs = ", ".join(f"'{feed}'" for feed in LOG_FEEDS)
        for name, table, is_free, feed in (
            ("old_calls", "landed_calls", calls, "'graph_activity'"),
            ("old_records", "landed_records", records, "feed"),
        ):  # fmt: skip
            is_log = f"feed IN ({logs})" if table == "landed_records" else "true"
            run(
                f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT rowid AS row, tenant_id, source_id, {feed} AS feed, "
                f"{_WHEN} AS moment FROM {table} WHERE {is_log} AND {_WHEN} < $before AND {is_free}",
                {"before": self.cutoffs.logs},
            )
        self._choose_listings()

    def _choose_listings(self) -> None:
        """Choose sightings before the newest whole listing before the cut-off, and records that nothing shows later."""
        run = self.connection.execute
        run(
            """
            CREATE OR REPLACE TEMP TABLE old_sightings AS
            SELECT s.rowid AS row, s.tenant_id, s.feed, s.record_id, s.content
            FROM sightings AS s
            INNER JOIN sources AS f ON s.source_id = f.source_id
            INNER JOIN (
                SELECT s.tenant_id, s.feed, max(f.observed_at) AS moment
                FROM sightings AS s INNER JOIN sources AS f ON s.source_id = f.source_id
                WHERE f.observed_at < $before GROUP BY ALL
            ) AS b ON s.tenant_id = b.tenant_id AND s.feed = b.feed
            WHERE f.observed_at < b.moment AND s.tenant_id IN (FROM free_tenants)
                AND (s.tenant_id, s.feed) NOT IN (SELECT (tenant_id, feed) FROM held_feeds)
            """,
            {"before": self.cutoffs.logs},
        )
        run(
            "INSERT INTO old_records SELECT r.rowid, r.tenant_id, r.source_id, r.feed, r.observed_at "
            "FROM landed_records AS r SEMI JOIN old_sightings AS o ON r.tenant_id = o.tenant_id AND r.feed = o.feed "
            "AND r.record_id = o.record_id AND r.content = o.content "
            "WHERE NOT EXISTS (SELECT 1 FROM sightings AS s WHERE s.tenant_id = r.tenant_id AND s.feed = r.feed "
            "AND s.record_id = r.record_id AND s.content = r.content "
            "AND s.rowid NOT IN (SELECT row FROM old_sightings))"
        )

    def _count(self, purged: Purged) -> None:
        for table, name in (("landed_calls", "old_calls"), ("landed_records", "old_records"),
                            ("sightings", "old_sightings")):  # fmt: skip
            row = self.connection.execute(f"SELECT count(*) FROM {name}").fetchone()
            if row and row[0]:
                purged.rows[table] = row[0]
        row = self.connection.execute(f"SELECT count(*) FROM quarantine AS q WHERE {self._old_notes('q')}").fetchone()
        if row and row[0]:
            purged.rows["quarantine"] = row[0]

    def _old_notes(self, name: str) -> str:
        return (
            f"{name}.tenant_id IN (FROM free_tenants) AND {name}.source_id IN "
            f"(SELECT source_id FROM sources WHERE imported_at < TIMESTAMPTZ '{self.cutoffs.logs.isoformat()}')"
        )

    def _map_forms(self) -> None:
        """Make forms with cut addresses for the calls that keep their place and lose the full address."""
        run = self.connection.execute
        run(
            "CREATE OR REPLACE TEMP TABLE cut_calls AS SELECT rowid AS row, tenant_id, form_no FROM landed_calls "
            f"WHERE {_WHEN} < $before AND tenant_id IN (FROM free_tenants) "
            "AND rowid NOT IN (SELECT row FROM old_calls) "
            "AND (tenant_id, 'graph_activity') NOT IN (SELECT (tenant_id, feed) FROM held_feeds) "
            "AND (tenant_id, 'graph_activity', event_id) NOT IN (SELECT (tenant_id, feed, event_id) FROM held_events)",
            {"before": self.cutoffs.addresses},
        )
        found = run(
            "SELECT DISTINCT ip_address FROM landed_forms SEMI JOIN cut_calls USING (tenant_id, form_no) "
            "WHERE ip_address IS NOT NULL"
        ).fetchall()
        run("CREATE OR REPLACE TEMP TABLE cut_addresses (ip_address VARCHAR, cut VARCHAR)")
        for (address,) in found:
            cut = truncated(address) if truncated(address) != address else truncated_in(address)
            if cut != address:
                run("INSERT INTO cut_addresses VALUES (?, ?)", [address, cut])
        same = " AND ".join(f"a.{name} IS NOT DISTINCT FROM b.{name}" for name in FORM)
        run(
            "CREATE OR REPLACE TEMP TABLE cut_forms AS SELECT f.form_no AS was, f.* EXCLUDE (form_no) "
            "REPLACE (c.cut AS ip_address) FROM landed_forms AS f INNER JOIN cut_addresses AS c USING (ip_address) "
            "SEMI JOIN cut_calls AS k ON f.tenant_id = k.tenant_id AND f.form_no = k.form_no"
        )
        names = ", ".join(FORM)
        run(
            "CREATE OR REPLACE TEMP TABLE new_forms AS SELECT tenant_id, "
            "(SELECT coalesce(max(form_no), 0) FROM landed_forms) + row_number() OVER () AS form_no, "
            f"{names} FROM (SELECT DISTINCT tenant_id, {names} FROM cut_forms AS a WHERE NOT EXISTS "
            f"(SELECT 1 FROM landed_forms AS b WHERE a.tenant_id = b.tenant_id AND {same}))"
        )
        run(
            "CREATE OR REPLACE TEMP TABLE form_moves AS SELECT a.tenant_id, a.was, min(b.form_no) AS form_no "
            "FROM cut_forms AS a INNER JOIN (FROM landed_forms UNION ALL FROM new_forms) AS b "
            f"ON a.tenant_id = b.tenant_id AND {same} GROUP BY ALL"
        )

    def _files(self, staged: rewriting.Staged, purged: Purged) -> None:
        """Rewrite kept files without old lines; what only held outdone listings is emptied."""
        expired = Expired(self.cutoffs.logs, self.cutoffs.addresses)
        held = {tenant for tenant, _ in self.held_feeds} | {
            row[0] for row in self.connection.execute("SELECT DISTINCT tenant_id FROM held_events").fetchall()
        }
        outdone = {
            row[0]
            for row in self.connection.execute(
                "SELECT DISTINCT f.sha256 FROM sources AS f "
                "WHERE f.source_id IN (SELECT s.source_id FROM sightings AS s "
                "SEMI JOIN old_sightings AS o ON s.rowid = o.row) AND f.source_id NOT IN (SELECT s.source_id "
                "FROM sightings AS s ANTI JOIN old_sightings AS o ON s.rowid = o.row)"
            ).fetchall()
        }
        states = {row[0] for row in self.connection.execute(
            "SELECT DISTINCT f.sha256 FROM sources AS f SEMI JOIN sightings AS s USING (source_id)"
        ).fetchall()}  # fmt: skip
        for tenant in self.tenants:
            if tenant in held:
                continue  # what a hold keeps stands in the kept files too
            folder = self.state / "spool" / tenant
            for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
                if not path.is_file() or path.name.endswith(NOTE):
                    continue
                self._file(path, staged, purged, expired, is_outdone=path.parent.name in outdone,
                           is_listing=path.parent.name in states)  # fmt: skip

    def _file(
        self, path: Path, staged: rewriting.Staged, purged: Purged, expired: Expired, *, is_outdone: bool,
        is_listing: bool,
    ) -> None:  # fmt: skip
        fresh = staged.place(len(staged.moves))
        if is_outdone:
            if path.read_bytes() == _TOMB:
                return
            fresh.write_bytes(_TOMB)
        else:
            try:
                if is_listing or not mask_file(path, fresh, expired):
                    return
            except OpaqueFileError:
                return
            if not fresh.read_bytes().strip():
                fresh.write_bytes(_TOMB)
        staged.moves[fresh] = path
        note = staged.place(len(staged.moves))
        note.write_text(note_text(fresh, "purged"), encoding="utf-8")
        staged.moves[note] = note_path(path.parent)
        purged.files += 1

    def _database(self, staged: rewriting.Staged, purged: Purged) -> None:
        connection = self.connection
        row = connection.execute("SELECT current_database()").fetchone()
        working = str(row[0]) if row else ""
        connection.execute("CHECKPOINT")
        path, published = self.state / DATABASE_NAME, self.publish / PUBLISHED_NAME
        fresh = staged.place(len(staged.moves))
        logs = ", ".join(f"'{feed}'" for feed in LOG_FEEDS)
        changes = Changes(
            change=_cut,
            only={"landed_records": (
                f"feed IN ({logs}) AND {_WHEN} < TIMESTAMPTZ '{self.cutoffs.addresses.isoformat()}' "
                "AND tenant_id IN (FROM free_tenants) AND (tenant_id, feed) NOT IN (SELECT (tenant_id, feed) "
                "FROM held_feeds) AND (tenant_id, feed, coalesce(record_id, '')) NOT IN "
                "(SELECT (tenant_id, feed, event_id) FROM held_events) "
                f"AND regexp_matches(CAST(record AS VARCHAR), '{_ADDRESS}')"
            )},
            without={
                "landed_records": "rowid IN (SELECT row FROM old_records)",
                "sightings": "rowid IN (SELECT row FROM old_sightings)",
                "quarantine": self._old_notes("t"),
            },
            derived={"landed_records": {"content": content_of("CAST({record} AS VARCHAR)", "t.feed")}},
            instead=self._instead(working, has_published=published.is_file()),
        )  # fmt: skip
        if published.is_file():
            with read_only(connection, published, "published"):
                rows = copy_database(connection, working, fresh, changes, workdir=staged.folder)
        else:
            rows = copy_database(connection, working, fresh, changes, workdir=staged.folder)
        moved = connection.execute(
            "SELECT count(*) FROM cut_calls AS k "
            "SEMI JOIN form_moves AS m ON k.tenant_id = m.tenant_id AND k.form_no = m.was"
        ).fetchone()
        purged.addresses = sum(rows.values()) + (moved[0] if moved else 0)
        staged.removes.append(path.with_name(f"{path.name}.wal"))
        staged.moves[fresh] = path

    def _instead(self, working: str, *, has_published: bool) -> Mapping[str, str]:
        at, logs = f"TIMESTAMPTZ '{self.at.isoformat()}'", f"TIMESTAMPTZ '{self.cutoffs.logs.isoformat()}'"
        main = f"{working}.main"
        use = (
            "UNION ALL BY NAME SELECT tenant_id, day, feed, app_id, workload, operation, verdict, accesses "
            f"FROM published.daily_use AS u WHERE u.day < CAST({logs} AS DATE) AND u.tenant_id IN (FROM free_tenants) "
            f"AND (u.tenant_id, u.day) NOT IN (SELECT (tenant_id, day) FROM {main}.kept_use)"
            if has_published
            else ""
        )
        log_feeds = ", ".join(f"'{feed}'" for feed in LOG_FEEDS)
        gone = (
            "(SELECT tenant_id, feed, moment FROM old_calls UNION ALL SELECT tenant_id, feed, moment FROM old_records)"
        )
        return {
            "landed_calls": f"SELECT c.* REPLACE (coalesce(m.form_no, c.form_no) AS form_no) FROM {main}.landed_calls "
            "AS c LEFT JOIN cut_calls AS k ON c.rowid = k.row LEFT JOIN form_moves AS m ON k.tenant_id = m.tenant_id "
            "AND k.form_no = m.was WHERE c.rowid NOT IN (SELECT row FROM old_calls) ORDER BY c.rowid",
            "landed_forms": f"SELECT f.* FROM (FROM {main}.landed_forms UNION ALL FROM new_forms) AS f SEMI JOIN ("
            f"SELECT c.tenant_id, coalesce(m.form_no, c.form_no) AS form_no FROM {main}.landed_calls AS c LEFT JOIN "
            "cut_calls AS k ON c.rowid = k.row LEFT JOIN form_moves AS m ON k.tenant_id = m.tenant_id AND k.form_no = "
            "m.was WHERE c.rowid NOT IN (SELECT row FROM old_calls)) AS u USING (tenant_id, form_no) ORDER BY form_no",
            "removals": f"SELECT * FROM {main}.removals UNION ALL BY NAME SELECT tenant_id, source_id, feed, 'purged' "
            f"AS kind, count(*) AS records, {at} AS removed_at FROM (SELECT tenant_id, source_id, feed FROM old_calls "
            "UNION ALL SELECT tenant_id, source_id, feed FROM old_records) GROUP BY ALL",
            "purged_feeds": "SELECT tenant_id, feed, min(a) AS purged_from, max(b) AS purged_until FROM (SELECT "
            f"tenant_id, feed, purged_from AS a, purged_until AS b FROM {main}.purged_feeds UNION ALL "
            f"SELECT tenant_id, feed, min(moment), {logs} FROM {gone} WHERE feed IN ({log_feeds}) GROUP BY ALL) "
            "GROUP BY ALL",
            "kept_use": f"SELECT * FROM (SELECT * FROM {main}.kept_use {use}) WHERE day >= "
            f"CAST(TIMESTAMPTZ '{self.cutoffs.aggregates.isoformat()}' AS DATE)",
        }


def _cut(_table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {name: truncated_in(value) if name == "record" else value for name, value in row.items()}

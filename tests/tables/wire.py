"""Lands records as they come on the wire and builds the candidate from them, through the product's own two steps."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from m365audit import catalogue
from m365audit.config import load_clocks
from m365audit.model import AUDITED_WORKLOADS, LOG_FEEDS, STATE_FEEDS, PreparedFile, Quarantined
from m365audit.store import arrivals, candidate, inputs, landing
from m365audit.store.arrivals import Arrival, Landed
from m365audit.store.database import open_store

IMPORTED_AT: Final = datetime(2026, 9, 1, 12, tzinfo=UTC)
"""Every file of a case arrives at this moment; its observation is its own affair."""

LEDGER_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "collection_windows": {
        "collection": "c",
        "state": "drained",
        "detail": "",
        "pulls": 1,
        "added_last": 0,
        "run_id": "r",
    },
    "collection_listings": {"collection": "c", "is_whole": True, "detail": "", "records": 0, "run_id": "r"},
    "collection_events": {"detail": "", "run_id": "r"},
    "sign_in_states": {"is_signed_in": True},
}
"""What a row of a ledger has unless a case says otherwise."""

_CATEGORIES: Final = frozenset(
    ("MicrosoftGraphActivityLogs", "SignInLogs", "NonInteractiveUserSignInLogs", "ServicePrincipalSignInLogs",
     "ManagedIdentitySignInLogs", "AuditLogs")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WireFile:
    """One file of evidence.

    Attributes:
        tenant: tenant id.
        kind: one of ``EXPORT_KINDS``.
        records: its records; text stands for a line as it is.
        at: when the listing was taken, or the file written.
        hour: the hour that its storage path names, ISO.
        window: the user vouches for this time, from and to, ISO.
        has_next_page: it names a next page.
        has_broken_end: it ends early.
        quarantined: records that the exports room set aside.
        refused: it could not be evidence at all.
        is_collected: the collector wrote it.
        name: how it was named; files of one name are what was offered, or what was asked, again.
        run: the run that collected it.
    """

    tenant: str
    kind: str
    records: Sequence[Mapping[str, Any] | str] = ()
    at: str = "2026-09-01T06:00:00Z"
    hour: str | None = None
    window: Sequence[str] | None = None
    has_next_page: bool = False
    has_broken_end: bool = False
    quarantined: int = 0
    refused: bool = False
    is_collected: bool = False
    name: str | None = None
    run: str = "run-1"
    is_enveloped: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        """Diagnostic settings wrap their records: known by the first."""
        first = next((r for r in self.records if not isinstance(r, str)), {})
        object.__setattr__(self, "is_enveloped", first.get("category") in _CATEGORIES and "properties" in first)


@contextmanager
def built(
    folder: Path,
    files: Iterable[WireFile],
    *,
    is_careful: bool = False,
    extra: Mapping[str, inputs.Rows] | None = None,
    columns: dict[str, list[str]] | None = None,
    working: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Land the files, build the candidate, and lend a connection on which bare names are its tables.

    Args:
        folder: empty, writable.
        files: in the order in which they arrive.
        is_careful: land the way that is taken for files with faults.
        extra: rows of further input tables, e.g. of the register.
        columns: filled with the columns of every table that is built, temporary ones included.
        working: rows of ledgers in the working database, each with its tenant; what is not said is ``LEDGER_DEFAULTS``.
    """
    offered = list(files)
    with ExitStack() as stack:
        connection = stack.enter_context(open_store(folder / "state"))
        landed = _land(connection, folder, offered, is_careful=is_careful)
        assert all(one.records == one.stored + one.duplicate + one.quarantined for one in landed)
        ledgers = working or {}
        for table, rows in ledgers.items():
            for row in rows:
                _insert(connection, table, {**LEDGER_DEFAULTS.get(table, {}), **row})
        tenants = {file.tenant for file in offered} | {row["tenant_id"] for rows in ledgers.values() for row in rows}
        given = candidate.EvaluationInputs(_input_tables(tenants, extra or {}), catalogue.match_shapes)
        path = folder / "candidate.duckdb"

        def note(_: str) -> None:
            if columns is not None:
                rows = connection.execute("SELECT table_name, column_name FROM duckdb_columns() ORDER BY column_index")
                columns.clear()
                for table, column in rows.fetchall():
                    columns.setdefault(table, []).append(column)

        candidate.build(connection, path, given, workdir=folder, progress=note)
        stack.enter_context(candidate.attached(connection, path))
        yield connection


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(row)
    marks = ", ".join(f"${name}" for name in row)
    connection.execute(f"INSERT INTO {table} ({names}) SELECT {marks}", dict(row))


def _input_tables(tenants: Iterable[str], extra: Mapping[str, inputs.Rows]) -> dict[str, inputs.Rows]:
    return {
        "audit_operations": catalogue.audit_operation_rows(),
        "audit_workloads": catalogue.audit_workload_rows(),
        "audit_record_types": catalogue.record_type_rows(),
        "permission_ids": catalogue.permission_id_rows(),
        "permission_reach": catalogue.permission_reach_rows(),
        "first_party_apps": catalogue.first_party_rows(),
        "microsoft_tenants": catalogue.microsoft_tenant_rows(),
        "full_mailbox_permissions": catalogue.full_mailbox_permission_rows(),
        "auditor_permissions": catalogue.auditor_permission_rows(),
        "configured_tenants": [
            {"tenant_id": t, "name": f"Tenant {t[:8]}", "not_evaluated_reason": None} for t in sorted(tenants)
        ],
        "policy_workloads": [{"workload": w} for w in AUDITED_WORKLOADS],
        "policy_settings": [{"membership_before_first_seconds": 31 * 86400, "consent_record_within_seconds": 86400}],
        "clocks": [
            {"clock": line.clock, "amount": line.amount, "unit": line.unit, "valid_from": line.valid_from.isoformat()}
            for line in load_clocks().clocks
        ],
        "log_feeds": [{"feed": feed} for feed in LOG_FEEDS],
        "state_feeds": [{"feed": feed} for feed in STATE_FEEDS],
        **extra,
    }


def _land(
    connection: duckdb.DuckDBPyConnection, folder: Path, files: Sequence[WireFile], *, is_careful: bool
) -> list[Landed]:
    """Land the files of a family together, as the pipeline does."""
    families: dict[tuple[object, ...], list[landing.Ready]] = defaultdict(list)
    landed = []
    for number, file in zip(arrivals.next_source_ids(connection, len(files)), files, strict=True):
        ready = _ready(folder, number, file)
        if file.refused:
            landed.append(arrivals.record_refusal(connection, ready.arrival, "it cannot be evidence"))
        else:
            families[ready.family].append(ready)
    for family in families.values():
        try:
            landed += landing.land(connection, family, is_careful=is_careful)
        except landing.UnreadableRecordsError:
            assert not is_careful
            landed += landing.land(connection, family, is_careful=True)
    return landed


def _ready(folder: Path, number: int, file: WireFile) -> landing.Ready:
    path = folder / f"{number}.ndjson"
    lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in file.records]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    aside = folder / f"{number}.aside.ndjson"
    notes = [Quarantined(len(lines) + n + 1, None, None, "is not JSON", "{") for n in range(file.quarantined)]
    aside.write_text("".join(f"{json.dumps(asdict(note))}\n" for note in notes), encoding="utf-8")
    prepared = PreparedFile(
        str(path), file.kind, file.is_enveloped, str(path), is_temporary=False,
        records=len(lines) + file.quarantined, quarantine=str(aside) if file.quarantined else None,
        quarantined=file.quarantined, covered_hour=file.hour, has_broken_end=file.has_broken_end,
        has_next_page=file.has_next_page,
    )  # fmt: skip
    window = (datetime.fromisoformat(file.window[0]), datetime.fromisoformat(file.window[1])) if file.window else None
    arrival = Arrival(
        number, file.name or str(path), file.tenant, f"{number:064x}", path.stat().st_size, str(path),
        imported_at=IMPORTED_AT, observed_at=datetime.fromisoformat(file.at), has_said_time=True,
        settle_after=timedelta(hours=24), window=window, hour=datetime.fromisoformat(file.hour) if file.hour else None,
        is_collected=file.is_collected, run_id=file.run if file.is_collected else "",
    )  # fmt: skip
    return landing.Ready(arrival, prepared)

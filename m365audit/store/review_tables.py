"""What people decided, as tables: laid over a published database that is read, or put into a candidate.

The rows come from the journal (``m365audit.findings.rows``). Decisions made after a publication show at once: the
tables laid over are temporary ones, which win over those of the file for every query that names no database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from m365audit.store.journal_entries import Actor, Entry
from m365audit.store.json_text import literal
from m365audit.store.rows import Columns

REVIEW_COLUMNS: Final[Mapping[str, Columns]] = {
    "reviewed_findings": {
        "tenant_id": "VARCHAR", "finding_id": "VARCHAR", "version": "BIGINT", "decision": "VARCHAR",
        "pending": "VARCHAR", "returned": "VARCHAR", "returned_from": "VARCHAR", "reason": "VARCHAR",
        "breach": "VARCHAR", "owner": "VARCHAR", "due_at": "TIMESTAMPTZ", "expires_at": "TIMESTAMPTZ",
        "decided_at": "TIMESTAMPTZ", "decided_by": "VARCHAR", "decided_person": "VARCHAR", "decided_how": "VARCHAR",
        "requested_at": "TIMESTAMPTZ", "requested_by": "VARCHAR", "requested_person": "VARCHAR",
        "requested_reason": "VARCHAR", "requested_owner": "VARCHAR", "requested_until": "TIMESTAMPTZ",
        "approved_at": "TIMESTAMPTZ", "approved_by": "VARCHAR", "approved_person": "VARCHAR",
        "is_second_person_off": "BOOLEAN", "is_role_conflict": "BOOLEAN", "opinion": "VARCHAR",
        "opinion_reason": "VARCHAR", "evidence": "VARCHAR[]",
    },
    "review_due": {
        "tenant_id": "VARCHAR", "severity": "VARCHAR", "opened_at": "TIMESTAMPTZ", "due_at": "TIMESTAMPTZ",
    },
    "review_events": {
        "tenant_id": "VARCHAR", "seq": "BIGINT", "at": "TIMESTAMPTZ", "kind": "VARCHAR", "subject": "VARCHAR",
        "version": "BIGINT", "event": "VARCHAR", "actor": "VARCHAR", "person": "VARCHAR", "actor_name": "VARCHAR",
        "how": "VARCHAR", "roles": "VARCHAR[]", "body": "JSON", "hash": "VARCHAR",
    },
    "breach_cases": {
        "tenant_id": "VARCHAR", "case_id": "VARCHAR", "version": "BIGINT", "finding_ids": "VARCHAR[]",
        "state": "VARCHAR", "risk": "VARCHAR", "detected_at": "TIMESTAMPTZ", "first_seen_at": "TIMESTAMPTZ",
        "aware_at": "TIMESTAMPTZ", "pending_aware_at": "TIMESTAMPTZ", "due_at": "TIMESTAMPTZ",
        "notified_at": "TIMESTAMPTZ", "completed_at": "TIMESTAMPTZ", "controller_told_at": "TIMESTAMPTZ",
        "people_informed_at": "TIMESTAMPTZ", "closed_at": "TIMESTAMPTZ", "late_reason": "VARCHAR", "hours": "BIGINT",
    },
    "subject_requests": {
        "tenant_id": "VARCHAR", "request_id": "VARCHAR", "version": "BIGINT", "kind": "VARCHAR",
        "received_at": "TIMESTAMPTZ", "legal_due_at": "TIMESTAMPTZ", "policy_due_at": "TIMESTAMPTZ",
        "due_at": "TIMESTAMPTZ", "answered_at": "TIMESTAMPTZ", "state": "VARCHAR",
    },
    "attestations": {
        "tenant_id": "VARCHAR", "control": "VARCHAR", "kind": "VARCHAR", "ref": "VARCHAR", "sha256": "VARCHAR",
        "by_role": "VARCHAR", "attested_at": "TIMESTAMPTZ", "valid_until": "TIMESTAMPTZ", "is_valid": "BOOLEAN",
    },
    "holds": {
        "tenant_id": "VARCHAR", "hold_id": "VARCHAR", "object": "VARCHAR", "reason": "VARCHAR",
        "until": "TIMESTAMPTZ", "set_by": "VARCHAR", "approved_by": "VARCHAR", "is_active": "BOOLEAN",
    },
    "identity_views": {
        "tenant_id": "VARCHAR", "at": "TIMESTAMPTZ", "actor": "VARCHAR", "purpose": "VARCHAR", "case_id": "VARCHAR",
        "what": "VARCHAR", "rows": "BIGINT",
    },
    "purges": {"tenant_id": "VARCHAR", "at": "TIMESTAMPTZ", "actor": "VARCHAR", "event": "VARCHAR", "body": "JSON"},
}  # fmt: skip
"""Tables made of the journal, by name; ``reviewed_findings`` and ``review_due`` only make ``finding_reviews``."""

_MAKING: Final = ("reviewed_findings", "review_due")
DECISION_COLUMNS: Final = ("decision", "pending", "decided_at", "decision_expires_at", "returned")
"""Columns of ``findings`` that follow from decisions."""

Rows = Mapping[str, Iterable[Mapping[str, object]]]
Ask = Callable[[str, Mapping[str, object]], Sequence[tuple[Any, ...]]]
"""Runs one statement with parameters on whatever database is open, and returns its rows."""

_SINCE: Final = """(
    SELECT tenant_id, min(finished_at) AS first_judged_at FROM runs WHERE outcome = 'judged' GROUP BY tenant_id
)"""
"""When a tenant was first judged: nothing of it could be decided on before, however old the evidence is."""

_FACTS: Final = f"""
    SELECT f.tenant_id, f.finding_id, f.rule, f.severity, f.reasons, f.state, f.reopened,
        greatest(f.opened_at, r.first_judged_at) AS opened_at, f.last_seen_at, f.app_id
    FROM findings AS f LEFT JOIN {_SINCE} AS r ON f.tenant_id = r.tenant_id
    WHERE list_contains(CAST($ids AS VARCHAR[]), f.finding_id)
"""
_OPENINGS: Final = f"""
    SELECT DISTINCT f.tenant_id, f.severity, f.opened_at, greatest(f.opened_at, r.first_judged_at) AS since
    FROM findings AS f LEFT JOIN {_SINCE} AS r ON f.tenant_id = r.tenant_id
    WHERE f.state = 'open'
"""

_FINDING_REVIEWS: Final = """
    SELECT * FROM {reviewed}
    UNION ALL BY NAME
    SELECT
        f.tenant_id, f.finding_id, CAST(0 AS BIGINT) AS version, d.due_at, FALSE AS is_second_person_off,
        FALSE AS is_role_conflict, CAST([] AS VARCHAR[]) AS evidence
    FROM {findings} AS f
    LEFT JOIN {due} AS d
        ON f.tenant_id = d.tenant_id AND f.severity = d.severity AND f.opened_at = d.opened_at AND f.state = 'open'
    WHERE NOT EXISTS (
        SELECT 1 FROM {reviewed} AS r WHERE f.tenant_id = r.tenant_id AND f.finding_id = r.finding_id
    )
"""


_ENTRIES: Final = """
SELECT
    kind, tenant_id, subject, event, actor, person, actor_name, roles, how, body::VARCHAR, seq,
    strftime(make_timestamp(epoch_us("at")), '%Y-%m-%dT%H:%M:%S.%f+00:00'), version, hash
FROM review_events
ORDER BY seq
"""


def finding_facts(ask: Ask, ids: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return what the machine says now of the findings with these ids, in the order of ``findings.Facts``."""
    return list(ask(_FACTS, {"ids": list(ids)})) if ids else []


def openings(ask: Ask) -> list[tuple[Any, ...]]:
    """Return (tenant, severity, opened_at, when its clock began), each once, of all open findings."""
    return list(ask(_OPENINGS, {}))


def has_reviews(ask: Ask) -> bool:
    """Return whether the open database holds the review tables itself; those of older programs do not."""
    ((number,),) = ask("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'finding_reviews'", {})
    return bool(number)


def published_head(ask: Ask) -> tuple[int, str]:
    """Return place and hash of the newest entry of the journal that the open database shows; 0 when it shows none."""
    if not has_reviews(ask):
        return 0, ""
    ((seq, digest),) = ask("SELECT max(seq), max_by(hash, seq) FROM review_events", {})
    return int(seq or 0), str(digest or "")


def published_entries(ask: Ask) -> list[Entry]:
    """Return the entries of the journal that the open database shows, for a reader who has the journal not at hand."""
    if not has_reviews(ask):
        return []
    rows = ask(_ENTRIES, {})
    return [
        Entry(kind, tenant, subject, event, Actor(actor, person, name, tuple(roles or ()), how), json.loads(body), seq,
              datetime.fromisoformat(at), version, "", digest)
        for kind, tenant, subject, event, actor, person, name, roles, how, body, seq, at, version, digest in rows
    ]  # fmt: skip


def lay_over(ask: Ask, rows: Rows) -> None:
    """Lay the tables over an open published database, as temporary ones."""
    ((database,),) = ask("SELECT current_database()", {})
    file = '"' + str(database).replace('"', '""') + '".main'
    for name, columns in REVIEW_COLUMNS.items():
        _create(ask, f"temp.{name}", columns, rows.get(name, ()))
    made = _FINDING_REVIEWS.format(
        reviewed="temp.reviewed_findings", due="temp.review_due", findings=f"{file}.findings"
    )
    ask(f"CREATE TEMP VIEW finding_reviews AS {made}", {})
    ask(f"CREATE TEMP VIEW findings AS {_decided(ask, str(database), file)}", {})


def put_into(ask: Ask, rows: Rows) -> None:
    """Put the tables into a candidate that has its ``findings`` already, and write the decisions into those."""
    for name, columns in REVIEW_COLUMNS.items():
        _create(ask, f"{'temp' if name in _MAKING else 'candidate'}.{name}", columns, rows.get(name, ()))
    made = _FINDING_REVIEWS.format(
        reviewed="temp.reviewed_findings", due="temp.review_due", findings="candidate.findings"
    )
    ask(f"CREATE TABLE candidate.finding_reviews AS {made}", {})
    ask(
        "UPDATE candidate.findings AS f SET decision = r.decision, pending = r.pending, decided_at = r.decided_at, "
        "decision_expires_at = r.expires_at, returned = r.returned FROM temp.reviewed_findings AS r "
        "WHERE f.tenant_id = r.tenant_id AND f.finding_id = r.finding_id",
        {},
    )
    for name in _MAKING:
        ask(f"DROP TABLE temp.{name}", {})


def _decided(ask: Ask, database: str, file: str) -> str:
    """Return the SELECT of the file's findings with today's decisions; a file of an older program lacks the columns."""
    found = ask(
        "SELECT column_name FROM duckdb_columns() WHERE database_name = $name AND schema_name = 'main' "
        "AND table_name = 'findings' ORDER BY column_index",
        {"name": database},
    )
    taken = {"decision_expires_at": "expires_at"}
    names = [str(name) for (name,) in found]
    shown = [
        f'r."{taken.get(name, name)}" AS "{name}"' if name in DECISION_COLUMNS else f'f."{name}"' for name in names
    ]
    shown += [f'r."{taken.get(name, name)}" AS "{name}"' for name in DECISION_COLUMNS if name not in names]
    return (
        f"SELECT {', '.join(shown)} FROM {file}.findings AS f LEFT JOIN temp.reviewed_findings AS r "
        "ON f.tenant_id = r.tenant_id AND f.finding_id = r.finding_id"
    )


def _create(ask: Ask, table: str, columns: Columns, rows: Iterable[Mapping[str, object]]) -> None:
    """Create a table from dictionaries without touching a file: reading one is locked where strangers' SQL may run."""
    kinds = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
    ask(f"CREATE {'TEMP TABLE' if table.startswith('temp.') else 'TABLE'} {table} ({kinds})", {})
    text = json.dumps(list(rows), default=str)
    if text == "[]":
        return
    types = {name: "VARCHAR" if kind in {"JSON", "TIMESTAMPTZ"} else kind for name, kind in columns.items()}
    names = ", ".join(f'CAST(x."{name}" AS {kind}) AS "{name}"' for name, kind in columns.items())
    ask(
        f"INSERT INTO {table} SELECT {names} "
        f"FROM (SELECT unnest(from_json(CAST($rows AS JSON), {literal(json.dumps([types]))})) AS x)",
        {"rows": text},
    )

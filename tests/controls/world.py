"""Small worlds for controls: rows in, the table ``controls`` out. What a case leaves out is as it should be."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from rule_database import MemoryDatabase
from schema import TABLES

from m365audit.catalogue import workload_feed_rows
from m365audit.config import load_adequacy, load_clocks, load_policy
from m365audit.controls import Catalogue, RuleFacts, evaluate, load_controls, policy_rows
from m365audit.model import FEEDS
from m365audit.resources import data_dir, yaml_values
from m365audit.rules import load_rules
from m365audit.store.inputs import POLICY_COLUMNS
from m365audit.store.review_tables import REVIEW_COLUMNS

WATCHED: Final = ("2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z")
NOW: Final = datetime(2026, 4, 10, tzinfo=UTC)
_REVIEW: Final = ("attestations", "breach_cases", "subject_requests", "holds")
_EXTRA: Final = {name: POLICY_COLUMNS[name] for name in POLICY_COLUMNS if name not in TABLES} | {
    name: REVIEW_COLUMNS[name] for name in _REVIEW
}
_GLOBAL: Final = (*POLICY_COLUMNS, "policy_versions", "policy_categories", "workload_feeds", "microsoft_tenants")
_WORDS: Final = ("unwatched", "provisional", "outcomes", "register", "now", "people", "feeds_reason")
DEFAULTS: Final[dict[str, dict[str, object]]] = {
    "tenants": {"is_evaluated": True, "is_collected": True, "watched_from": WATCHED[0], "watched_to": WATCHED[1]},
    "findings": {"state": "open", "subject": "{}", "severity": "high"},
    "sign_ins": {
        "kind": "service_principal", "occurred_at": "2026-03-10T08:00:00Z", "succeeded": True, "app_id": "crm-app",
    },
    "service_principals": {"observed_at": WATCHED[1]},
    "grants": {"is_current": True, "kind": "application", "source": "app_role_assignment"},
    "register_records": {"integration_kind": "crm", "integration_name": "CRM", "publisher": "SalSoft"},
    "directory_changes": {"result": "success"},
    "calls": {"started_at": "2026-03-10T08:00:00Z", "kind": "direct_routing"},
    "access_events": {
        "feed": "graph_activity", "occurred_at": "2026-03-10T08:00:00Z", "app_id": "crm-app", "workload": "mail",
    },
    "tenant_profiles": {"country": "NL", "domains": ["contoso.example"]},
    "subject_requests": {"state": "open", "received_at": "2026-03-01T00:00:00Z", "due_at": "2026-03-31T22:00:00Z"},
    "breach_cases": {
        "case_id": "BR-2026-001", "state": "aware", "detected_at": "2026-03-10T00:00:00Z",
        "aware_at": "2026-03-10T08:00:00Z", "due_at": "2026-03-13T08:00:00Z", "hours": 72, "finding_ids": ["f1"],
    },
    "attestations": {"by_role": "dpo", "attested_at": "2026-03-01T00:00:00Z", "valid_until": "2027-03-01T00:00:00Z",
                     "is_valid": True},
    "coverage": {"covered_from": WATCHED[0], "covered_to": WATCHED[1]},
}  # fmt: skip


class ControlWorld(MemoryDatabase):
    """A database with everything that controls read."""

    def __init__(self) -> None:
        super().__init__()
        self._create_extra("CREATE TABLE")

    def clear(self) -> None:
        """Empty every table."""
        super().clear()
        self.connection.execute("DROP TABLE IF EXISTS controls")
        self._create_extra("CREATE OR REPLACE TABLE")

    def _create_extra(self, create: str) -> None:
        for name, columns in _EXTRA.items():
            listed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
            self.connection.execute(f"{create} {name} ({listed})")

    def controls(self) -> list[dict[str, Any]]:
        """Return the rows of ``controls``."""
        cursor = self.connection.execute("SELECT * FROM controls")
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@cache
def database() -> ControlWorld:
    """Return the one database of these tests; every case empties it first."""
    return ControlWorld()


@cache
def catalogue() -> Catalogue:
    """Return the product's controls, proven against the product's rules."""
    return load_controls(rule_facts())


@cache
def rule_facts() -> tuple[RuleFacts, ...]:
    """Return what controls know of the product's rules."""
    loaded = load_rules(MemoryDatabase())
    return tuple(RuleFacts(r.id, r.controls, r.needs, r.needs_register, r.file) for r in loaded)


@cache
def _policy_rows() -> dict[str, list[Mapping[str, object]]]:
    loaded = load_policy(data_dir("config") / "policy.yaml")
    return {
        **policy_rows(loaded, load_adequacy(), load_clocks()),
        "policy_versions": [{"version": "2025-08-07", "url": "https://www.salsoft.nl/"}],
        "policy_categories": [{"category": "contact_information", "workloads": ["contacts"]}],
    }


def fill(cases: Mapping[str, Mapping[str, Any]]) -> None:
    """Empty the database and insert what is given for each tenant; tables without tenants are those of the first."""
    database().clear()
    shared = {**_policy_rows(), "workload_feeds": list(workload_feed_rows())}
    made: dict[str, list[Mapping[str, object]]] = {
        name: list(next(iter(cases.values())).get(name, rows)) for name, rows in shared.items()
    }
    for tenant, given in cases.items():
        for table, rows in tenant_rows(given).items():
            made.setdefault(table, []).extend({"tenant_id": tenant, **DEFAULTS.get(table, {}), **row} for row in rows)
    for table, rows in made.items():
        insert(table, rows)


def insert(table: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Insert rows in bulk: thousands one by one take minutes."""
    kinds = dict(
        database().execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = $table", {"table": table}
        )
    )
    groups: dict[tuple[str, ...], list[Mapping[str, object]]] = {}
    for row in rows:
        groups.setdefault(tuple(row), []).append(row)
    for columns, listed in groups.items():
        names = ", ".join(f'"{name}"' for name in columns)
        taken = ", ".join(f'u.r."{name}"' for name in columns)
        shape = json.dumps([{name: "VARCHAR" if kinds[name] == "JSON" else kinds[name] for name in columns}])
        made = "(SELECT unnest(from_json($rows::JSON, $shape)) AS r) AS u"
        sql = f"INSERT INTO {table} ({names}) SELECT {taken} FROM {made}"  # noqa: S608  (names of tables)
        database().execute(sql, {"rows": json.dumps(listed, default=str), "shape": shape})


def tenant_rows(given: Mapping[str, Any]) -> dict[str, list[Mapping[str, object]]]:
    """Return the rows of one tenant by table."""
    made = {name: list(given[name]) for name in given if name not in (*_WORDS, *_GLOBAL)}
    made.setdefault("tenants", [{}])
    made["coverage"] = [*coverage(given), *made.get("coverage", [])]
    outcomes: dict[str, Any] = {**{rule.id: "clean" for rule in rule_facts()}, **given.get("outcomes", {})}
    made["rule_outcomes"] = [outcome_row(rule, said) for rule, said in outcomes.items() if said is not None]
    for process in given.get("register", []):
        for table, row in register_rows(process):
            if row not in made.setdefault(table, []):
                made[table].append(row)
    return made


def outcome_row(rule: str, said: str | Mapping[str, object]) -> dict[str, object]:
    """Return the row of one rule's outcome; ``said`` is its word, or the row's own columns."""
    if isinstance(said, Mapping):
        return {"rule": rule, "findings": 0, **said}
    is_covered = said in {"clean", "findings"}
    reason = None if is_covered else f"{said} in this case"
    return {"rule": rule, "outcome": said, "reason": reason, "findings": 0, "is_covered": is_covered}


def coverage(given: Mapping[str, Any]) -> list[Mapping[str, object]]:
    """Cover every feed completely, but what the case calls ``unwatched`` (with a reason) or ``provisional``."""
    unwatched = given.get("unwatched", {})
    lost = dict.fromkeys(unwatched, "not_collected") if isinstance(unwatched, list) else unwatched
    rows: list[Mapping[str, object]] = []
    for feed in FEEDS:
        state = "gap" if feed in lost else "provisional" if feed in given.get("provisional", []) else "complete"
        rows.append({"feed": feed, "state": state, "reason": lost.get(feed)})
    return rows


def register_rows(process: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, object]]]:
    """Make the register's tables of one process; it is in force from ``start`` to ``end``."""
    record, name = process.get("record", "crm"), process.get("process", "log")
    kept = ("integration_kind", "integration_name", "publisher", "pbx_host_country")
    yield "register_records", {"record": record, **{key: process[key] for key in kept if key in process}}
    yield "register_apps", {"record": record, "app_id": process.get("app_id", "crm-app")}
    start, end = process.get("start", "2026-01-01T00:00:00Z"), process.get("end", "2027-01-01T00:00:00Z")
    agreed = ("legal_basis", "data_subjects", "transfers", "notice_sha256", "regions", "policy_version")
    standard: dict[str, object] = {"regions": ["NL"], "policy_version": "2025-08-07", "notice_sha256": "0" * 64}
    version: dict[str, object] = {"record": record, "process": name, "version": 1, "workload": "mail"}
    version |= {"effective_from": start, "effective_until": end}
    yield "register_versions", {**version, **standard, **{key: process[key] for key in agreed if key in process}}
    segment = {"record": record, "process": name, "version": 1}
    yield "register_segments", {**segment, "valid_from": start, "valid_to": end, "period_reason": None}


def judge(given: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Evaluate every control on what is in the database; ``given`` may hold ``now`` and ``people``."""
    words = given or {}
    now = datetime.fromisoformat(words["now"]) if "now" in words else NOW
    evaluate(database(), catalogue(), now=now, roles=words.get("people", ()))
    return database().controls()


def judge_together(cases: Sequence[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """Evaluate many cases, each as a tenant; those that share tables, time and people share an evaluation."""
    groups: dict[str, list[int]] = {}
    for index, given in enumerate(cases):
        shared = {name: given[name] for name in (*_GLOBAL, "now", "people") if name in given}
        groups.setdefault(json.dumps(shared, default=str), []).append(index)
    found: list[list[dict[str, Any]]] = [[] for _ in cases]
    for members in groups.values():
        tenants = {f"{index:08d}-0000-4000-8000-000000000000": index for index in members}
        fill({tenant: cases[index] for tenant, index in tenants.items()})
        for row in judge(cases[members[0]]):
            found[tenants[row["tenant_id"]]].append(row)
    return found


def read_cases(path: Any) -> list[dict[str, Any]]:
    """Return the cases of one file."""
    cases: list[dict[str, Any]] = yaml_values(path.read_text("utf-8"))["cases"]
    return cases

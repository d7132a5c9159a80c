"""Owns the proof that evidence does not overwhelm: a million pieces in one finding, a million findings, a wide report.

Synthetic tables stand in for what landing and judging would have left; rules, ledger, publication and report are the
product's own, each stage in a process of its own. Run: python benchmarks/many_findings.py [--size 1000000] [--file OUT]
"""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import duckdb
import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from report.database import REVIEW_TABLES  # noqa: E402 - runs from a checkout too
from schema import TABLES, VIEWS  # noqa: E402 - runs from a checkout too

from benchmarks.measure import Measurement, measure  # noqa: E402
from m365audit import catalogue, findings, report, rules  # noqa: E402
from m365audit.model import FEEDS  # noqa: E402
from m365audit.store import ledger, publish  # noqa: E402
from m365audit.store.candidate import STORAGE_VERSION  # noqa: E402
from m365audit.store.database import make_private, open_store  # noqa: E402
from m365audit.store.published import PublishedReader  # noqa: E402
from m365audit.store.queries import read_queries  # noqa: E402
from m365audit.store.review_tables import REVIEW_COLUMNS  # noqa: E402
from m365audit.store.sandbox import LEAN_MEMORY, LockedDatabase  # noqa: E402

LIMIT_MIB: Final = 1_024
"""What no stage may go over."""


@dataclass(frozen=True, slots=True)
class Case:
    """One flood: its name, how many apps and tenants its events are spread over, and how many sources have trouble."""

    name: str
    apps: int
    tenants: int = 1
    troubles: int = 0


def cases(size: int) -> tuple[Case, ...]:
    """Return the floods of ``size`` events each."""
    return (
        Case("one finding", 1),
        Case("as many findings as events", size),
        Case("wide", min(10_000, size), min(1_000, size), min(5_000, size)),
    )


_EVENTS: Final = """
INSERT INTO access_log BY NAME
SELECT 't' || lpad((i % $tenants)::VARCHAR, 35, '0') AS tenant_id, 'graph_activity' AS feed,
    uuid() AS event_uuid, NULL AS event_text,
    TIMESTAMPTZ '2026-01-01 00:00:00+00' + to_microseconds(i * 1000003 % 2592000000000) AS occurred_at,
    i AS form_no, i % $tenants AS answer_no, NULL AS item_count, NULL AS first_seen_at,
    'import' AS origin, NULL AS source_id
FROM range($size) AS r (i)
"""
_FORMS: Final = """
INSERT INTO access_forms BY NAME
SELECT tenant_id, form_no, feed, 'c0ffee00-0000-4000-8000-' || lpad((form_no % $apps)::VARCHAR, 12, '0') AS app_id,
    'application' AS access_kind, 'mail' AS workload, 'read' AS operation, 'GET /users/{}/messages' AS endpoint,
    ['Mail.Read'] AS permissions, 'user' AS resource_kind, uuid()::VARCHAR AS resource_id, true AS succeeded,
    true AS is_mapped, 1 AS accesses, 0 AS untimed, occurred_at AS first_at, occurred_at AS last_at
FROM access_log
"""
_ANSWERS: Final = """
INSERT INTO verdict_answers BY NAME
SELECT DISTINCT tenant_id, answer_no, 'outside' AS verdict, ['no_record'] AS reasons FROM access_log
"""
_OTHERS: Final = """
INSERT INTO tenants BY NAME SELECT tenant_id, 'Tenant ' || tenant_id AS name, true AS is_evaluated,
    min(occurred_at) AS watched_from, max(occurred_at) AS watched_to, count(*) AS access_events, 0 AS unmapped_events
FROM access_events GROUP BY tenant_id;
INSERT INTO coverage BY NAME
SELECT t.tenant_id, f.feed, t.watched_from AS covered_from, t.watched_to AS covered_to, 'complete' AS state,
    1 AS records
FROM tenants AS t CROSS JOIN feeds AS f;
INSERT INTO apps BY NAME SELECT tenant_id, app_id, 'App ' || app_id AS app_name, false AS is_first_party,
    false AS is_recorded, min(occurred_at) AS first_seen_at, max(occurred_at) AS last_seen_at
FROM access_events GROUP BY tenant_id, app_id;
INSERT INTO cells BY NAME SELECT tenant_id, app_id, workload, 'never' AS recorded, 'no' AS granted, count(*) AS used,
    0 AS within, count(*) AS outside, 0 AS not_assessable, min(occurred_at) AS first_used_at,
    max(occurred_at) AS last_used_at, 'complete' AS coverage
FROM access_events GROUP BY tenant_id, app_id, workload;
"""
_TROUBLES: Final = """
INSERT INTO sources BY NAME
SELECT (SELECT min(tenant_id) FROM tenants) AS tenant_id, i AS source_id, '/exports/' || i || '.json' AS path,
    'graph_activity' AS kind, 1 AS bytes, 10 AS records, 5 AS stored, 2 AS duplicate, 3 AS quarantined,
    CASE WHEN i % 2 = 0 THEN 'partial' ELSE 'refused' END AS outcome, 'the file ends early' AS message
FROM range($troubles) AS r (i);
"""


def generate(folder: Path, case: Case, size: int) -> None:
    """Write the candidate as judging would have left it."""
    shutil.rmtree(folder / "publish", ignore_errors=True)
    path = publish.new_candidate_path(folder / "publish")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{path}' AS candidate (STORAGE_VERSION '{STORAGE_VERSION}')")
        connection.execute("USE candidate")
        _create_tables(connection)
        connection.execute(_EVENTS, {"size": size, "tenants": case.tenants})
        connection.execute(_FORMS, {"apps": case.apps})
        connection.execute(_ANSWERS)
        for query in (*read_queries("verdicts"), *read_queries("tables")):
            is_view = bool(query.header.get("view"))
            if is_view or query.name in {"form_counts", "daily_use"}:
                connection.execute(f"CREATE {'VIEW' if is_view else 'TABLE'} {query.name} AS {query.sql}")
        connection.execute("CREATE TEMP TABLE feeds AS SELECT unnest(?::VARCHAR[]) AS feed", [list(FEEDS)])
        for statement in filter(str.strip, _OTHERS.split(";")):
            connection.execute(statement)
        connection.execute(_TROUBLES, {"troubles": case.troubles})
        connection.executemany("INSERT INTO policy_workloads VALUES (?)", [["mail"], ["calendar"]])
        rows = [[row["workload"], row["feed"]] for row in catalogue.workload_feed_rows()]
        connection.executemany("INSERT INTO workload_feeds VALUES (?, ?)", rows)


def _create_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what judging would have left, but for what the product's own queries make of the log and its forms."""
    made = {
        *(set(REVIEW_TABLES) - {"controls"}),
        "access_events",
        "verdicts",
        "findings",
        "finding_evidence",
        "rule_outcomes",
        "runs",
        *VIEWS,
    }
    for name, columns in ({"controls": REVIEW_TABLES["controls"]} | TABLES).items():
        if name not in made:
            connection.execute(f"CREATE TABLE {name} ({columns})")
    types = yaml.safe_load((ROOT / "config" / "column_types.yml").read_text(encoding="utf-8"))
    for table in ("access_forms", "access_log", "verdict_answers"):
        columns = ", ".join(f"{name} {kind}" for name, kind in types[table].items())
        connection.execute(f"CREATE TABLE {table} ({columns})")


def _candidate(folder: Path) -> Path:
    return next((folder / "publish").glob(".unfinished-*.duckdb"))


def run_rules(folder: Path) -> rules.RuleResults:
    """Run every rule on the candidate."""
    spill = make_private(folder / "work")
    with LockedDatabase(_candidate(folder), is_read_only=False, spill=spill, memory=LEAN_MEMORY) as locked:
        return rules.run_rules(locked, rules.load_rules(locked), findings.with_finding_ids)


def track(folder: Path, results: rules.RuleResults) -> None:
    """Take the findings into the ledger and publish."""
    candidate, published = _candidate(folder), folder / "publish" / publish.PUBLISHED_NAME
    with open_store(folder / "state") as connection:
        ledger.write_results(
            connection, candidate, map(asdict, results.outcomes), results.aliases, before=published,
            workdir=make_private(folder / "work"),
        )  # fmt: skip
        publish.put_in_place(candidate, published)
        ledger.save_findings(connection, published)


def render(folder: Path, form: str, section: str | None) -> None:
    """Render one form of the report into ``folder``."""
    published, output = folder / "publish" / publish.PUBLISHED_NAME, folder / f"report-{section or form}"
    spill = make_private(folder / "work")
    with LockedDatabase(published, is_read_only=True, spill=spill, memory=LEAN_MEMORY) as locked:
        publish.write_in_place(pieces(locked, form, section), output)


def pieces(locked: LockedDatabase, form: str, section: str | None) -> Iterator[bytes]:
    """Return the report of an open database, as of now, with tokens that nobody keeps the key of."""
    people = report.People(secrets.token_bytes(32))
    return report.pieces(PublishedReader(locked), form, section, now=datetime.now(UTC), people=people)


FORMS: Final = (("html", None), ("json", None), ("csv", "cells"), ("csv", "findings"), ("csv", "evidence"),
                ("csv", "not_assessable"))  # fmt: skip


def stages(folder: Path, case: Case, size: int) -> Iterator[Measurement]:
    """Run one flood through every stage; the second evaluation looks at nothing, so all evidence is carried over."""
    generate(folder, case, size)
    yield measure("rules", partial(_rules_stage, folder))[-1]
    yield measure("ledger, publish", partial(_track_stage, folder))[-1]
    for form, section in FORMS:
        yield measure(" ".join(filter(None, ("report", form, section))), partial(render, folder, form, section))[-1]
    published = folder / "publish" / publish.PUBLISHED_NAME
    blind = folder / "blind.duckdb"
    shutil.copyfile(published, blind)
    generate_blind(blind, folder)
    yield measure("ledger, nothing seen", partial(_track_blind, folder))[-1]


def generate_blind(copy: Path, folder: Path) -> None:
    """Make of a copy of the publication the candidate of a run in which no rule could speak."""
    with duckdb.connect(str(copy)) as connection:
        for name in ("findings", "finding_reviews", "rule_outcomes", "runs", *REVIEW_COLUMNS):
            connection.execute(f"DROP TABLE IF EXISTS {name}")
        connection.execute("DELETE FROM finding_evidence")
        connection.execute("UPDATE tenants SET is_evaluated = false, not_evaluated_reason = 'the register is invalid'")
    copy.rename(folder / "publish" / ".unfinished-0.duckdb")


def _rules_stage(folder: Path) -> None:
    results = run_rules(folder)
    lines = [asdict(outcome) for outcome in results.outcomes]
    (folder / "outcomes.py").write_text(repr((lines, dict(results.aliases))), encoding="utf-8")


def _track_stage(folder: Path) -> None:
    lines, aliases = eval((folder / "outcomes.py").read_text(encoding="utf-8"))  # noqa: S307 - our own repr
    track(folder, rules.RuleResults(tuple(rules.RuleOutcome(**line) for line in lines), aliases))


def _track_blind(folder: Path) -> None:
    track(folder, run_rules(folder))


def facts(folder: Path) -> str:
    """Return what was made: findings, evidence and the sizes of the files."""
    with duckdb.connect(str(folder / "publish" / publish.PUBLISHED_NAME), read_only=True) as connection:
        rows = connection.execute("SELECT (SELECT count(*) FROM findings), (SELECT count(*) FROM finding_evidence)")
        counts = [f"{count:,} {name}" for name, count in zip(("findings", "pieces"), rows.fetchall()[0], strict=True)]
    sizes = [f"{path.name} {path.stat().st_size / 1e6:.2f} MB" for path in sorted(folder.glob("report-*"))]
    return "; ".join((*counts, *sizes))


def main() -> int:
    """Print the table; 1 when a stage took more memory than it may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--case", type=int, choices=(0, 1, 2), default=None)
    given = parser.parse_args()
    worst = 0.0
    for number, case in enumerate(cases(given.size)):
        if given.case not in {None, number}:
            continue
        with tempfile.TemporaryDirectory() as name:
            begin = time.perf_counter()
            print(f"\n{case.name}: {given.size:,} events, {case.apps:,} apps, {case.tenants:,} tenants")
            print(f"{'stage':<28} {'seconds':>8} {'peak MiB':>9}", flush=True)
            for taken in stages(Path(name), case, given.size):
                worst = max(worst, taken.peak_rss_mib)
                print(f"{taken.stage:<28} {taken.wall_s:>8.1f} {taken.peak_rss_mib:>9.0f}", flush=True)
            print(f"{facts(Path(name))}\nin all {time.perf_counter() - begin:.0f} s", flush=True)
    print(f"\nthe most memory of any stage: {worst:.0f} MiB of {LIMIT_MIB}")
    return int(worst > LIMIT_MIB)


if __name__ == "__main__":
    sys.exit(main())

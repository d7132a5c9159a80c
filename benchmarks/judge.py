"""Generates tenants, a register and access events, judges them, and prints what each stage took.

Run: python benchmarks/judge.py --events 1000000 --tenants 1000 --processes 20 [--file /path/to/new.duckdb]
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path
from typing import Final

import duckdb

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from m365audit.store.queries import read_queries  # noqa: E402 - runs from a checkout too

INPUTS: Final = ROOT / "tests" / "verdicts" / "inputs.sql"
USERS: Final = 100
"""Mailboxes per tenant."""

COUNT_FORMS: Final = """
INSERT INTO access_forms BY NAME
SELECT f.*, c.accesses, c.untimed, c.first_at, c.last_at
FROM known_forms AS f
INNER JOIN (
    SELECT form_no, count(*) AS accesses, count(*) - count(occurred_at) AS untimed, min(occurred_at) AS first_at,
        max(occurred_at) AS last_at
    FROM landed_calls GROUP BY form_no
) AS c ON f.form_no = c.form_no
"""
"""What the normalising stage does on the way to forms; it touches every call, so it is timed as well."""

GENERATE: Final = """
INSERT INTO tenants SELECT 't' || t, TRUE FROM range($tenants) AS r(t);
INSERT INTO policy_settings VALUES (2678400);
INSERT INTO policy_workloads VALUES ('mail'), ('calendar'), ('contacts'), ('teams_chat');
INSERT INTO first_party_apps SELECT md5('ms' || i) FROM range(300) AS r(i);
INSERT INTO directory_users
SELECT 't' || t, md5('u' || t || '-' || u), 'user' || u || '@t' || t || '.example'
FROM range($tenants) AS r(t), range($users) AS s(u);
INSERT INTO register_apps
SELECT 't' || t, 't' || t || '-r' || r, md5('app' || t || '-' || r) FROM range($tenants) AS a(t), range(4) AS b(r);
INSERT INTO register_versions
SELECT
    't' || t, 't' || t || '-r' || (p % 4), 'p' || p, v,
    ['mail', 'calendar', 'contacts', 'teams_chat'][1 + (p // 4) % 4], ['read', 'write'],
    [{name: ['Mail.Read', 'Calendars.Read', 'Contacts.Read', 'Chat.Read'][1 + (p // 4) % 4], kind: 'application',
      api: 'graph'}],
    p % 3 = 0,
    CASE WHEN p % 3 = 1 THEN list_transform(range(30), lambda u: md5('u' || t || '-' || u)) ELSE [] END,
    CASE WHEN p % 3 = 2 THEN ['g' || t || '-' || (p % 2)] ELSE [] END,
    TIMESTAMPTZ '2026-01-01' + to_days(CAST(v * 60 AS INTEGER)), TIMESTAMPTZ '2026-12-01'
FROM range($tenants) AS a(t), range($processes) AS b(p), range(2) AS c(v);
INSERT INTO register_segments
SELECT
    tenant_id, record, process, unnest([NULL, '2026-01-01', '2026-03-02', '2026-03-20']::TIMESTAMPTZ[]),
    unnest(['2026-01-01', '2026-03-02', '2026-03-20', NULL]::TIMESTAMPTZ[]), unnest([0, 0, 1, 1]),
    unnest(['before_start', NULL, NULL, CASE WHEN process LIKE '%7' THEN 'after_withdrawal' END])
FROM register_versions
WHERE version = 0;
INSERT INTO group_snapshots
SELECT 't' || t, 'g' || t || '-' || g, TIMESTAMPTZ '2026-01-05' + to_days(CAST(d * 7 AS INTEGER)), TRUE
FROM range($tenants) AS a(t), range(2) AS b(g), range(13) AS c(d);
INSERT INTO group_snapshot_members
SELECT s.tenant_id, s.group_id, s.observed_at, md5('u' || substr(s.tenant_id, 2) || '-' || u), 'user'
FROM group_snapshots AS s, range(40) AS r(u)
WHERE u < 30 OR (u + week(s.observed_at)) % 7 > 1;
CREATE TABLE known_forms AS
SELECT
    t * $forms + f + 1 AS form_no, 't' || t AS tenant_id, 'graph_activity' AS feed,
    CASE WHEN f % 20 = 0 THEN md5('ms' || (h % 300)) WHEN f % 21 = 0 THEN md5('unknown' || h % 9)
        ELSE md5('app' || t || '-' || (h % 4)) END AS app_id,
    CASE WHEN f % 5 > 0 THEN 'application' ELSE 'delegated' END AS access_kind,
    ['mail', 'calendar', 'contacts', 'teams_chat', 'files'][1 + (h // 4) % 5] AS workload,
    ['read', 'read', 'read', 'write', 'send'][1 + (h // 20) % 5] AS operation,
    ['Directory.Read.All', ['Mail', 'Calendars', 'Contacts', 'Chat', 'Files'][1 + (h // 4) % 5] || '.Read',
     ['Mail', 'Calendars', 'Contacts', 'Chat', 'Files'][1 + (h // 4) % 5] || '.ReadWrite'] AS permissions,
    'user' AS resource_kind,
    CASE WHEN h % 3 > 0 THEN md5('u' || t || '-' || (h // 100) % $users) END AS resource_id,
    CASE WHEN h % 3 = 0 THEN 'user' || (h // 100) % $users || '@t' || t || '.example' END AS resource_name,
    f % 50 > 0 AS succeeded
FROM (
    SELECT t, f, CAST(hash(t * 100003 + f) // 1000003 AS BIGINT) AS h
    FROM range($tenants) AS a(t), range($forms) AS b(f)
);
INSERT INTO landed_calls
SELECT
    't' || t, 1, uuid()::VARCHAR, t * $forms + CAST($forms * pow(random(), 2) AS BIGINT) % $forms + 1, 1, true,
    TIMESTAMPTZ '2026-01-01' + to_microseconds(CAST(random() * 86400e6 * 92 AS BIGINT))
FROM (SELECT i, CAST(hash(i * 7 + 1) % $tenants AS BIGINT) AS t FROM range($events) AS r(i));
"""


def main() -> None:
    """Generate, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--processes", type=int, default=20, help="per tenant")
    parser.add_argument("--forms", type=int, default=250, help="per tenant: who calls what on which mailbox")
    parser.add_argument("--file", default=":memory:")
    options = parser.parse_args()
    with duckdb.connect(options.file) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET threads = 2; SET memory_limit = '2GB'")
        connection.execute("SET enable_progress_bar = false; SET preserve_insertion_order = false")
        connection.execute(INPUTS.read_text(encoding="utf-8"))
        _generate(connection, options)
        _judge(connection)


def _generate(connection: duckdb.DuckDBPyConnection, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    text = GENERATE
    numbers = {
        "tenants": options.tenants,
        "users": USERS,
        "processes": options.processes,
        "events": options.events,
        "forms": options.forms,
    }
    for name, value in numbers.items():
        text = text.replace(f"${name}", str(value))
    connection.execute(text)
    print(f"{'generated':24}{time.perf_counter() - started:8.2f} s {options.events:>12,} events")


def _judge(connection: duckdb.DuckDBPyConnection) -> None:
    whole, cpu = time.perf_counter(), time.process_time()
    connection.execute(COUNT_FORMS)
    print(f"{'access_forms':24}{time.perf_counter() - whole:8.2f} s")
    for query in read_queries("verdicts"):
        table = query.header["table"]
        started = time.perf_counter()
        kind = "VIEW" if query.header.get("view") else "TEMP TABLE" if query.header.get("temporary") else "TABLE"
        connection.execute(f"CREATE {kind} {table} AS {query.sql}")
        elapsed = time.perf_counter() - started
        print(f"{table:24}{elapsed:8.2f} s")
    print(f"{'judged':24}{time.perf_counter() - whole:8.2f} s, {time.process_time() - cpu:.1f} s of processor time")
    print(f"{'peak memory':24}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f} MiB")
    print(
        connection.execute(
            "SELECT verdict, reasons, count(*) FROM verdicts GROUP BY ALL ORDER BY 3 DESC LIMIT 12"
        ).fetchall()
    )


if __name__ == "__main__":
    main()

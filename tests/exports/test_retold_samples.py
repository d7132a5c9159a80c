"""The real rows of Log Analytics and the real call records, through to the tables that people ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from landed import TENANT, Desk

from m365audit.pipeline import Import


@pytest.fixture(scope="module")
def desk(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("retold"))
    folders = [Import(samples / "samples" / name, TENANT) for name in ("log_analytics", "call_records")]
    outcome = desk.judge(*folders)
    outcomes = {(file.outcome, file.quarantined, file.bad_times) for file in outcome.landed}
    assert outcomes == {("imported", 0, 0), ("known", 0, 0)}  # two of the call records are the same bytes
    assert sum(file.records for file in outcome.landed) == 61
    return desk


def test_office_activity_is_an_access_by_its_caller(desk: Desk) -> None:
    assert desk.published(
        "SELECT feed, app_id, workload, operation, resource_name, occurred_at::VARCHAR, ip_address FROM access_events"
    ) == [
        (
            "audit_exchange", "5a95e683-08ad-424e-a441-1d1aec52c02c", "mail", "read", "pgustavo@simulandlabs.com",
            "2021-08-02 13:32:07+00", "1.2.3.4",
        )
    ]  # fmt: skip


def test_audit_rows_tell_who_was_granted_what(desk: Desk) -> None:
    assert desk.published("SELECT permission, kind, granted_for, sp_id FROM grants ORDER BY ALL") == [
        ("Mail.ReadWrite", "delegated", "all_users", "0d2f5969-011b-460d-ac74-3291d227d49f"),
        ("User.Read", "delegated", "all_users", "0d2f5969-011b-460d-ac74-3291d227d49f"),
    ]
    assert desk.published("SELECT activity, count(*) FROM directory_changes GROUP BY ALL ORDER BY ALL") == [
        ("Add delegated permission grant", 1),
        ("Update application", 1),
        ("Update application - Certificates and secrets management", 1),
    ]


def test_sign_in_rows_are_one_a_sign_in(desk: Desk) -> None:
    """The sample holds most sign-ins twice or more, each time with something else filled in."""
    assert desk.published(
        "SELECT count(*), count(occurred_at), count(country), count(succeeded), count(ip_address), bool_and(feed = "
        "'sign_ins_interactive') FROM sign_ins"
    ) == [(23, 23, 23, 23, 23, True)]


def test_call_records_are_calls_and_no_access(desk: Desk) -> None:
    assert desk.published("SELECT kind, count(*) FROM calls GROUP BY ALL ORDER BY ALL") == [
        ("call", 4),
        ("direct_routing", 1),
        ("pstn", 1),
    ]
    # Times have a plus of their own, in their offsets.
    assert desk.published(
        "SELECT count(*) FROM calls WHERE concat_ws(' ', *COLUMNS(* EXCLUDE (started_at, ended_at))) LIKE '%+%'"
    ) == [(0,)]
    assert desk.published("SELECT participants, started_at FROM calls WHERE starts_with(event_id, '614e3ff0')") == [
        (2, None)
    ]
    assert desk.published("SELECT DISTINCT state FROM coverage WHERE feed = 'call_records' ORDER BY ALL") == [
        ("gap",),
        ("provisional",),
    ]

"""Every real sample through the whole pipeline in one run: each record accounted for, each table as it must be."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from m365audit import pipeline
from m365audit.config import load_policy, load_settings
from m365audit.pipeline import Import, Step
from m365audit.store.arrivals import Landed

TENANT: Final = "11111111-1111-4111-8111-111111111111"
FOLDERS: Final = (
    "storage_export", "graph_activity", "graph_signins", "directory_audits", "consent_grants", "mgmt_api", "ual_csv",
)  # fmt: skip
REFUSED: Final = {
    "scubagear_MockApplicationPermissions.json": "no service principal",
    "scubagear_MockServicePrincipalAppRoleAssignments.json": "no service principal",
    "scubagear_MockApplications.json": "app registration",
}
"""Files that are no evidence, and the word by which the refusal says why."""


class _Quiet:
    def file(self, landed: Landed, number: int, total: int) -> None:
        """Say nothing."""

    def working(self, path: str, doing: str, done: int, total: int) -> None:
        """Hear of the progress in a file."""

    def skipped(self, path: Path, reason: str) -> None:
        raise AssertionError(f"{path} was skipped: {reason}")

    def stage(self, name: str) -> None:
        """Say nothing."""

    def gathering(self, step: Step) -> None:
        """Hear of what is collected."""


class Imported:
    """The outcome of the run, and the published database."""

    def __init__(self, landed: tuple[Landed, ...], connection: duckdb.DuckDBPyConnection, working: Path) -> None:
        self.landed = landed
        self.working = working
        self._connection = connection

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the published database."""
        return self._connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def imported(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    home = tmp_path_factory.mktemp("samples")
    (home / "m365audit.yaml").write_text(f"tenants: [{{id: {TENANT}, name: Samples}}]\n", encoding="utf-8")
    (home / "policy.yaml").write_text("schema: m365audit.policy/1\n", encoding="utf-8")
    (home / "consent").mkdir()
    settings = load_settings(home / "m365audit.yaml").settings
    imports = [Import(samples / "samples" / folder, TENANT) for folder in FOLDERS]
    outcome = pipeline.run(settings, load_policy(settings.policy), imports, _Quiet(), command="import")
    assert outcome.evaluation is not None
    with duckdb.connect(str(outcome.evaluation.published), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield Imported(outcome.landed, connection, settings.state / "m365audit.duckdb")


def test_every_file_is_dealt_with(imported: Imported, samples: Path) -> None:
    files = {path for folder in FOLDERS for path in (samples / "samples" / folder).iterdir()}
    assert {Path(file.path) for file in imported.landed} == files
    refused = {Path(file.path).name: file.message for file in imported.landed if file.outcome == "refused"}
    assert refused.keys() == REFUSED.keys()
    assert all(word in refused[name] for name, word in REFUSED.items())


def test_every_record_is_accounted_for(imported: Imported, samples: Path) -> None:
    read = {Path(file.path).name: file for file in imported.landed}
    assert all(file.records == file.stored + file.duplicate + file.quarantined for file in imported.landed)
    with (samples / "samples" / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        events = {Path(row["file"]).name: int(row["events"]) for row in csv.DictReader(manifest)}
    differing = {
        name: (file.records, events[name])
        for name, file in read.items()
        if name not in REFUSED and file.records != events[name]
    }
    assert differing == {}
    totals = Counter[str]()
    for file in imported.landed:
        totals.update(records=file.records, stored=file.stored, duplicate=file.duplicate, quarantined=file.quarantined)
    assert totals == {"records": 312, "stored": 252, "duplicate": 33, "quarantined": 27}
    assert imported.rows("SELECT sum(records), sum(stored), sum(duplicate), sum(quarantined) FROM sources") == [
        (312, 252, 33, 27)
    ]
    assert imported.rows("SELECT count(*) FROM quarantine") == [(27,)]
    assert imported.rows("SELECT DISTINCT reason FROM quarantine ORDER BY ALL") == [
        ("has no 'id', so it cannot be told from others",),
        ("has no 'requestId', so it cannot be told from others",),
    ]


def test_stored_records_are_rows(imported: Imported) -> None:
    rows = dict(imported.rows("SELECT feed, count(*) FROM access_events GROUP BY ALL"))
    assert rows == {"audit_exchange": 33, "audit_other": 8, "audit_sharepoint": 2, "graph_activity": 3}
    assert imported.rows("SELECT count(*) FROM verdicts") == [(sum(rows.values()),)]
    assert imported.rows("SELECT count(*) FROM access_events ANTI JOIN verdicts USING (tenant_id, feed, event_id)") == [
        (0,)
    ]


def test_what_was_stored_lies_where_it_belongs(imported: Imported) -> None:
    """Public samples use the same made-up ids again: what is newer replaces, what was there stays as a version."""
    with duckdb.connect(str(imported.working), read_only=True) as working:
        landed = working.execute(
            "SELECT feed, count(*), count(*) FILTER (WHERE is_newest) FROM landed_records GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        calls = working.execute("SELECT count(*), count(*) FILTER (WHERE is_newest) FROM landed_calls").fetchall()
    assert landed == [
        ("app_role_assignments", 13, 9),
        ("audit_entra", 117, 111),
        ("audit_exchange", 42, 33),
        ("audit_other", 9, 8),
        ("audit_sharepoint", 6, 2),
        ("delegated_permission_grants", 9, 7),
        ("directory_audits", 32, 24),
        ("service_principals", 9, 9),
        ("sign_ins_interactive", 5, 4),
        ("sign_ins_service_principal", 7, 2),
    ]
    assert calls == [(3, 3)]
    assert imported.rows("SELECT feed, count(*) FROM sign_ins GROUP BY ALL ORDER BY ALL") == [
        ("sign_ins_interactive", 4),
        ("sign_ins_service_principal", 2),
    ]


def test_nothing_that_tells_events_apart_is_unknown(imported: Imported) -> None:
    for table in ("access_events", "sign_ins", "directory_changes"):
        assert imported.rows(
            f"SELECT count(*), count(DISTINCT (feed, event_id)) FROM {table} "  # noqa: S608
            "WHERE tenant_id IS NULL OR feed IS NULL OR event_id IS NULL"
        ) == [(0, 0)]
        total, distinct = imported.rows(f"SELECT count(*), count(DISTINCT (tenant_id, feed, event_id)) FROM {table}")[0]  # noqa: S608
        assert total == distinct > 0


def test_what_became_of_the_accesses(imported: Imported) -> None:
    found = imported.rows(
        "SELECT feed, workload, operation, is_mapped, count(*) FROM access_events GROUP BY ALL ORDER BY ALL"
    )
    assert found == [
        ("audit_exchange", "mail", "read", True, 1),
        ("audit_exchange", "mail", "write", True, 23),
        ("audit_exchange", "other", "write", True, 4),
        ("audit_exchange", "other", None, True, 2),
        ("audit_exchange", None, "write", True, 1),
        ("audit_exchange", None, None, False, 2),
        ("audit_other", "other", None, True, 4),
        ("audit_other", None, None, False, 4),
        ("audit_sharepoint", "files", None, True, 2),
        ("graph_activity", "directory", "read", True, 2),
        ("graph_activity", "other", "read", True, 1),
    ]


def test_the_caller_of_mail_is_the_record_s_client(imported: Imported, samples: Path) -> None:
    record = json.loads((samples / "samples" / "mgmt_api" / "splunk_o365_mailitemsaccessed.json").read_text())
    assert imported.rows(
        "SELECT event_id, app_id, access_kind, resource_name, item_count, succeeded FROM access_events "
        "WHERE endpoint = 'MailItemsAccessed'"
    ) == [(record["Id"], record["ClientAppId"], "delegated", record["MailboxOwnerUPN"], record["OperationCount"], True)]


def test_a_file_s_caller_is_the_application(imported: Imported) -> None:
    assert imported.rows("SELECT app_id, actor_name FROM access_events WHERE endpoint = 'ListItemViewed'") == [
        ("94bfad6e-a0b3-4eb9-8e2b-83eeb335de28", "john.doe@contoso.com")
    ]


def test_grants_of_the_consent_samples(imported: Imported) -> None:
    changes = imported.rows(
        "SELECT feed, activity, app_id, permissions, kind, result FROM directory_changes "
        "WHERE kind IS NOT NULL ORDER BY ALL"
    )
    exchange = ("5f91ce94-4cc5-4ebe-aeb6-f074e57201bb", ["full_access_as_app"], "application", "success")
    role, consent = "Add app role assignment to service principal", "Consent to application"
    blocked = [
        "Mail.Read", "Mail.Read.Shared", "Mail.ReadBasic", "Mail.ReadBasic.Shared", "Mail.ReadWrite",
        "Mail.ReadWrite.Shared", "Mail.Send", "Mail.Send.Shared", "User.Read",
    ]  # fmt: skip
    assert changes == [
        ("audit_entra", role, *exchange),
        ("audit_entra", consent, "95106c0e-3519-450e-8e38-7f326d873454", ["User.Read"], "delegated", "success"),
        ("directory_audits", role, *exchange),
        ("directory_audits", consent, "96f6a3d6-d5aa-4af5-a77a-9319b5283712", blocked, "delegated", "failure"),
    ]  # fmt: skip
    assert imported.rows(
        "SELECT app_id, permission, kind, granted_for, workload FROM grants WHERE event_id IS NOT NULL ORDER BY ALL"
    ) == [
        ("5f91ce94-4cc5-4ebe-aeb6-f074e57201bb", "full_access_as_app", "application", None, "calendar"),
        ("95106c0e-3519-450e-8e38-7f326d873454", "User.Read", "delegated", "all_users", None),
    ]


def test_listed_grants(imported: Imported) -> None:
    assert imported.rows(
        "SELECT source, count(*), count(DISTINCT grant_id), bool_and(is_current) FROM grants WHERE event_id IS NULL "
        "GROUP BY ALL ORDER BY ALL"
    ) == imported.rows(
        "SELECT source, count(*), count(*), true FROM grants WHERE event_id IS NULL GROUP BY ALL ORDER BY ALL"
    )
    assert imported.rows("SELECT count(*) FROM grants WHERE permission LIKE '% %' OR permission = ''") == [(0,)]


def test_commands_that_blind_the_audit_or_give_rights_in_exchange(imported: Imported) -> None:
    rows = imported.rows(
        "SELECT change, operation, subject, grantee, grantee_kind, rights, count(*) FROM admin_changes "
        "WHERE NOT starts_with(actor_name, 'NT AUTHORITY') GROUP BY ALL ORDER BY ALL"
    )
    assert {(row[0], row[1]) for row in rows} == {
        ("audit_log_off", "Set-AdminAuditLogConfig"),
        ("impersonation_granted", "New-RoleGroup"),
        ("mailbox_audit_bypass", "Set-MailboxAuditBypassAssociation"),
        ("mailbox_audit_short", "Set-Mailbox"),
        ("mailbox_right_granted", "Add-MailboxPermission"),
        ("mailbox_right_granted", "Add-RecipientPermission"),
    }
    (impersonation,) = [row for row in rows if row[0] == "impersonation_granted"]
    assert impersonation[3:6] == ("0a1b7ab4-e3c2-4e75-93ad-6ea6d16cffbf", "unknown", ["ApplicationImpersonation"])


def test_what_the_samples_did_to_applications(imported: Imported) -> None:
    rows = imported.rows(
        "SELECT DISTINCT c.change, app_id FROM directory_changes, unnest(changes) AS u (c) "
        "WHERE app_id IS NOT NULL ORDER BY ALL"
    )
    assert rows == [
        ("owner_added", "95106c0e-3519-450e-8e38-7f326d873454"),
        ("owner_added", "f0748f3d-45f2-4e2e-a4e1-f2e2b5271bdf"),
    ]


def test_clients_of_old_protocols_are_told(imported: Imported) -> None:
    assert imported.rows("SELECT DISTINCT client_app FROM sign_ins WHERE client_app IS NOT NULL ORDER BY ALL") == [
        ("Authenticated SMTP",),
        ("Browser",),
        ("Mobile Apps and Desktop clients",),
    ]

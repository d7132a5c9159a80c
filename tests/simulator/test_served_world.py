"""The demo's world as the API shows it: consistent, the same records as the exports, and late where it says so."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from m365audit.config import load_settings
from m365audit.config.settings import CloudEndpoints
from m365audit.simulator.auditor import registration
from m365audit.simulator.integrations import RESOURCE_ROLES
from m365audit.simulator.live_world import WATCHED, LiveWorld, live_world, write_live_world
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID
from m365audit.simulator.served import ServedTenant
from m365audit.simulator.served_audit import late_ids
from m365audit.simulator.served_truth import known_records, moment
from m365audit.simulator.world import World, write_world

TENANTS = (CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID)


@pytest.fixture(scope="module")
def live() -> LiveWorld:
    return live_world()


@pytest.fixture(scope="module")
def written(live: LiveWorld, tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("live")
    (folder / "ca.pem").write_text("an authority")
    address = "https://127.0.0.1:8443"
    cloud = {"login": address, "graph": address, "manage": address, "ca_file": str(folder / "ca.pem")}
    return write_live_world(folder, live, cloud=cloud)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> World:
    return write_world(tmp_path_factory.mktemp("world"))


def _by_id(tenant: ServedTenant, collection: str, key: str = "id") -> dict[str, dict[str, Any]]:
    return {record[key]: record for record in tenant.collections[collection]}


def test_all_but_the_keys_is_the_same_every_time(live: LiveWorld) -> None:
    again = live_world()
    for tenant_id, tenant in again.served.tenants.items():
        first = live.served.tenants[tenant_id]
        for client in (*tenant.clients.values(), *first.clients.values()):
            assert (client.secret is None) != (client.certificate is None)
        without_keys = [
            replace(t, clients={i: replace(c, certificate=None) for i, c in t.clients.items()}) for t in (tenant, first)
        ]
        assert without_keys[0] == without_keys[1]


@pytest.mark.parametrize("year", [2026, 2027, 2041])
def test_certificates_are_good_for_months_from_the_day_of_the_demo(year: int) -> None:
    today = datetime(year, 12, 24, tzinfo=UTC)
    clients = [c for t in live_world(today=today).served.tenants.values() for c in t.clients.values()]
    (certificate,) = [x509.load_pem_x509_certificate(c.certificate.encode()) for c in clients if c.certificate]
    assert certificate.not_valid_before_utc < today
    assert certificate.not_valid_after_utc > today + timedelta(days=200)


@pytest.mark.parametrize("tenant_id", TENANTS)
def test_every_grant_joins_service_principals_and_a_declared_role(live: LiveWorld, tenant_id: str) -> None:
    tenant = live.served.tenants[tenant_id]
    principals = _by_id(tenant, "servicePrincipals")
    for assignment in tenant.collections["appRoleAssignments"]:
        assert assignment["principalId"] in principals
        declared = {role["id"] for role in principals[assignment["resourceId"]]["appRoles"]}
        assert assignment["appRoleId"] in declared
    for grant in tenant.collections["oauth2PermissionGrants"]:
        assert {grant["clientId"], grant["resourceId"]} <= principals.keys()
        assert grant["principalId"] is None or grant["principalId"] in _by_id(tenant, "users")
    for role in tenant.collections["exchangeRoleAssignments"]:
        assert role["principalId"].removeprefix("/ServicePrincipals/") in principals
        assert role["roleDefinitionId"] in _by_id(tenant, "exchangeRoleDefinitions")
    for team, grants in tenant.grants_below.items():
        assert team in _by_id(tenant, "teams")
        assert all(grant["clientId"] in principals for grant in grants)


@pytest.mark.parametrize("tenant_id", TENANTS)
def test_members_are_people_and_groups_that_there_are(live: LiveWorld, tenant_id: str) -> None:
    tenant = live.served.tenants[tenant_id]
    known = _by_id(tenant, "users").keys() | _by_id(tenant, "groups").keys()
    assert tenant.members.keys() == _by_id(tenant, "groups").keys()
    assert all(member["id"] in known for listed in tenant.members.values() for member in listed)
    assert all("members" not in group for group in tenant.collections["groups"])


def test_groups_nest_and_their_teams_do_not(live: LiveWorld) -> None:
    contoso = live.served.tenants[CONTOSO_ID]
    kinds = {member["@odata.type"] for listed in contoso.members.values() for member in listed}
    assert kinds == {"#microsoft.graph.user", "#microsoft.graph.group"}
    for team in contoso.collections["teams"]:
        assert all(m["@odata.type"] == "#microsoft.graph.user" for m in contoso.members[team["id"]])


def _exported_lines(world: World, tenant: str, categories: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for category in categories:
        for path in (world.folder / "exports" / tenant / f"insights-logs-{category}").rglob("*.json"):
            for line in path.read_bytes().split(b"\r\n")[:-1]:
                properties = json.loads(line)["properties"]
                found[properties["id"]] = properties
    return found


@pytest.mark.parametrize(("tenant_id", "key"), list(zip(TENANTS, ("contoso", "fabrikam", "tailspin"), strict=True)))
@pytest.mark.parametrize(
    ("collection", "time", "categories"),
    [
        (
            "signIns",
            "createdDateTime",
            ("signinlogs", "noninteractiveusersigninlogs", "serviceprincipalsigninlogs", "managedidentitysigninlogs"),
        ),
        ("directoryAudits", "activityDateTime", ("auditlogs",)),
    ],
)
def test_logs_are_the_exported_ones(  # noqa: PLR0917
    live: LiveWorld, exported: World, tenant_id: str, key: str, collection: str, time: str, categories: tuple[str, ...]
) -> None:
    """The same ids, and the same content but for the spelling of the time and the kind of sign-in."""
    served = _by_id(live.served.tenants[tenant_id], collection)
    lines = _exported_lines(exported, key, categories)
    assert served.keys() == lines.keys()
    assert served
    for record_id, record in served.items():
        plain = {name: value for name, value in record.items() if name not in {time, "signInEventTypes"}}
        assert plain == {name: value for name, value in lines[record_id].items() if name != time}
        assert moment(record[time]) == moment(lines[record_id][time])


def test_the_audit_log_holds_what_was_exported(live: LiveWorld, exported: World) -> None:
    folder = exported.folder / "exports/contoso/management-activity"
    there = {r["Id"]: r for path in folder.glob("*.json") for r in json.loads(path.read_bytes())}
    assert {audit.record["Id"]: audit.record for audit in live.served.tenants[CONTOSO_ID].audit} == there


def test_the_audit_log_comes_late_out_of_order_and_twice(live: LiveWorld) -> None:
    for tenant_id in (CONTOSO_ID, FABRIKAM_ID):
        audit = live.served.tenants[tenant_id].audit
        waits = [a.arrived_at - moment(a.record["CreationTime"]) for a in audit if not a.blob]
        assert all(wait >= timedelta(minutes=60) for wait in waits)
        assert any(timedelta(hours=20) <= wait < timedelta(hours=21) for wait in waits)
        assert len({a.record["Id"] for a in audit}) < len(audit)
        exchange = [moment(a.record["CreationTime"]) for a in audit if a.content_type == "Audit.Exchange"]
        assert exchange != sorted(exchange)


def test_all_that_is_judged_is_there_at_first_and_little_comes_later(live: LiveWorld) -> None:
    first, second = live.collected_at[:2]
    late = [k for k in known_records(live.served) if not k.shows_at(first)]
    assert {k.feed for k in late} == {"audit_entra", "audit_sharepoint"}
    assert all(k.shows_at(second) for k in late)
    for diary in live.diaries:
        if diary.tenant.id == TAILSPIN_ID:
            continue
        expected = late_ids(diary.tenant)
        for feed in ("audit_entra", "audit_sharepoint"):
            assert {k.id for k in late if (k.tenant, k.feed) == (diary.tenant.id, feed)} == expected[feed]
            assert expected[feed]


def test_the_auditor_reads_and_never_writes_nor_opens_what_people_say(live: LiveWorld) -> None:
    for diary in live.diaries:
        client = live.served.tenants[diary.tenant.id].clients[registration(diary.tenant).app.id]
        assert client.roles
        assert all(".Read" in role and "Write" not in role for role in client.roles)
        assert not any(role.startswith(("Mail", "Calendars", "Chat", "Contacts", "Files")) for role in client.roles)
        granted = {
            a["appRoleId"]
            for a in live.served.tenants[diary.tenant.id].collections["appRoleAssignments"]
            if a["principalId"] == registration(diary.tenant).app.sp_id(diary.tenant)
        }
        declared = {name: role for roles in RESOURCE_ROLES.values() for name, role in roles.items()}
        assert granted == {declared[name] for name in (*client.roles, *client.manage_roles)}


def test_credentials_are_private_and_what_the_tenant_registered(live: LiveWorld, written: World) -> None:
    settings = load_settings(written.config)
    assert settings.problems == ()
    assert isinstance(settings.settings.cloud, CloudEndpoints)
    for tenant in settings.settings.tenants:
        credential = tenant.credential
        assert credential is not None
        assert credential.kind in {"certificate", "secret_file"}
        file = credential.file
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        client = live.served.tenants[tenant.id].clients[credential.client_id]
        if client.secret:
            assert file.read_text().strip() == client.secret
        else:
            assert client.certificate is not None
            registered = x509.load_pem_x509_certificate(client.certificate.encode())
            key = load_pem_private_key(file.read_bytes(), password=None)
            assert key.public_key() == registered.public_key()


def test_only_graph_activity_is_imported(live: LiveWorld, written: World) -> None:
    settings = load_settings(written.config).settings
    assert [[item.kind for item in tenant.imports] for tenant in settings.tenants] == [["graph_activity"]] * 3
    assert written.truth.count() == live.truth().count() > 3000


@pytest.mark.parametrize("collections", [1, 2, 3])
def test_coverage_is_told_of_every_log_without_overlap(live: LiveWorld, collections: int) -> None:
    told = live.truth(collections=collections).coverage
    for tenant_id in TENANTS:
        for feed in {row.feed for row in told}:
            rows = sorted((r for r in told if (r.tenant_id, r.feed) == (tenant_id, feed)), key=lambda r: r.begin)
            assert rows
            assert all(a.end <= b.begin for a, b in pairwise(rows))
            assert all(WATCHED[0] <= row.begin < row.end <= WATCHED[1] for row in rows)


def test_what_cannot_be_seen_has_its_reason_in_the_tenant(live: LiveWorld) -> None:
    tenants = live.served.tenants
    assert [tenants[t].has_premium for t in TENANTS] == [True, False, True]
    assert [tenants[t].is_audit_enabled for t in TENANTS] == [True, True, False]
    roles = {t: {r for c in tenants[t].clients.values() for r in c.roles} for t in TENANTS}
    assert [t for t in TENANTS if "CallRecords.Read.All" in roles[t]] == [CONTOSO_ID]
    assert [t for t in TENANTS if roles[t] & {"GroupMember.Read.All", "Directory.Read.All"}] == [
        CONTOSO_ID,
        FABRIKAM_ID,
    ]
    assert [len(tenants[t].collections["callRecords"]) for t in TENANTS] == [42, 0, 0]

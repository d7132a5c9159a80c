"""Every listing of the present state, against the simulator: what it holds is what is read, to the byte's meaning."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from m365audit.config import TenantSettings
from m365audit.graph.failures import CollectionError
from m365audit.graph.feeds import listing, policies
from m365audit.graph.throttle import Throttle
from m365audit.graph.values import Page, Task
from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service import Fault, Simulator, running, writes
from m365audit.simulator.synthetic import synthetic_world
from m365audit.simulator.synthetic_directory import group_ids, team_ids

from .listed import Read, read, settings

Reading = Callable[..., Read]


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with running(synthetic_world(7, tenants=1, records=1).served) as running_one:
        yield running_one


@pytest.fixture
def served(simulator: Simulator) -> Iterator[ServedTenant]:
    tenant = next(iter(simulator.world.tenants.values()))
    kept = {name: list(records) for name, records in tenant.collections.items()}
    roles = next(iter(tenant.clients.values())).roles
    yield tenant
    tenant.collections = kept
    next(iter(tenant.clients.values())).roles = roles


@pytest.fixture
def tenant(served: ServedTenant, tmp_path: Path) -> TenantSettings:
    client_id, client = next(iter(served.clients.items()))
    return settings(tmp_path, served.id, client_id, client.secret or "")


@pytest.fixture
def reading(simulator: Simulator, tenant: TenantSettings, tmp_path: Path) -> Reading:
    return lambda name, **more: read(simulator, tenant, name, state=tmp_path, **more)


PLAIN = {
    "organization": "organization",
    "subscribed_skus": "subscribedSkus",
    "service_principals": "servicePrincipals",
    "applications": "applications",
    "delegated_permission_grants": "oauth2PermissionGrants",
    "users": "users",
}


@pytest.mark.parametrize(("collection", "name"), PLAIN.items())
def test_a_listing_holds_what_the_tenant_holds(
    reading: Reading, served: ServedTenant, collection: str, name: str
) -> None:
    found = reading(collection).records
    truth = served.collections[name]
    assert [record["id"] for record in found] == [record["id"] for record in truth]
    for record, true in zip(found, truth, strict=True):
        assert {key: record[key] for key in true if key in record} == {k: v for k, v in true.items() if k in record}


def test_what_shows_on_select_only_is_there(reading: Reading) -> None:
    ages = {record["ageGroup"] for record in reading("users").records}
    assert ages == {"minor", None}


def test_many_are_read_page_by_page(reading: Reading, served: ServedTenant, simulator: Simulator) -> None:
    served.collections["users"] = [{"id": f"u{number}"} for number in range(2_500)]
    before = len(list(simulator.log))
    assert len(reading("users").records) == 2_500
    asked = [each for each in list(simulator.log)[before:] if each.path.endswith("/users")]
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("users", "sizes"), [(0, []), (49, ["S"]), (50, ["M"]), (500, ["M"]), (501, ["L"]), (2_500, ["L"])]
)
def test_the_number_of_users_gives_the_tenant_its_units(
    reading: Reading, served: ServedTenant, sizes_told: list[str], users: int, sizes: list[str]
) -> None:
    served.collections["users"] = [{"id": f"u{number}"} for number in range(users)]
    reading("users")
    assert sizes_told == sizes


def test_users_that_come_twice_count_once(
    reading: Reading, served: ServedTenant, simulator: Simulator, sizes_told: list[str]
) -> None:
    served.collections["users"] = [{"id": f"u{number}"} for number in range(49)]
    simulator.simulation.snapshots.most = 20
    try:
        with fault(simulator, Fault("skip_token_expired", where="*/users", first=2)):
            reading("users")
    finally:
        simulator.simulation.snapshots.most = None
    assert len(sizes_told) > 3, "pages came again"
    assert set(sizes_told) == {"S"}


@pytest.fixture
def sizes_told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the sizes that the throttle was told."""
    told: list[str] = []
    monkeypatch.setattr(Throttle, "note_size", lambda _self, _tenant, size: told.append(size))
    return told


def test_assignments_are_read_at_the_apis(reading: Reading, served: ServedTenant) -> None:
    found = reading("app_role_assignments")
    truth = {record["id"] for record in served.collections["appRoleAssignments"]}
    assert {record["id"] for record in found.records} == truth
    assert len(found.records) == len(truth)
    assert {page.source for page in found.pages} == {"GET /servicePrincipals/{id}/appRoleAssignedTo"}
    assert "checked at every app that is not Microsoft's" in found.detail


def test_what_stands_only_at_the_app_is_added(reading: Reading, served: ServedTenant) -> None:
    """Access without a permission: no API that offers roles shows it."""
    app, other = [p for p in served.collections["servicePrincipals"] if not p["appRoles"]][:2]
    lonely = assignment("lonely", app, other, role="00000000-0000-0000-0000-000000000000")
    beside = assignment("beside", served.collections["users"][0], other, kind="User")
    served.collections["appRoleAssignments"] = [*served.collections["appRoleAssignments"], lonely, beside]
    found = reading("app_role_assignments")
    by_id = {record["id"]: record for record in found.records}
    assert by_id["lonely"] == lonely
    assert "beside" in by_id, "the list of the API that only the app named is read as well"
    assert "1 assignment stood only at the app: added" in found.detail


def assignment(name: str, holder: Record, api: Record, *, role: str = "r", kind: str = "ServicePrincipal") -> Record:
    return {"id": name, "appRoleId": role, "principalId": holder["id"], "principalType": kind, "resourceId": api["id"]}


def test_a_service_principal_that_disappears_is_one_item(
    reading: Reading, served: ServedTenant, simulator: Simulator
) -> None:
    api = next(p for p in served.collections["servicePrincipals"] if p["appRoles"])
    with fault(simulator, Fault("not_found", where=f"*{api['id']}/appRoleAssignedTo")):
        found = reading("app_role_assignments")
    assert "1 service principal disappeared meanwhile" in found.detail
    assert found.ended[0].reason is None


def test_groups_are_whole_and_nested_ones_are_read(reading: Reading, served: ServedTenant) -> None:
    first, second, third, _ = group_ids(served.id)
    found = reading("groups", groups=(first.upper(), third))
    by_id = {record["id"]: record for record in found.records}
    assert set(by_id) == {first, second, third}, "the nested one as well, the others not"
    assert [m["id"] for m in by_id[third]["members"]] == [m["id"] for m in served.members[third]]
    assert by_id[third]["members@odata.count"] == len(served.members[third])


def test_a_group_that_is_gone_is_told_of(reading: Reading, served: ServedTenant) -> None:
    gone = "99999999-9999-4999-8999-999999999999"
    found = reading("groups", groups=(gone, group_ids(served.id)[1]))
    assert len(found.records) == 1
    assert gone in found.detail


def test_no_group_is_read_that_nobody_named(reading: Reading) -> None:
    found = reading("groups")
    assert not found.pages
    assert found.ended[0].reason is None


def test_grants_inside_teams_carry_their_team(reading: Reading, served: ServedTenant) -> None:
    found = reading("rsc_grants")
    shown = {(record["teamId"], record["id"]) for record in found.records}
    assert shown == {(team, g["id"]) for team in team_ids(served.id) for g in served.grants_below[team]}
    assert found.ended[0].reason is None
    assert "every team was looked at (3)" in found.detail
    assert "chats" in found.detail


def test_teams_are_taken_in_turns(reading: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("m365audit.graph.feeds.rsc_grants.MOST", 2)
    found = reading("rsc_grants")
    assert found.ended[0].reason == "throttled", "what was not looked at must not count as taken away"
    assert "2 of 3 teams were looked at" in found.detail


def test_exchange_roles_carry_their_definition(reading: Reading, served: ServedTenant) -> None:
    (record,) = reading("exchange_role_assignments").records
    assert record["roleDefinition"] == served.collections["exchangeRoleDefinitions"][0]
    assert "appScope" not in record


def test_policies_say_what_they_are(reading: Reading) -> None:
    found = {record["id"]: record for record in reading("policies").records}
    assert {record["@odata.type"].rpartition(".")[2] for record in found.values()} == {
        "authorizationPolicy", "permissionGrantPolicy", "adminConsentRequestPolicy", "conditionalAccessPolicy",
        "identitySecurityDefaultsEnforcementPolicy", "conditionalAccessRoot",
    }  # fmt: skip
    assert {"authorizationPolicy", "microsoft-user-default-low", "adminConsentRequestPolicy"} < set(found)
    assert found["conditionalAccess"]["policies@odata.count"] == 1


def test_a_cloud_without_the_workflow_is_no_error(reading: Reading, served: ServedTenant) -> None:
    served.collections["adminConsentRequestPolicy"] = []
    assert "adminConsentRequestPolicy" not in {record["id"] for record in reading("policies").records}


def test_no_policy_of_conditional_access_is_a_fact_too(reading: Reading, served: ServedTenant) -> None:
    served.collections["conditionalAccessPolicies"] = []
    assert reading("policies").records[-1] == {
        "id": "conditionalAccess", "@odata.type": "#microsoft.graph.conditionalAccessRoot", "policies@odata.count": 0
    }  # fmt: skip


def test_without_the_licence_nobody_says_how_many_policies_ask(
    reading: Reading, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = listing.pages

    async def refused(client: Any, task: Task, build: Any, *, source: str, **more: Any) -> AsyncIterator[Page]:
        if "conditionalAccess" in source:
            raise CollectionError("licence", "not bought")
        async for page in whole(client, task, build, source=source, **more):
            yield page

    monkeypatch.setattr(policies, "pages", refused)
    found = {record["id"] for record in reading("policies").records}
    assert "authorizationPolicy" in found
    assert "conditionalAccess" not in found


NEEDED = {
    "organization": "Organization.Read.All",
    "applications": "Application.Read.All",
    "rsc_grants": "ResourceSpecificPermissionGrant.ReadForTeam.All",
    "exchange_role_assignments": "RoleManagement.Read.Exchange",
    "policies": "Policy.Read.All",
    "groups": "GroupMember.Read.All",
}


@pytest.mark.parametrize(("collection", "permission"), NEEDED.items())
def test_without_its_permission_a_listing_is_a_gap(
    reading: Reading, served: ServedTenant, collection: str, permission: str
) -> None:
    client = next(iter(served.clients.values()))
    client.roles = tuple(role for role in client.roles if role not in {permission, "Directory.Read.All"})
    with pytest.raises(CollectionError) as caught:
        reading(collection, groups=tuple(group_ids(served.id)))
    assert caught.value.reason == "permission"


@pytest.mark.parametrize("kind", ["skip_token_expired", "link_loop"])
def test_a_listing_that_is_cut_short_is_never_whole(
    reading: Reading, served: ServedTenant, simulator: Simulator, kind: str
) -> None:
    served.collections["users"] = [{"id": f"u{number}"} for number in range(1_200)]
    with fault(simulator, Fault(kind, where="*/users", count=1_000)), pytest.raises(CollectionError):
        reading("users")


def test_nothing_is_written(simulator: Simulator) -> None:
    assert not writes(simulator.log)


class fault:  # noqa: N801 - reads like a statement
    """Lets something go wrong for a while."""

    def __init__(self, simulator: Simulator, what: Fault) -> None:
        self._plan: Any = simulator.simulation.faults
        self._what = what

    def __enter__(self) -> None:
        self._plan.add(self._what)

    def __exit__(self, *_: object) -> None:
        self._plan.clear()

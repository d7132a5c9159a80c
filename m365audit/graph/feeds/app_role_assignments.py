"""What apps may do in their own name, in everybody's data: read at the APIs that grant it, checked at the apps.

For each service principal that offers permissions to apps, who holds them (``appRoleAssignedTo``): a few dozen lists
for the whole tenant. ``$expand`` would be quicker and loses assignments (AzureADAssessment's notes). Then the other way
round: what each app that is not Microsoft's says it holds (``appRoleAssignments``); what stands only there is added,
and its API's list is read as well. The all-zero role, which lets in and grants nothing, is kept: the tables drop it.
Sources: learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto, …-list-approleassignments.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.service_principals.item.app_role_assigned_to.app_role_assigned_to_request_builder import (
    AppRoleAssignedToRequestBuilder,
)
from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder

from m365audit.graph.failures import NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.batching import listings
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import read, text_of
from m365audit.graph.feeds.listing import DIRECTORY_LIMITS, in_turn, pages, side_by_side, spoken, whole
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

MOST_CLIENTS: Final = 2_000
"""Apps that one pull checks from their side: a hundred batches. Others have their turn on other days."""

MICROSOFT: Final = frozenset(
    (
        "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
        "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "cdc5aeea-15c5-4db6-b079-fcadd2505dc2",
    )
)
"""Tenants that own Microsoft's own apps."""

_COST: Final = resource_units("servicePrincipals/{id}/appRoleAssignedTo")
_ASSIGNED: Final = "/servicePrincipals/{id}/appRoleAssignedTo"
_HELD: Final = "/servicePrincipals/{id}/appRoleAssignments"


@dataclass(slots=True)
class _Found:
    """What one pull has come across.

    Attributes:
        resources: ids of service principals whose list was read.
        shown: assignment → who holds it and on what.
        clients: apps that were asked what they hold.
        gone: service principals that disappeared meanwhile.
        added: assignments that only the app's own list shows.
        unconfirmed: assignments that only the API's list shows.
    """

    resources: set[str] = field(default_factory=set)
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)
    clients: int = 0
    gone: int = 0
    added: int = 0
    unconfirmed: int = 0


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read every assignment, from both sides.

    Raises:
        CollectionError: a list was cut short.
    """
    began_at, before = client.now(), client.requests
    found = _Found()
    apis, others = await _principals(client, task)
    async for page in _at_resources(client, task, apis, found):
        yield page
    chosen = _chosen(in_turn(others, began_at), found)
    unlisted = set[str]()
    async for page in _at_clients(client, task, chosen, found, unlisted):
        yield page
    async for page in _at_resources(client, task, sorted(unlisted), found):
        yield page
    yield Ended(task, None, None, _detail(found, len(others)), began_at, client.requests - before)


async def _principals(client: Client, task: Task) -> tuple[list[str], list[str]]:
    """Return the ids of those that offer permissions to apps, and of those that are not Microsoft's."""

    def build(top: int) -> RequestInformation:
        query = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
            select=["id", "appOwnerOrganizationId", "appRoles"], top=top
        )
        return client.sdk.service_principals.to_get_request_information(RequestConfiguration(query_parameters=query))

    apis, others = dict[str, None](), dict[str, None]()
    cost = resource_units("servicePrincipals", selects=True)
    async for page in pages(client, task, build, source="/servicePrincipals", cost=cost):
        for principal in map(read, page.records):
            principal_id = text_of(principal, "id")
            if _offers_to_apps(principal.get("appRoles")):
                apis[principal_id] = None
            if text_of(principal, "appOwnerOrganizationId").lower() not in MICROSOFT:
                others[principal_id] = None
    return [each for each in apis if each], [each for each in others if each]


def _offers_to_apps(roles: Any) -> bool:
    return isinstance(roles, list) and any(
        isinstance(role, dict) and "Application" in (role.get("allowedMemberTypes") or ()) for role in roles
    )


async def _at_resources(client: Client, task: Task, resources: Sequence[str], found: _Found) -> AsyncIterator[Page]:
    async for resource, held in side_by_side(resources, lambda resource: _assigned_to(client, task, resource)):
        found.resources.add(resource)
        found.gone += held is None
        fresh = _unseen(held or (), found)
        if fresh:
            yield Page(task, fresh, source=f"GET {_ASSIGNED}")


async def _assigned_to(client: Client, task: Task, resource: str) -> list[bytes] | None:
    """Return who holds roles of one API; None when it is gone."""
    builder = client.sdk.service_principals.by_service_principal_id(resource).app_role_assigned_to

    def build(top: int) -> RequestInformation:
        query = AppRoleAssignedToRequestBuilder.AppRoleAssignedToRequestBuilderGetQueryParameters(top=top)
        return builder.to_get_request_information(RequestConfiguration(query_parameters=query))

    try:
        return await whole(client, task, build, source=_ASSIGNED, cost=_COST)
    except NotFoundError:
        return None


def _unseen(assignments: Iterable[bytes], found: _Found) -> list[bytes]:
    """Return the assignments that were not shown before, and remember them."""
    fresh = []
    for record in assignments:
        members = read(record)
        key = text_of(members, "id")
        if not key or key not in found.shown:
            fresh.append(record)
            found.shown[key] = (text_of(members, "principalId").lower(), text_of(members, "resourceId").lower())
    return fresh


def _chosen(others: Sequence[str], found: _Found) -> list[str]:
    """Return the apps to ask: those that are known to hold something first."""
    holders = {holder for holder, _ in found.shown.values()}
    return sorted(others, key=lambda each: each.lower() not in holders)[:MOST_CLIENTS]


async def _at_clients(
    client: Client, task: Task, clients: Sequence[str], found: _Found, unlisted: set[str]
) -> AsyncIterator[Page]:
    """Ask the apps; put into ``unlisted`` the APIs that only they name."""
    listed: dict[str, set[str]] = {}
    for key, (holder, _) in found.shown.items():
        listed.setdefault(holder, set()).add(key)
    paths = {f"/servicePrincipals/{each}/appRoleAssignments": each for each in clients}
    async for path, held in listings(client, task, list(paths), cost=_COST):
        found.clients += 1
        if held is None:
            found.gone += 1
            continue
        keys = {text_of(read(record), "id") for record in held}
        found.unconfirmed += len(listed.get(paths[path].lower(), set()) - keys)
        fresh = _unseen(held, found)
        found.added += len(fresh)
        unlisted |= {text_of(read(record), "resourceId") for record in fresh} - found.resources - {""}
        if fresh:
            yield Page(task, fresh, source=f"GET {_HELD}")


def _detail(found: _Found, others: int) -> str:
    asked = "every app" if found.clients == others else f"{found.clients:,} of {spoken(others, 'app')}"
    said = [
        f"read at {spoken(len(found.resources), 'API')}, checked at {asked} that is not Microsoft's ({found.clients:,})"
    ]
    if found.added:
        said.append(f"{spoken(found.added, 'assignment')} stood only at the app: added")
    if found.unconfirmed:
        said.append(f"{spoken(found.unconfirmed, 'assignment')} stood only at the API: kept")
    if found.gone:
        said.append(f"{spoken(found.gone, 'service principal')} disappeared meanwhile")
    return "; ".join(said)


COLLECTION: Final = Collection(
    name="app_role_assignments",
    feeds=("app_role_assignments",),
    kind="app_role_assignments",
    permissions=(permissions.APPLICATIONS,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; each question in a batch counts on its own",
    unassessable="what apps may do in their own name, without any person signed in: in all mailboxes, all chats",
    pull=pull,
)

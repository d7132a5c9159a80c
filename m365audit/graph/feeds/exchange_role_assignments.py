"""Roles that Exchange itself gives to apps (RBAC for Applications), beside and on top of the permissions in Entra.

They stand in no list of app role assignments. Each record is the assignment with its role's definition and its scope
inside, as ``$expand`` would give them. Beta only, global cloud for sure; where it is not there, that is said.
Sources: learn.microsoft.com/graph/api/rbacapplication-list-roleassignments (beta),
learn.microsoft.com/exchange/permissions-exo/application-rbac.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Final

from m365audit.graph.failures import CollectionError, NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import read, text_of, with_members
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY_LIMITS, pages, whole
from m365audit.graph.values import Ended, Page, Task

ROOT: Final = "/roleManagement/exchange"


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read definitions and scopes first, then every assignment.

    Raises:
        CollectionError: it is not permitted, not there in this cloud, or was cut short.
    """
    try:
        definitions = await _by_id(client, task, "roleDefinitions")
    except NotFoundError as error:
        message = "this cloud shows no roles of Exchange through Graph"
        raise CollectionError(
            "error", message, hint="ask for the output of Get-ManagementRoleAssignment", status=error.status
        ) from error
    scopes = await _scopes(client, task)
    address, source = _place(client, "roleAssignments")
    async for page in pages(client, task, lambda _: address, source=source, sizes=ANY_SIZE):
        yield replace(page, records=[_composed(record, definitions, scopes) for record in page.records])


def _place(client: Client, name: str) -> tuple[str, str]:
    """Return the address of a listing, which the SDK of v1.0 does not know, and its name for people."""
    return f"{client.cloud.graph}/beta{ROOT}/{name}", f"{ROOT}/{name}"


def _composed(record: bytes, definitions: Mapping[str, bytes], scopes: Mapping[str, bytes]) -> bytes:
    members = read(record)
    named = {
        "roleDefinition": definitions.get(text_of(members, "roleDefinitionId")),
        "appScope": scopes.get(text_of(members, "appScopeId")),
    }
    return with_members(record, {name: inner for name, inner in named.items() if inner is not None})


async def _scopes(client: Client, task: Task) -> dict[str, bytes]:
    try:
        return await _by_id(client, task, "customAppScopes")
    except NotFoundError:
        return {}


async def _by_id(client: Client, task: Task, name: str) -> dict[str, bytes]:
    address, source = _place(client, name)
    found = await whole(client, task, lambda _: address, source=source, sizes=ANY_SIZE)
    return {text_of(read(record), "id"): record for record in found}


COLLECTION: Final = Collection(
    name="exchange_role_assignments",
    feeds=("exchange_role_assignments",),
    kind="exchange_role_assignments",
    permissions=(permissions.EXCHANGE_ROLES,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; Microsoft names no limit of its own for Exchange's roles",
    unassessable="which mailboxes apps may read by roles that Exchange gives, beside the permissions in Entra",
    pull=pull,
)

"""Who may agree to what in the tenant: whether people may let apps in themselves, under which conditions, who is asked.

Three places, one record for each object. The two that are single objects get the id and type that Microsoft leaves out
of single answers, so that the next pull finds the same record again; everything else is as Microsoft wrote it.
Sources: learn.microsoft.com/graph/api/authorizationpolicy-get, …/permissiongrantpolicy-list,
…/adminconsentrequestpolicy-get (which the published metadata of some clouds lacks).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from m365audit.graph.failures import NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import with_members
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY, DIRECTORY_LIMITS, pages
from m365audit.graph.values import Ended, Page, Task

_TYPE: Final = "#microsoft.graph."


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all three; that a cloud has no workflow for asking administrators is no error.

    Raises:
        CollectionError: one of them could not be read; the others, read before, stand.
    """
    policies = client.sdk.policies
    answer = await client.send(policies.authorization_policy.to_get_request_information(), limits=DIRECTORY)
    yield _single(task, "authorizationPolicy", answer.body)
    info = policies.permission_grant_policies.to_get_request_information()
    source = "/policies/permissionGrantPolicies"
    async for page in pages(client, task, lambda _: info, source=source, sizes=ANY_SIZE):
        named = {"@odata.type": _TYPE + "permissionGrantPolicy"}
        yield replace(page, records=[with_members(record, named) for record in page.records])
    try:
        answer = await client.send(policies.admin_consent_request_policy.to_get_request_information(), limits=DIRECTORY)
    except NotFoundError:
        return
    yield _single(task, "adminConsentRequestPolicy", answer.body)


def _single(task: Task, name: str, body: bytes) -> Page:
    record = with_members(body, {"id": name, "@odata.type": _TYPE + name})
    return Page(task, [record], source=f"GET /policies/{name}")


COLLECTION: Final = Collection(
    name="policies",
    feeds=("policies",),
    kind="policies",
    permissions=(permissions.POLICIES, permissions.GRANT_POLICIES),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=DIRECTORY_LIMITS,
    unassessable="whether people may let apps in by themselves, and under which conditions",
    pull=pull,
)

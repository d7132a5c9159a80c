"""What the tenant rules: who may let apps in, under which conditions, who is asked, and what asks for a second factor.

Five places, one record for each object. Those that are single objects get the id and type that Microsoft leaves out of
single answers, so that the next pull finds the same record again; everything else is as Microsoft wrote it. Policies of
conditional access come last, with a record that says how many there are: a tenant without any is thus told from one
that was not asked.
Sources: learn.microsoft.com/graph/api/authorizationpolicy-get, …/permissiongrantpolicy-list,
…/adminconsentrequestpolicy-get (which the published metadata of some clouds lacks),
…/identitysecuritydefaultsenforcementpolicy-get, …/conditionalaccessroot-list-policies.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

from m365audit.graph.failures import CollectionError, NotFoundError
from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.composing import with_members
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY, DIRECTORY_LIMITS, pages
from m365audit.graph.values import Ended, Page, Task

_TYPE: Final = "#microsoft.graph."


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all five; that a cloud has no workflow for asking administrators, or a tenant not the licence, is no error.

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
    for name, single in (
        ("adminConsentRequestPolicy", policies.admin_consent_request_policy),
        ("identitySecurityDefaultsEnforcementPolicy", policies.identity_security_defaults_enforcement_policy),
    ):
        try:
            answer = await client.send(single.to_get_request_information(), limits=DIRECTORY)
        except NotFoundError:
            continue
        yield _single(task, name, answer.body)
    async for page in _conditional_access(client, task):
        yield page


async def _conditional_access(client: Client, task: Task) -> AsyncIterator[Page]:
    """Read the policies of conditional access; none, and no count of them, where the licence for them is missing."""
    info = client.sdk.identity.conditional_access.policies.to_get_request_information()
    source, named = "/identity/conditionalAccess/policies", {"@odata.type": _TYPE + "conditionalAccessPolicy"}
    found = 0
    try:
        async for page in pages(client, task, lambda _: info, source=source, sizes=ANY_SIZE):
            found += len(page.records)
            yield replace(page, records=[with_members(record, named) for record in page.records])
    except CollectionError as error:
        if error.reason != "licence":
            raise
        return
    count = {"policies@odata.count": str(found).encode()}
    record = with_members(b"{}", {"id": "conditionalAccess", "@odata.type": _TYPE + "conditionalAccessRoot", **count})
    yield Page(task, [record], source=f"GET {source}")


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
    unassessable="whether people may let apps in by themselves, and whether anything asks them for a second factor",
    pull=pull,
)

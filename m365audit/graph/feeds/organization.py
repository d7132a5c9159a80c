"""The tenant itself, as it describes itself: name, kind, country, domains. Whose data is looked at is said by it.

Source: learn.microsoft.com/graph/api/organization-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.organization.organization_request_builder import OrganizationRequestBuilder

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY_LIMITS, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

SELECTED: Final = (
    "id",
    "displayName",
    "tenantType",
    "countryLetterCode",
    "createdDateTime",
    "verifiedDomains",
    "assignedPlans",
    "privacyProfile",
)
"""No addresses and no names of contacts, but the one that the tenant itself names for questions about privacy."""


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read the one object there is.

    Raises:
        CollectionError: it was not read.
    """
    query = OrganizationRequestBuilder.OrganizationRequestBuilderGetQueryParameters(select=list(SELECTED))
    info = client.sdk.organization.to_get_request_information(RequestConfiguration(query_parameters=query))
    cost = resource_units("organization", selects=True)
    async for page in pages(client, task, lambda _: info, source="/organization", cost=cost, sizes=ANY_SIZE):
        yield page


COLLECTION: Final = Collection(
    name="organization",
    feeds=("organization",),
    kind="organization",
    permissions=(permissions.ORGANIZATION,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=DIRECTORY_LIMITS,
    unassessable="the tenant's own name, country and domains, by which its own apps are told from others'",
    pull=pull,
)

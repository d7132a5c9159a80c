"""Every app that the tenant knows, its own and others', and the permissions that each API there offers.

Never asks for the keys of all of them at once: ``keyCredentials`` in ``$select`` has a limit of its own (about 150
requests a minute), and a service principal's rarely matter; what an app registered here holds, `applications` reads.
``passwordCredentials`` has no such limit: ids and dates, never a secret. ``info`` has the privacy statement.
Source: learn.microsoft.com/graph/api/serviceprincipal-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.service_principals.service_principals_request_builder import ServicePrincipalsRequestBuilder

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import DIRECTORY_LIMITS, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

SELECTED: Final = (
    "id",
    "appId",
    "displayName",
    "appDisplayName",
    "appOwnerOrganizationId",
    "servicePrincipalType",
    "accountEnabled",
    "disabledByMicrosoftStatus",
    "appRoleAssignmentRequired",
    "verifiedPublisher",
    "servicePrincipalNames",
    "signInAudience",
    "applicationTemplateId",
    "createdDateTime",
    "homepage",
    "replyUrls",
    "info",
    "passwordCredentials",
    "tags",
    "appRoles",
    "oauth2PermissionScopes",
    "resourceSpecificApplicationPermissions",
)


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all of them.

    Raises:
        CollectionError: the listing was cut short.
    """

    def build(top: int) -> RequestInformation:
        query = ServicePrincipalsRequestBuilder.ServicePrincipalsRequestBuilderGetQueryParameters(
            select=list(SELECTED), top=top
        )
        return client.sdk.service_principals.to_get_request_information(RequestConfiguration(query_parameters=query))

    cost = resource_units("servicePrincipals", selects=True)
    async for page in pages(client, task, build, source="/servicePrincipals", cost=cost):
        yield page


COLLECTION: Final = Collection(
    name="service_principals",
    feeds=("service_principals",),
    kind="service_principals",
    permissions=(permissions.APPLICATIONS,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; pages of at most 999 (a larger one is refused: turbot/steampipe-plugin-azuread)",
    unassessable="which apps there are, who publishes them, and what the permissions in grants are called",
    pull=pull,
)

"""What apps may do in the name of people: one grant for everybody, or one for each person who agreed.

``scope`` is separated by blanks and often begins with one. ``clientId`` is a service principal's object id.
Source: learn.microsoft.com/graph/api/oauth2permissiongrant-list; large pages fail (a page of 600 works:
zerotrustassessment and AzureADAssessment).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.oauth2_permission_grants.oauth2_permission_grants_request_builder import (
    Oauth2PermissionGrantsRequestBuilder,
)

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import DIRECTORY_LIMITS, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

PAGES: Final = (600, 300, 100)


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all of them, those of single persons included.

    Raises:
        CollectionError: the listing was cut short.
    """

    def build(top: int) -> RequestInformation:
        query = Oauth2PermissionGrantsRequestBuilder.Oauth2PermissionGrantsRequestBuilderGetQueryParameters(top=top)
        return client.sdk.oauth2_permission_grants.to_get_request_information(
            RequestConfiguration(query_parameters=query)
        )

    cost = resource_units("oauth2PermissionGrants")
    async for page in pages(client, task, build, source="/oauth2PermissionGrants", cost=cost, sizes=PAGES):
        yield page


COLLECTION: Final = Collection(
    name="delegated_permission_grants",
    feeds=("delegated_permission_grants",),
    kind="delegated_permission_grants",
    permissions=(permissions.DIRECTORY,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; pages of {PAGES[0]}, because larger ones fail",
    unassessable="what apps may do in the name of people, and who let them",
    pull=pull,
)

"""The applications registered in the tenant, with the ends of their secrets and certificates and where they answer to.

Of an app that others registered only a service principal shows. ``requiredResourceAccess`` is what is asked for, never
what is granted. Credentials come in the listing itself (ids, names, dates; Graph never shows a secret): its pages of
999 stay far below the limit that asking for ``keyCredentials`` has.
Source: learn.microsoft.com/graph/api/application-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.applications.applications_request_builder import ApplicationsRequestBuilder

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import DIRECTORY_LIMITS, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

SELECTED: Final = (
    "id",
    "appId",
    "displayName",
    "createdDateTime",
    "publisherDomain",
    "verifiedPublisher",
    "signInAudience",
    "identifierUris",
    "requiredResourceAccess",
    "web",
    "spa",
    "publicClient",
    "isFallbackPublicClient",
    "tags",
    "keyCredentials",
    "passwordCredentials",
)


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all of them.

    Raises:
        CollectionError: the listing was cut short.
    """

    def build(top: int) -> RequestInformation:
        query = ApplicationsRequestBuilder.ApplicationsRequestBuilderGetQueryParameters(select=list(SELECTED), top=top)
        return client.sdk.applications.to_get_request_information(RequestConfiguration(query_parameters=query))

    cost = resource_units("applications", selects=True)
    async for page in pages(client, task, build, source="/applications", cost=cost):
        yield page


COLLECTION: Final = Collection(
    name="applications",
    feeds=("applications",),
    kind="applications",
    permissions=(permissions.APPLICATIONS,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; with keyCredentials selected about 150 requests a minute and tenant (same page)",
    unassessable="when secrets and certificates of the tenant's own apps end, and where those apps send answers",
    pull=pull,
)

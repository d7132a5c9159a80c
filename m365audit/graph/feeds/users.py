"""The people of the tenant: id and name, kind of account, what is known of their age. Nothing that they wrote or got.

``ageGroup`` and what goes with it come only when they are selected; null there means that nobody knows, not *adult*.
Source: learn.microsoft.com/graph/api/user-list, learn.microsoft.com/graph/api/resources/user.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.users.users_request_builder import UsersRequestBuilder

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import DIRECTORY_LIMITS, SIZES, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task

SELECTED: Final = (
    "id",
    "displayName",
    "userPrincipalName",
    "mail",
    "userType",
    "accountEnabled",
    "usageLocation",
    "ageGroup",
    "consentProvidedForMinor",
    "legalAgeGroupClassification",
)
"""As little of a person as the audit needs: an address is there because logs name people by it."""


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read all of them, guests included.

    Raises:
        CollectionError: the listing was cut short.
    """

    def build(top: int) -> RequestInformation:
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=list(SELECTED), top=top)
        return client.sdk.users.to_get_request_information(RequestConfiguration(query_parameters=query))

    cost = resource_units("users", selects=True)
    async for page in pages(client, task, build, source="/users", cost=cost):
        yield page


COLLECTION: Final = Collection(
    name="users",
    feeds=("users",),
    kind="users",
    permissions=(permissions.USERS,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=f"{DIRECTORY_LIMITS}; pages of at most {SIZES[0]}",
    unassessable="whose mailbox, calendar or chat an access reached, and whether that is a child's",
    pull=pull,
)

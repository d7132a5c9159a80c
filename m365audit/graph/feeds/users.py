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
from m365audit.graph.limits import MOST_COUNTED, resource_units
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
    """Read all of them, guests included; their number tells the throttle how large the tenant is.

    Counted is what was read so far: a request of its own for the number would tell no more, and needs no less right.

    Raises:
        CollectionError: the listing was cut short.
    """

    def build(top: int) -> RequestInformation:
        query = UsersRequestBuilder.UsersRequestBuilderGetQueryParameters(select=list(SELECTED), top=top)
        return client.sdk.users.to_get_request_information(RequestConfiguration(query_parameters=query))

    cost = resource_units("users", selects=True)
    seen: set[bytes] = set()  # after a dead link the first pages come again
    async for page in pages(client, task, build, source="/users", cost=cost):
        if len(seen) <= MOST_COUNTED:
            seen.update(page.records)
            client.note_users(len(seen))
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

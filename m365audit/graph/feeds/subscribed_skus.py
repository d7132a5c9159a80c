"""What the tenant has bought: products, their service plans, how many are enabled. Says which logs can exist at all.

Source: learn.microsoft.com/graph/api/subscribedsku-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from m365audit.graph.feeds import permissions
from m365audit.graph.feeds.collection import Client, Collection
from m365audit.graph.feeds.listing import ANY_SIZE, DIRECTORY_LIMITS, pages
from m365audit.graph.limits import resource_units
from m365audit.graph.values import Ended, Page, Task


async def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    """Read every product whole: ``servicePlans`` and ``prepaidUnits`` are what it is read for.

    Raises:
        CollectionError: the listing was cut short.
    """
    info = client.sdk.subscribed_skus.to_get_request_information()
    cost = resource_units("subscribedSkus")
    async for page in pages(client, task, lambda _: info, source="/subscribedSkus", cost=cost, sizes=ANY_SIZE):
        yield page


COLLECTION: Final = Collection(
    name="subscribed_skus",
    feeds=("subscribed_skus",),
    kind="subscribed_skus",
    permissions=(permissions.ORGANIZATION,),
    licence=(),
    window=None,
    reach=None,
    key="id",
    limits=DIRECTORY_LIMITS,
    unassessable="whether a log is missing because it was never bought, or for another reason",
    pull=pull,
)

"""Owns which service plans a tenant has: they decide how long Microsoft keeps a log, and which logs there are."""

from __future__ import annotations

from typing import Final

import msgspec

from m365audit.graph.client import TenantClient
from m365audit.graph.failures import CollectionError, SignInError

PREMIUM: Final = frozenset({"AAD_PREMIUM", "AAD_PREMIUM_P2"})
"""Plans with which Entra keeps sign-ins and audits for 30 days instead of 7, and hands out sign-ins at all."""

_COST: Final = 3
"""Resource units of ``subscribedSkus`` (learn.microsoft.com/graph/throttling-limits)."""


class _Plan(msgspec.Struct, rename="camel"):
    service_plan_name: str = ""
    provisioning_status: str = ""


class _Sku(msgspec.Struct, rename="camel"):
    capability_status: str = ""
    service_plans: list[_Plan] = []


class _Skus(msgspec.Struct):
    value: list[_Sku]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


async def service_plans(client: TenantClient) -> frozenset[str] | None:
    """Return the names of the service plans that the tenant may use; None when that cannot be known.

    Plans and not names of products, because one plan comes in many products.
    Source: learn.microsoft.com/graph/api/resources/subscribedsku.

    Raises:
        SignInError: the tenant lets nobody in any more.
    """
    try:
        answer = await client.send(
            client.sdk.subscribed_skus.to_get_request_information(), limits=["directory"], cost=_COST
        )
        page = msgspec.json.decode(answer.body, type=_Skus)
    except SignInError:
        raise
    except (CollectionError, msgspec.MsgspecError):
        return None
    if page.next_link is not None:  # Microsoft gives them all at once; of half of them nothing follows
        return None
    usable = [sku for sku in page.value if sku.capability_status in {"Enabled", "Warning"}]
    return frozenset(
        plan.service_plan_name
        for sku in usable
        for plan in sku.service_plans
        if plan.provisioning_status in {"Success", "PendingInput", "PendingActivation", ""}
    )

"""Sign-ins, one stream for each kind: ``GET /auditLogs/signIns`` of Graph's beta, for windows of ``createdDateTime``.

v1.0 shows interactive sign-ins of people only, and integrations sign in otherwise. The four kinds cannot be combined
in one filter, so each is a collection of its own with windows of its own.

Quirks: newest first; pages may be short or empty and are followed all the same; rows come minutes to hours late; a
record is told again when its risk changes. The IP address of a non-interactive sign-in is that of the first token.
Source: learn.microsoft.com/graph/api/signin-list, published metadata, microsoft-graph-docs #14196 and #16188.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.audit_logs.sign_ins.sign_ins_request_builder import SignInsRequestBuilder

from m365audit.graph.feeds.collection import PREMIUM, Answer, Client, Collection, Permission, Pull
from m365audit.graph.moments import literal
from m365audit.graph.paging import Listing
from m365audit.graph.splitting import read_listing
from m365audit.graph.values import Ended, Page, Task, Window

AUDIT_LOG: Final = Permission("graph", "AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da")
REPORT_LIMITS: Final = (
    "5 requests in 10 s per tenant and 122 over all tenants, shared by sign-ins, directory audits and provisioning; "
    "1,000 records a page (learn.microsoft.com/graph/throttling-limits)"
)

_Query = SignInsRequestBuilder.SignInsRequestBuilderGetQueryParameters


def _ask(event_type: str) -> Listing:
    async def ask(client: Client, window: Window | None, size: int) -> Answer:
        if window is None:
            raise ValueError("sign-ins are read in windows")
        configuration = RequestConfiguration(
            query_parameters=_Query(
                filter=f"createdDateTime ge {literal(window.begin)} and createdDateTime lt {literal(window.end)} "
                f"and signInEventTypes/any(t: t eq '{event_type}')",
                top=size,
            )
        )
        info = client.sdk.audit_logs.sign_ins.to_get_request_information(configuration)
        return await client.send(info, limits=("reports",), is_beta=True)

    return Listing("GET /auditLogs/signIns", ask, ("reports",))


def _pull(event_type: str) -> Pull:
    listing = _ask(event_type)

    def pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
        return read_listing(client, task, listing)

    return pull


def sign_ins(name: str, event_type: str, *, unassessable: str) -> Collection:
    """Return the collection of one kind of sign-ins.

    Args:
        name: of the collection, which is its feed's too.
        event_type: as Microsoft writes it in ``signInEventTypes``.
        unassessable: what cannot be said without it.
    """
    return Collection(
        name=name,
        feeds=(name,),
        kind="sign_ins",
        permissions=(AUDIT_LOG,),
        licence=PREMIUM,
        window=timedelta(days=1),
        reach=timedelta(days=30),
        key="id",
        limits=REPORT_LIMITS,
        unassessable=unassessable,
        pull=_pull(event_type),
    )

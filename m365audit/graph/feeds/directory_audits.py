"""Changes to the directory, grants among them: ``GET /auditLogs/directoryAudits`` of v1.0, by ``activityDateTime``.

No licence is needed; without Entra ID P1 Microsoft keeps 7 days instead of 30. ``createdDateTime`` is refused here.
Failed attempts are told too. Source: learn.microsoft.com/graph/api/directoryaudit-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.audit_logs.directory_audits.directory_audits_request_builder import (
    DirectoryAuditsRequestBuilder,
)

from m365audit.graph.feeds.collection import Answer, Client, Collection
from m365audit.graph.feeds.sign_ins import AUDIT_LOG, REPORT_LIMITS
from m365audit.graph.moments import literal
from m365audit.graph.paging import Listing
from m365audit.graph.splitting import read_listing
from m365audit.graph.values import Ended, Page, Task, Window

_Query = DirectoryAuditsRequestBuilder.DirectoryAuditsRequestBuilderGetQueryParameters


async def _ask(client: Client, window: Window | None, size: int) -> Answer:
    if window is None:
        raise ValueError("directory audits are read in windows")
    configuration = RequestConfiguration(
        query_parameters=_Query(
            filter=f"activityDateTime ge {literal(window.begin)} and activityDateTime lt {literal(window.end)}",
            top=size,
        )
    )
    info = client.sdk.audit_logs.directory_audits.to_get_request_information(configuration)
    return await client.send(info, limits=("reports",))


_LISTING: Final = Listing("GET /auditLogs/directoryAudits", _ask, ("reports",))


def _pull(client: Client, task: Task) -> AsyncIterator[Page | Ended]:
    return read_listing(client, task, _LISTING)


COLLECTION: Final = Collection(
    name="directory_audits",
    feeds=("directory_audits",),
    kind="directory_audits",
    permissions=(AUDIT_LOG,),
    licence=(),
    window=timedelta(days=1),
    reach=timedelta(days=30),
    key="id",
    limits=REPORT_LIMITS,
    unassessable="who granted which permission to which app and when, and who joined or left a group",
    pull=_pull,
    short_reach=timedelta(days=7),
)

"""SharePoint's and OneDrive's records of the unified audit log.

Path, permission, limits, key and quirks are those of all content of the Management Activity API: see ``management``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.management import management

COLLECTION: Final[Collection] = management(
    "audit_sharepoint",
    "Audit.SharePoint",
    feeds=("audit_sharepoint",),
    unassessable="which files in SharePoint and OneDrive were opened, changed or shared",
)

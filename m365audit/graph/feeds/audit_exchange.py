"""Exchange's records of the unified audit log, with every mail that was opened.

Path, permission, limits, key and quirks are those of all content of the Management Activity API: see ``management``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.management import management

COLLECTION: Final[Collection] = management(
    "audit_exchange",
    "Audit.Exchange",
    feeds=("audit_exchange",),
    unassessable="which mailboxes were opened, and which mail was read, sent or deleted",
)

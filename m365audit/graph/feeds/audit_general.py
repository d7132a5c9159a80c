"""Records of Teams and of every service that has no content of its own. Microsoft lists them together.

Path, permission, limits, key and quirks are those of all content of the Management Activity API: see ``management``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.management import management

COLLECTION: Final[Collection] = management(
    "audit_general",
    "Audit.General",
    feeds=("audit_teams", "audit_other"),
    unassessable="which chats, channel messages and meetings in Teams were read, and what other services did",
)

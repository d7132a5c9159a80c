"""Entra's records of the unified audit log.

Path, permission, limits, key and quirks are those of all content of the Management Activity API: see ``management``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.management import management

COLLECTION: Final[Collection] = management(
    "audit_entra",
    "Audit.AzureActiveDirectory",
    feeds=("audit_entra",),
    unassessable="who granted which permission to which app, as the unified audit log tells it",
)

"""Looks whether Graph activity logs arrive as files: hours in the folders that the configuration imports from.

Only names of files are read. Whether the tenant's diagnostic setting is on shows in nothing that Graph tells.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from m365audit.config import StandingImport

UNASSESSABLE: Final = "every single read through Microsoft Graph: calendars and chats show in no other log"
_HOUR: Final = re.compile(r"/y=(\d{4})/m=(\d{2})/d=(\d{2})/h=(\d{2})/m=\d{2}/[^/]+$")
_CONTAINER: Final = "insights-logs-microsoftgraphactivitylogs"
_MOST: Final = 200_000
_TODO: Final = (
    "make a diagnostic setting in Entra that sends MicrosoftGraphActivityLogs to a storage account, and import from it"
)


@dataclass(frozen=True, slots=True)
class HoursSeen:
    """What the folders show.

    Attributes:
        state: ``readable`` when there are hours, else ``unseen``.
        detail: how many, from when to when; or that there are none.
        todo: what to do, empty when there are.
        unassessable: what cannot be said without the log.
    """

    state: str
    detail: str
    todo: str = ""
    unassessable: str = UNASSESSABLE


def hours_seen(imports: Iterable[StandingImport]) -> HoursSeen:
    """Return the hours of Graph activity that standing imports hold; a missing folder counts as an empty one."""
    roots = [each.path for each in imports if each.kind == "graph_activity" or _CONTAINER in str(each.path).lower()]
    hours: set[str] = set()
    for root in roots:
        hours |= _hours(root)
    if hours:
        first, last = min(hours), max(hours)
        return HoursSeen("readable", f"{len(hours):,} hours in the imported folder, {first} to {last}")
    if roots:
        return HoursSeen("unseen", f"no hour of it is in {roots[0]}", _TODO)
    return HoursSeen("unseen", "no folder is imported from", _TODO)


def _hours(root: Path) -> set[str]:
    found: set[str] = set()
    looked_at = 0
    for folder, _, files in os.walk(root):
        for name in files:
            looked_at += 1
            hour = _HOUR.search(f"{folder}/{name}".replace(os.sep, "/").lower())
            if hour:
                found.add(f"{hour[1]}-{hour[2]}-{hour[3]}T{hour[4]}:00Z")
        if looked_at > _MOST:
            break
    return found

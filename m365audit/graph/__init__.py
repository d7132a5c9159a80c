"""The only room that knows Microsoft's services: signs in, asks, follows, waits, and yields what it read.

Must never store anything, judge anything, or write to a tenant. Importing it costs a second: only a command that
speaks to Microsoft does.
"""

from __future__ import annotations

from m365audit.graph.clouds import cloud_of
from m365audit.graph.collecting import Job, collect
from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.registry import COLLECTIONS
from m365audit.graph.planning import KnownWindow
from m365audit.graph.values import (
    ClockDiffers,
    Ended,
    Event,
    LinkRefused,
    Page,
    Planned,
    SignedIn,
    SignInFailed,
    Task,
    Waiting,
    Window,
)

__all__ = [
    "COLLECTIONS",
    "ClockDiffers",
    "Collection",
    "Ended",
    "Event",
    "Job",
    "KnownWindow",
    "LinkRefused",
    "Page",
    "Planned",
    "SignInFailed",
    "SignedIn",
    "Task",
    "Waiting",
    "Window",
    "cloud_of",
    "collect",
]

"""Interactive sign-ins: people who were asked for something themselves.

Path, permission, licence, limits, key and quirks are those of all sign-ins: see ``sign_ins``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.sign_ins import sign_ins

COLLECTION: Final[Collection] = sign_ins(
    "sign_ins_interactive",
    "interactiveUser",
    unassessable="who signed in to an app in person, from where, and with which second factor",
)

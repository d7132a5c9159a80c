"""Non-interactive sign-ins: tokens that an app got in a person's name with an earlier sign-in.

Path, permission, licence, limits, key and quirks are those of all sign-ins: see ``sign_ins``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.sign_ins import sign_ins

COLLECTION: Final[Collection] = sign_ins(
    "sign_ins_non_interactive",
    "nonInteractiveUser",
    unassessable="which apps used a person's earlier sign-in to get new tokens while nobody was asked",
)

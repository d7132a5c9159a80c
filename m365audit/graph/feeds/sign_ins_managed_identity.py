"""Sign-ins of managed identities: programs in Azure, whose secrets Microsoft keeps.

Path, permission, licence, limits, key and quirks are those of all sign-ins: see ``sign_ins``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.sign_ins import sign_ins

COLLECTION: Final[Collection] = sign_ins(
    "sign_ins_managed_identity",
    "managedIdentity",
    unassessable="whether programs that run in Azure signed in to read the tenant's data",
)

"""Sign-ins of service principals: integrations with a secret or a certificate of their own.

Path, permission, licence, limits, key and quirks are those of all sign-ins: see ``sign_ins``.
"""

from __future__ import annotations

from typing import Final

from m365audit.graph.feeds.collection import Collection
from m365audit.graph.feeds.sign_ins import sign_ins

COLLECTION: Final[Collection] = sign_ins(
    "sign_ins_service_principal",
    "servicePrincipal",
    unassessable="whether and from where an integration signed in with a secret or certificate of its own",
)

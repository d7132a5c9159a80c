"""Lists the collections there are, in the order in which they are told of. Must never decide which of them run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from m365audit.graph.feeds import (
    directory_audits,
    sign_ins_interactive,
    sign_ins_managed_identity,
    sign_ins_non_interactive,
    sign_ins_service_principal,
)
from m365audit.graph.feeds.collection import Collection

_LOGS: Final = (
    sign_ins_interactive.COLLECTION,
    sign_ins_non_interactive.COLLECTION,
    sign_ins_service_principal.COLLECTION,
    sign_ins_managed_identity.COLLECTION,
    directory_audits.COLLECTION,
)
_STATE: Final[tuple[Collection, ...]] = ()

COLLECTIONS: Final[Mapping[str, Collection]] = MappingProxyType({each.name: each for each in (*_LOGS, *_STATE)})
"""Name → collection."""

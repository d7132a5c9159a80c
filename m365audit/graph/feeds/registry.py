"""Lists the collections there are, in the order in which they are told of. Must never decide which of them run."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from m365audit.graph.feeds.collection import Collection

_LOGS: Final[tuple[Collection, ...]] = ()
_STATE: Final[tuple[Collection, ...]] = ()

COLLECTIONS: Final[Mapping[str, Collection]] = MappingProxyType({each.name: each for each in (*_LOGS, *_STATE)})
"""Name → collection."""

"""Rows that a person is given, without the other people in them. Must never let through whom it does not know.

Every mail address and every known user's id that is not the person's own is somebody else's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from m365audit.store.masks import IDENTIFYING, PERSONAL, Masks

SOMEBODY: Final = "[another person]"
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ADDRESS: Final = re.compile(r"[^\s\"'<>()\[\],;:=/\\|]+(?:@|%40)[\w.-]+\.\w+", re.IGNORECASE)
_NAMES: Final = frozenset({
    "member_name", "organizer_name", "actor_name", "user_name", "grantee", "member_id", "organizer_id", "actor_id",
    "user_id", "principal_id", "owners",
})  # fmt: skip
"""Columns that name a person and nothing else."""
_RESOURCE: Final = frozenset({"resource_name", "resource_id"})


class OtherPeople:
    """Who else may stand in a row.

    Args:
        own: the person whose rows these are.
        ids: object ids of every known user, in small letters.
    """

    def __init__(self, own: Masks, ids: Collection[str]) -> None:
        self._own = own
        self._own_values = {identifier.value.lower() for identifier in own.pairs}
        self._ids = frozenset(each.lower() for each in ids) - self._own_values

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row without them."""
        return {name: self._column(name, value) for name, value in row.items()}

    def _column(self, name: str, value: Any) -> Any:
        is_person = name in _NAMES or (name in _RESOURCE and isinstance(value, str) and _GUID.fullmatch(value) is None)
        if is_person and isinstance(value, str) and value and not self._own.has(value):
            return value if _GUID.fullmatch(value) and value.lower() not in self._ids else SOMEBODY
        return self.value(value)

    def value(self, value: Any) -> Any:
        """Return any plain value without them."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            is_other = self._is_about_another(value)
            return {
                key: SOMEBODY if is_other and inner and str(key).lower() in PERSONAL else self.value(inner)
                for key, inner in value.items()
            }
        return value

    def _is_about_another(self, value: Mapping[Any, Any]) -> bool:
        texts = [v for k, v in value.items() if str(k).lower() in IDENTIFYING and isinstance(v, str)]
        if any(text.lower() in self._own_values for text in texts):
            return False
        return any(text.lower() in self._ids or _ADDRESS.fullmatch(text) for text in texts)

    def _text(self, text: str) -> str:
        if text[:1] in ("{", "["):
            try:
                return json.dumps(self.value(json.loads(text)), ensure_ascii=False)
            except (ValueError, RecursionError):
                pass
        text = _GUID.sub(lambda found: SOMEBODY if found.group().lower() in self._ids else found.group(), text)
        return _ADDRESS.sub(lambda found: found.group() if self._own.has(found.group()) else SOMEBODY, text)

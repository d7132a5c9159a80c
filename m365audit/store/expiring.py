"""Lines of evidence that are too old to keep, or to keep their addresses; for the files that hold them.

A line's own time decides; a line without one stays. Reads no database.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from m365audit.store.addresses import truncated_in

_WHEN: Final = re.compile(
    r'\\?"+(?:createdDateTime|activityDateTime|CreationTime|startDateTime|timeGenerated|time)\\?"+\s*:\s*'
    r'\\?"+(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)'
)
_ANY: Final = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)")


@dataclass(frozen=True, slots=True)
class Expired:
    """What is too old: looks like masks to who rewrites files.

    Attributes:
        logs_before: lines of earlier events go.
        addresses_before: in lines of earlier events addresses are cut.
    """

    logs_before: datetime
    addresses_before: datetime

    @property
    def needles(self) -> tuple[str, ...]:
        """Nothing: time is no spelling."""
        return ()

    def has(self, text: str) -> bool:
        """Say whether a text may hold something too old."""
        return any(self._is_old(found.group(1)) for found in _ANY.finditer(text))

    def text(self, text: str) -> str:
        """Return names of files as they are."""
        return text

    def document(self, text: str) -> str:
        """Return a line or document without what is too old."""
        body = text.lstrip()
        if body[:1] in {"{", "["} and ('"value"' in body[:4096] or body[:1] == "["):
            try:
                return self._page(text)
            except (ValueError, RecursionError):
                pass
        return self._line(text)

    def _page(self, text: str) -> str:
        value = json.loads(text)
        listed = value.get("value") if isinstance(value, dict) else value
        if not isinstance(listed, list):
            return self._line(text)
        lines = [json.dumps(each, ensure_ascii=False) for each in listed]
        kept = [after for line in lines if (after := self._line(line))]
        if kept == lines:
            return text
        records: list[Any] = [json.loads(line) for line in kept]
        whole = {**value, "value": records} if isinstance(value, dict) else records
        return json.dumps(whole, ensure_ascii=False)

    def _line(self, line: str) -> str:
        found = _WHEN.search(line) or _ANY.search(line)
        moment = _moment(found.group(1)) if found else None
        if moment is None or moment >= max(self.logs_before, self.addresses_before):
            return line
        if moment < self.logs_before:
            return ""
        return truncated_in(line) if moment < self.addresses_before else line

    def _is_old(self, text: str) -> bool:
        moment = _moment(text)
        return moment is not None and moment < max(self.logs_before, self.addresses_before)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None

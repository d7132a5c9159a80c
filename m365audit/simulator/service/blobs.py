"""Owns content blobs: which records of the audit log lie in one, when it came, when it goes. Must never serve one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from m365audit.simulator.served import ServedAudit, ServedTenant

KEPT: Final = timedelta(days=7)


@dataclass(slots=True)
class Blob:
    """One content blob.

    Attributes:
        id: content id.
        content_type: what it holds.
        created_at: when it became available.
        audits: its records.
    """

    id: str
    content_type: str
    created_at: datetime
    audits: list[ServedAudit]

    @property
    def expires_at(self) -> datetime:
        """When Microsoft forgets it."""
        return self.created_at + KEPT


class Blobs:
    """The blobs of each tenant, made anew when its audit log has grown."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, dict[str, Blob]]] = {}

    def of(self, tenant: ServedTenant) -> dict[str, Blob]:
        """Return the tenant's blobs by content id, in order of arrival."""
        size, blobs = self._known.get(tenant.id, (-1, {}))
        if size != len(tenant.audit):
            size, blobs = len(tenant.audit), _blobs(tenant)
            self._known[tenant.id] = size, blobs
        return blobs


def _blobs(tenant: ServedTenant) -> dict[str, Blob]:
    grouped: dict[tuple[datetime, str, str], list[ServedAudit]] = {}
    for audit in tenant.audit:
        grouped.setdefault((audit.arrived_at, audit.content_type, audit.blob), []).append(audit)
    found: dict[str, Blob] = {}
    for number, (key, audits) in enumerate(sorted(grouped.items(), key=lambda item: item[0])):
        at, content_type, _ = key
        name = content_type.lower().replace(".", "_")
        content_id = f"{at:%Y%m%d%H%M%S}{number:09d}${at:%Y%m%d%H%M%S}{number:09d}${name}$simulated"
        found[content_id] = Blob(content_id, content_type, at, audits)
    return found

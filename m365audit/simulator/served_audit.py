"""Owns the unified audit log as it arrives: in blobs by content type, late, out of order and now and then twice.

Must never add a record, nor decide what an audited operation deserves.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from m365audit.simulator.diary import BEGIN, OBSERVED, Diary
from m365audit.simulator.everyday import audit_records, belated, everyday_records
from m365audit.simulator.people import Tenant
from m365audit.simulator.served import CONTENT_TYPES, Record, ServedAudit

_SLOT = timedelta(minutes=30)
_LATE = timedelta(hours=20)
_LATEST_QUIET = OBSERVED - timedelta(hours=2)
_ONE_LATE_IN, _ONE_TWICE_IN = 17, 13


def audit_log(diary: Diary) -> list[ServedAudit]:
    """Return the tenant's unified audit log, with the time at which each record becomes available.

    Most arrive 60 to 90 minutes after the event; of the story's one in seventeen comes after 20 hours, so that newer
    blobs hold older events; one in thirteen arrives again half an hour later. What the story judges is all there at
    ``OBSERVED``; a few records of the last day come in the hours after it (see `late_ids`).
    """
    late = set().union(*late_ids(diary.tenant).values())
    punctual = {record["Id"] for record in everyday_records(diary)}
    served: list[ServedAudit] = []
    for number, record in enumerate(audit_records(diary), start=1):
        if record["Id"] in late:
            served.append(_in_blob(record, OBSERVED + timedelta(hours=3 + number % 3)))
            continue
        arrival = _arrival(record, is_late=number % _ONE_LATE_IN == 0 and record["Id"] not in punctual, extra=number)
        served.append(_in_blob(record, arrival))
        if number % _ONE_TWICE_IN == 0:
            served.append(_in_blob(record, min(arrival + timedelta(minutes=30), OBSERVED), "again"))
    return sorted(served, key=lambda a: (a.arrived_at, a.content_type, a.record["Id"]))


def late_ids(tenant: Tenant) -> dict[str, frozenset[str]]:
    """Return the ids of what arrives after the first collection and before the second, by feed."""
    return {
        feed: frozenset(record["Id"] for record in belated(tenant) if record["Workload"] == workload)
        for workload, feed in (("AzureActiveDirectory", "audit_entra"), ("SharePoint", "audit_sharepoint"))
    }


def _arrival(record: Record, *, is_late: bool, extra: int) -> datetime:
    """Return the end of the half hour in which the record arrives."""
    when = datetime.fromisoformat(record["CreationTime"] + "+00:00")
    wait = _LATE if is_late and when + _LATE <= _LATEST_QUIET else timedelta(minutes=60 + extra * 7 % 30)
    slots = -((BEGIN - when - wait) // _SLOT)
    return BEGIN + slots * _SLOT


def _in_blob(record: Record, arrival: datetime, blob: str = "") -> ServedAudit:
    return ServedAudit(CONTENT_TYPES[record["Workload"]], arrival, record, blob)

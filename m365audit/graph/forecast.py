"""How much a tenant will probably ask of the identity reports, by what its ledger says it had. Only orders the work."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from m365audit.graph.planning import KnownWindow

REPORTS: Final = "reports"
"""The limit that a fleet stands before; who needs most of it has to begin first."""

_PAGE: Final = 1_000
_DAY: Final = timedelta(days=1)


def expected_reports(known: Iterable[KnownWindow], now: datetime) -> float:
    """Return the requests that sign-ins and directory audits will probably take from where the ledger ends until now.

    Zero when nothing was read yet: then nobody can know.
    """
    read = [
        row for row in known if row.records is not None and row.collection.startswith(("sign_ins_", "directory_audits"))
    ]
    covered = sum((row.window.end - row.window.begin for row in read), timedelta())
    if not covered:
        return 0.0
    collections = len({row.collection for row in read})
    newest = max(row.window.end for row in read)
    days = max(1.0, (now - newest) / _DAY)
    pages_a_day = sum(row.records or 0 for row in read) / _PAGE / (covered / _DAY) * collections
    return days * (pages_a_day + collections)

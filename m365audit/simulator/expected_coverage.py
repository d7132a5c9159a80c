"""Owns what must be known to have been seen of each log, collected live, and what must be known to be missing.

Must never look at what was collected.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from m365audit.simulator.diary import BEGIN, END, OBSERVED, at
from m365audit.simulator.people import CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID
from m365audit.simulator.truth import ExpectedCoverage

COLLECTED_AT: Final = (OBSERVED, OBSERVED + timedelta(hours=25), OBSERVED + timedelta(hours=50))
"""When the demo collects: everything; then again, when it is settled; and once more for what still came in between."""

_SIGN_INS = (
    "sign_ins_interactive",
    "sign_ins_non_interactive",
    "sign_ins_service_principal",
    "sign_ins_managed_identity",
)
_AUDITS = ("audit_exchange", "audit_sharepoint", "audit_teams", "audit_entra", "audit_other")
_LATE = ("audit_entra", "audit_sharepoint")
_ALL = (CONTOSO_ID, FABRIKAM_ID, TAILSPIN_ID)
_GAPS: Final = {
    **{(FABRIKAM_ID, feed): ("licence", "Entra P1 lapsed on 14 September") for feed in _SIGN_INS},
    **{(TAILSPIN_ID, feed): ("disabled", "unified auditing is off") for feed in _AUDITS},
    (FABRIKAM_ID, "call_records"): ("permission", "the auditor may not read who called whom"),
    (TAILSPIN_ID, "call_records"): ("permission", "the auditor may not read who called whom"),
}

NEVER_SEEN: Final = frozenset({*_GAPS, (TAILSPIN_ID, "groups")})
"""Tenant and feed of what exists, and is not shown to the auditor."""


def coverage(*, collections: int) -> tuple[ExpectedCoverage, ...]:
    """Return what the fortnight's coverage must be after the first, second or third collection."""
    feeds = (*_SIGN_INS, *_AUDITS, "call_records")
    told = [_whole(tenant, feed, collections) for tenant in _ALL for feed in feeds]
    return (
        *(row for rows in told for row in rows),
        *_directory_audits(collections),
        *_graph_activity(),
    )


def _whole(tenant: str, feed: str, collections: int) -> Iterator[ExpectedCoverage]:
    if (tenant, feed) in _GAPS:
        reason, why = _GAPS[tenant, feed]
        yield ExpectedCoverage(tenant, feed, BEGIN, END, "gap", reason, why)
        return
    state = "provisional" if collections == 1 else "complete"
    if feed not in _LATE or collections == 1:
        yield ExpectedCoverage(tenant, feed, BEGIN, END, state, "", "was read, and read again when it was settled")
        return
    yield ExpectedCoverage(tenant, feed, BEGIN, at(13), "complete", "", "was read twice alike")
    last = "provisional" if collections == 2 else "complete"  # noqa: PLR2004  # the second reading
    yield ExpectedCoverage(tenant, feed, at(14, 12), at(14, 17), last, "", "something came in between two readings")


def _directory_audits(collections: int) -> Iterator[ExpectedCoverage]:
    feed, state = "directory_audits", "provisional" if collections == 1 else "complete"
    for tenant in (CONTOSO_ID, TAILSPIN_ID):
        yield ExpectedCoverage(tenant, feed, BEGIN, END, state, "", "was read, and read again when it was settled")
    yield ExpectedCoverage(FABRIKAM_ID, feed, BEGIN, at(7), "gap", "expired", "without Entra P1 seven days are kept")
    yield ExpectedCoverage(FABRIKAM_ID, feed, at(10), END, state, "", "the last seven days are there")


def _graph_activity() -> Iterator[ExpectedCoverage]:
    feed = "graph_activity"
    for tenant in (CONTOSO_ID, FABRIKAM_ID):
        yield ExpectedCoverage(tenant, feed, BEGIN, END, "complete", "", "every hour was exported")
    yield ExpectedCoverage(TAILSPIN_ID, feed, at(6), at(9), "gap", "", "nothing was exported in these three days")

"""Writes how collection goes on as log lines: few, however many windows there are.

A line for each tenant that lets the auditor in or does not, for each kind of gap when it is met first, for a long wait,
one now and then for all together, and at the end one for each tenant. ``M365AUDIT_LOG=debug`` writes every step.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from m365audit import log
from m365audit.cli.streams import let_go

if TYPE_CHECKING:
    from m365audit.cli.gathering import Course
    from m365audit.pipeline import Step

_LONG_WAIT: Final = 60.0
"""Seconds from which one wait is worth a line; shorter ones are told as a sum."""
_EVERY: Final = 30.0
"""Seconds between two lines about all together."""


class GatheringLog:
    """The course in a log."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._told_gaps: set[tuple[str, str]] = set()
        self._summed_at = course.began

    def tell(self, step: Step) -> None:
        """Write what an operator wants to read later at ``info``, everything else at ``debug``."""
        facts: dict[str, object] = {"tenant": step.tenant}
        if step.collection:
            facts |= {"collection": step.collection, "done": step.done, "total": step.total, "records": step.records}
        facts |= {"seconds": round(step.seconds, 1)} if step.state == "waiting" else {}
        facts |= {"detail": step.detail} if step.detail else {}
        self._log("info" if self._is_news(step) else "debug", step.state, facts)
        if time.monotonic() - self._summed_at >= _EVERY:
            self._summed_at = time.monotonic()
            self._log("info", "collecting", dict(self._course.totals()))

    def _is_news(self, step: Step) -> bool:
        if step.state == "gap":
            kind = (step.tenant, step.detail)
            is_first = kind not in self._told_gaps and step.tenant not in self._course.refused
            self._told_gaps.add(kind)
            return is_first
        return step.state in {"signed_in", "refused"} or (step.state == "waiting" and step.seconds >= _LONG_WAIT)

    def close(self) -> None:
        """Write a line for each tenant: what was read of it, and of which collections something was not seen."""
        for tenant in self._course.tenants:
            rows = {name: row for (of, name), row in self._course.rows.items() if of == tenant}
            facts: dict[str, object] = {
                "tenant": tenant,
                "done": sum(row.step.done for row in rows.values()),
                "total": sum(row.step.total for row in rows.values()),
                "records": sum(row.step.records for row in rows.values()),
                "gaps": {name: row.gaps for name, row in rows.items() if row.gaps},
                "waited": round(self._course.waited.get(tenant, 0)),
            }
            if tenant not in self._course.refused:
                self._log("info", "collected", facts)

    def _log(self, level: str, event: str, facts: dict[str, object]) -> None:
        try:
            getattr(log.get_logger(), level)(event, **facts)
        except BrokenPipeError:
            let_go(2)

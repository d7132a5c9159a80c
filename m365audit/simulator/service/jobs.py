"""Owns the audit queries that were made: each POST one more, a status that moves on with every look."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from m365audit.simulator.served import Record, ServedTenant
from m365audit.simulator.service.calls import RefusedError, graph_error


@dataclass(slots=True)
class Job:
    """One audit query.

    Attributes:
        id: its id.
        body: what was asked for.
        records: what it will return.
        is_capped: there was more.
        polls: how often it was looked at.
        ends: status it comes to.
    """

    id: str
    tenant: str
    body: dict[str, Any]
    records: list[Record]
    is_capped: bool
    made_at: str
    polls: int = 0
    ends: str = "succeeded"


@dataclass(slots=True)
class Jobs:
    """The audit queries of a simulator."""

    made: dict[str, Job] = field(default_factory=dict)

    def of(self, tenant: ServedTenant, job_id: str) -> Job:
        """Return a tenant's query.

        Raises:
            RefusedError: there is none.
        """
        job = self.made.get(job_id)
        if job is None or job.tenant != tenant.id:
            raise RefusedError(graph_error(404, "UnknownError", "The audit log query was not found."))
        return job


def status(job: Job, tenant: ServedTenant) -> str:
    """Return the status of a query, by the number of times it was looked at."""
    if job.polls >= tenant.polls_to_finish:
        return job.ends
    return "running" if job.polls else "notStarted"

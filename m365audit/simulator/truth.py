"""Owns the words in which the demo's world says what an audit of it must find. Must never compute a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """The verdict that one access event must get, declared by whoever wrote the event."""

    verdict: str
    reasons: tuple[str, ...] = ()


WITHIN = Expected("within")
OUT_OF_SCOPE = Expected("out_of_scope")
NO_RECORD = Expected("outside", ("no_record",))


def outside(*reasons: str) -> Expected:
    """Return the expectation ``outside`` with its reasons in the order of verdicts.md."""
    return Expected("outside", reasons)


def not_assessable(*reasons: str) -> Expected:
    """Return the expectation ``not_assessable`` with its reasons in the order of verdicts.md."""
    return Expected("not_assessable", reasons)


@dataclass(frozen=True, slots=True)
class VerdictCount:
    """How many access events of one app must get one verdict; ``app_id`` None means that the log names no app."""

    tenant_id: str
    feed: str
    app_id: str | None
    verdict: str
    reasons: tuple[str, ...]
    events: int


@dataclass(frozen=True, slots=True)
class ExpectedFinding:
    """A finding that must be there (or, in ``Truth.quiet``, must not be).

    Attributes:
        rule: the rule's id; ``*`` in ``Truth.quiet`` means every rule.
        subject: what the finding's columns or subject must contain, e.g. ``{"app_id": …, "workload": "mail"}``.
        why: what happened, in a sentence.
    """

    tenant_id: str
    rule: str
    subject: Mapping[str, str]
    why: str


@dataclass(frozen=True, slots=True)
class ExpectedCoverage:
    """What must be known to have been seen, or not, of one log in one interval.

    Attributes:
        begin: first moment; the interval says nothing of what lies around it.
        end: first moment after it.
        state: complete, provisional or gap.
        reason: why, where it is a gap; empty where any reason will do.
        why: what happened, in a sentence.
    """

    tenant_id: str
    feed: str
    begin: datetime
    end: datetime
    state: str
    reason: str
    why: str


@dataclass(frozen=True, slots=True)
class Truth:
    """Everything an audit of the written world must come to.

    Attributes:
        verdicts: counts of distinct access events.
        findings: findings that must be open; others may be too.
        quiet: findings that must not be there.
        lines: lines or records written, by tenant id and feed, duplicates included.
        sign_ins: distinct sign-ins by tenant id and feed.
        directory_changes: distinct audit events of the directory by tenant id.
        coverage: what was seen of each log, after the collections that ``World.clock`` names; empty for exports.
        ids: ids of the records to be collected, by tenant id and feed; empty for exports.
    """

    verdicts: tuple[VerdictCount, ...]
    findings: tuple[ExpectedFinding, ...]
    quiet: tuple[ExpectedFinding, ...]
    lines: Mapping[tuple[str, str], int]
    sign_ins: Mapping[tuple[str, str], int]
    directory_changes: Mapping[str, int]
    coverage: tuple[ExpectedCoverage, ...] = ()
    ids: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)

    def count(self, **wanted: object) -> int:
        """Return how many access events are expected, restricted by fields of ``VerdictCount``."""
        return sum(v.events for v in self.verdicts if all(getattr(v, k) == w for k, w in wanted.items()))

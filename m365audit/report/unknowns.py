"""Owns the values of what is not known, with its reasons; part of the document, no words, no layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from m365audit.report.use import Judgement


@dataclass(frozen=True, slots=True)
class Unknown:
    """One kind of thing that is not known, how often, and the section that lists it.

    ``code`` is stable; ``count`` counts ``what``; ``section`` is an anchor of the document.
    """

    code: str
    count: int
    what: str
    section: str


@dataclass(frozen=True, slots=True)
class NotJudged:
    """A tenant whose events were not judged, and why."""

    tenant_id: str
    tenant_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class RuleNotEvaluated:
    """A rule that gave no answer. ``outcome``: not_evaluated or error."""

    tenant_id: str
    tenant_name: str
    rule: str
    outcome: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class UnmappedCall:
    """A kind of call that the catalogue does not know, so that nobody can say what it touched."""

    tenant_id: str
    tenant_name: str
    feed: str
    method: str | None
    shape: str | None
    calls: int
    first_at: datetime | None
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class FileTrouble:
    """A file of evidence that was refused, or taken in only partly."""

    tenant_id: str
    tenant_name: str
    path: str
    kind: str | None
    outcome: str
    message: str | None


@dataclass(frozen=True, slots=True)
class QuarantineGroup:
    """Records of one file that could not be taken in for the same reason."""

    tenant_id: str
    tenant_name: str
    path: str
    reason: str
    records: int
    first_record: int | None
    first_line: int | None


@dataclass(frozen=True, slots=True)
class NotAssessable:
    """Everything that could not be answered, with its reasons; lists are bounded, totals are not."""

    judgements: tuple[Judgement, ...]
    judgements_total: int
    rules: tuple[RuleNotEvaluated, ...]
    unmapped: tuple[UnmappedCall, ...]
    unmapped_total: int
    unmapped_kinds: int
    files: tuple[FileTrouble, ...]
    files_total: int
    quarantine: tuple[QuarantineGroup, ...]
    quarantine_total: int
    quarantine_groups: int

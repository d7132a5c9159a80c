"""Owns the lists of what could not be answered and why: uses, checks, calls, files, records."""

from __future__ import annotations

from m365audit.report.rows import Reader, Row, TenantNames, count, maybe_count, moment, text, total, words
from m365audit.report.unknowns import FileTrouble, NotAssessable, QuarantineGroup, RuleNotEvaluated, UnmappedCall
from m365audit.report.use_rows import Judgements

_LIST = 200


def build_not_assessable(reader: Reader, names: TenantNames, judgements: Judgements) -> NotAssessable:
    """Return everything that could not be answered; lists are bounded, totals are not."""
    files = reader.rows("report-source-troubles", limit=_LIST)
    quarantine = reader.rows("report-quarantine", limit=_LIST)
    unmapped = reader.rows("report-unmapped", limit=_LIST)
    rules = (
        RuleNotEvaluated(*names.of(row), words(row, "rule"), words(row, "outcome"), text(row, "reason"))
        for row in reader.rows("report-rules")
        if row["outcome"] not in ("findings", "clean")
    )
    return NotAssessable(
        judgements=judgements.listed,
        judgements_total=judgements.total,
        rules=tuple(rules),
        unmapped=tuple(unmapped_call(row, names) for row in unmapped),
        unmapped_total=total(unmapped),
        unmapped_kinds=total(unmapped, "kinds"),
        files=tuple(file_trouble(row, names) for row in files),
        files_total=total(files),
        quarantine=tuple(quarantine_group(row, names) for row in quarantine),
        quarantine_total=total(quarantine),
        quarantine_groups=total(quarantine, "groups"),
    )


def unmapped_call(row: Row, names: TenantNames) -> UnmappedCall:
    """Return one kind of call that the catalogue does not know."""
    return UnmappedCall(
        *names.of(row),
        feed=words(row, "feed"),
        method=text(row, "method"),
        shape=text(row, "shape"),
        calls=count(row, "calls"),
        first_at=moment(row, "first_at"),
        last_at=moment(row, "last_at"),
    )


def file_trouble(row: Row, names: TenantNames) -> FileTrouble:
    """Return one file that was refused or cut short."""
    return FileTrouble(
        *names.of(row), words(row, "path"), text(row, "kind"), words(row, "outcome"), text(row, "message")
    )


def quarantine_group(row: Row, names: TenantNames) -> QuarantineGroup:
    """Return records of one file that were kept aside for one reason."""
    return QuarantineGroup(
        *names.of(row),
        path=words(row, "path"),
        reason=words(row, "reason"),
        records=count(row, "records"),
        first_record=maybe_count(row, "first_record"),
        first_line=maybe_count(row, "first_line"),
    )

"""Owns the rows of the records of processing (GDPR Art. 30): what was agreed, and beside it what the evidence shows.

Nothing that was observed is ever written into a column of what was agreed, and what no record says stays open: a person
must write it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from m365audit.report.rows import Row, TenantNames, count, moment, text, texts, words

_WORST: Final = ("complete", "provisional", "gap")


@dataclass(frozen=True, slots=True)
class ControllerRow:
    """One process as the controller's record has it, Art. 30(1); None where the consent record does not say.

    ``differs_from_observation``: yes, no, unknown. ``differs_in``: use, permission, country, publisher, owner.
    ``data_protection_officer``, ``security_measures`` and ``dpia`` are never known here: columns to fill in.
    """

    tenant_id: str
    tenant_name: str
    controller: str | None
    data_protection_officer: None
    purpose: str | None
    legal_basis: str | None
    data_subjects: tuple[str, ...] | None
    data_categories: tuple[str, ...] | None
    recipients: tuple[str, ...] | None
    transfers: tuple[str, ...] | None
    retention: str | None
    security_measures: None
    dpia: None
    processor: str | None
    integration_name: str | None
    workload: str
    operations: tuple[str, ...]
    permissions: tuple[str, ...]
    regions: tuple[str, ...] | None
    record: str
    process: str
    policy_version: str | None
    effective_from: datetime | None
    effective_until: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    observed_permissions: tuple[str, ...]
    observed_operations: tuple[str, ...]
    observed_countries: tuple[str, ...]
    observed_publishers: tuple[str, ...]
    observed_owners: tuple[str, ...]
    observed_uses: int | None
    observed_outside: int | None
    observed_first_at: datetime | None
    observed_last_at: datetime | None
    observed_coverage: str | None
    differs_from_observation: str
    differs_in: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessorRow:
    """What one processor does for one controller, Art. 30(2)."""

    processor: str | None
    tenant_id: str
    tenant_name: str
    controller: str | None
    data_protection_officer: None
    categories_of_processing: tuple[str, ...]
    transfers: tuple[str, ...] | None
    security_measures: None
    records: tuple[str, ...]
    observed_countries: tuple[str, ...]
    observed_owners: tuple[str, ...]
    observed_uses: int | None
    observed_outside: int | None
    observed_coverage: str | None
    differs_from_observation: str
    differs_in: tuple[str, ...]


def controller_row(row: Row, names: TenantNames) -> ControllerRow:
    """Return one process with what was observed of it."""
    tenant, name = names.of(row)
    looked = row["observed_coverage"] is not None
    return ControllerRow(
        tenant_id=tenant,
        tenant_name=name,
        controller=text(row, "controller"),
        data_protection_officer=None,
        purpose=text(row, "purpose"),
        legal_basis=text(row, "legal_basis"),
        data_subjects=_maybe(row, "data_subjects"),
        data_categories=_maybe(row, "data_categories"),
        recipients=_maybe(row, "recipients"),
        transfers=_maybe(row, "transfers") or None,
        retention=text(row, "retention"),
        security_measures=None,
        dpia=None,
        processor=text(row, "processor"),
        integration_name=text(row, "integration_name"),
        workload=words(row, "workload"),
        operations=texts(row, "operations"),
        permissions=texts(row, "permissions"),
        regions=_maybe(row, "regions"),
        record=words(row, "record"),
        process=words(row, "process"),
        policy_version=text(row, "policy_version"),
        effective_from=moment(row, "effective_from"),
        effective_until=moment(row, "effective_until"),
        ended_at=moment(row, "ended_at"),
        ended_by=text(row, "ended_by"),
        observed_permissions=texts(row, "observed_permissions"),
        observed_operations=texts(row, "observed_operations"),
        observed_countries=texts(row, "observed_countries"),
        observed_publishers=texts(row, "observed_publishers"),
        observed_owners=texts(row, "observed_owners"),
        observed_uses=count(row, "observed_uses") if looked else None,
        observed_outside=count(row, "observed_outside") if looked else None,
        observed_first_at=moment(row, "observed_first_at"),
        observed_last_at=moment(row, "observed_last_at"),
        observed_coverage=text(row, "observed_coverage"),
        differs_from_observation=words(row, "differs"),
        differs_in=texts(row, "differs_in"),
    )


def _maybe(row: Row, name: str) -> tuple[str, ...] | None:
    return None if row[name] is None else texts(row, name)


def processor_rows(processes: Iterable[ControllerRow]) -> Iterator[ProcessorRow]:
    """Yield one row per controller and processor, from the controllers' rows."""
    rows = sorted(processes, key=_parties)
    for _, group in groupby(rows, key=_parties):
        yield _processor_row(tuple(group))


def _parties(row: ControllerRow) -> tuple[str, str, str]:
    return row.tenant_id, row.processor or "", row.controller or ""


def _processor_row(rows: tuple[ControllerRow, ...]) -> ProcessorRow:
    first = rows[0]
    answers = {row.differs_from_observation for row in rows}
    coverage = [row.observed_coverage for row in rows if row.observed_coverage is not None]
    # One kind of data can be in several processes of one record: its uses count once.
    uses = {(row.record, row.workload): row for row in rows if row.observed_uses is not None}.values()
    return ProcessorRow(
        processor=first.processor,
        tenant_id=first.tenant_id,
        tenant_name=first.tenant_name,
        controller=first.controller,
        data_protection_officer=None,
        categories_of_processing=_joined(f"{row.workload}: {', '.join(row.operations)}" for row in rows),
        transfers=_joined(item for row in rows for item in row.transfers or ()) or None,
        security_measures=None,
        records=_joined(row.record for row in rows),
        observed_countries=_joined(item for row in rows for item in row.observed_countries),
        observed_owners=_joined(item for row in rows for item in row.observed_owners),
        observed_uses=sum(row.observed_uses or 0 for row in uses) if uses else None,
        observed_outside=sum(row.observed_outside or 0 for row in uses) if uses else None,
        observed_coverage=max(coverage, key=_badness, default=None),
        differs_from_observation="yes" if "yes" in answers else "unknown" if "unknown" in answers else "no",
        differs_in=_joined(item for row in rows for item in row.differs_in),
    )


def _badness(coverage: str) -> int:
    return _WORST.index(coverage) if coverage in _WORST else len(_WORST)


def _joined(items: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(items))

"""The register for people: its state at a date, and what a check found. Returns plain data and text; prints nothing."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from m365audit.config.durations import DurationError, TimeError, iso, parse_time
from m365audit.errors import ConfigurationError
from m365audit.model import Problem
from m365audit.register.document import ConsentRecord
from m365audit.register.processes import ResourceList
from m365audit.register.reading import Register
from m365audit.register.state import (
    compared_version,
    declared,
    ending_of,
    in_force_at,
    period_reason_at,
    process_names,
    versions,
)

_REASONS = {
    "before_start": "not begun",
    "invalidated": "invalidated: never valid",
    "after_withdrawal": "withdrawn or revoked",
    "after_expiry": "expired, or dropped by a later version",
}


def parse_at(text: str) -> datetime:
    """Return the time that ``--at`` means; a day alone means its first moment in UTC.

    Raises:
        ConfigurationError: the text is neither a day nor a time with zone.
    """
    is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is not None
    try:
        return parse_time(f"{text}T00:00:00Z" if is_day else text)
    except (TimeError, DurationError) as error:
        raise ConfigurationError(f"--at {text!r}: {error.what}", hint=error.todo) from None


def state_at(register: Register, moment: datetime, *, tenant: str | None = None) -> list[dict[str, object]]:
    """Return every record with its processes as they are at a time, ready for JSON.

    Args:
        register: the register; of an invalid one, the records that are valid by themselves.
        moment: a UTC time.
        tenant: only records of this tenant.
    """
    wanted = None if tenant is None else tenant.lower()
    return [_record_state(record, moment) for record in register.records if wanted in {None, record.tenant}]


def state_text(register: Register, moment: datetime, *, tenant: str | None = None) -> str:
    """Return the same as text for a terminal."""
    lines = [f"Consent register at {iso(moment.astimezone(UTC))}"]
    for entry in state_at(register, moment, tenant=tenant):
        lines.append("")
        lines.append(f"{entry['record']}  {entry['integration']}  (tenant {entry['tenant_id']})")
        processes = entry["processes"]
        lines += [_process_line(process) for process in processes] if isinstance(processes, list) else []
    return "\n".join(lines)


def check_summary(register: Register) -> dict[str, object]:
    """Return what ``register check`` found, ready for JSON."""
    return {
        "state": register.state,
        "hash": register.hash,
        "files": len(register.files),
        "records": len(register.records),
        "entries": sum(len(record.history) for record in register.records),
        "processes": sum(len(process_names(record)) for record in register.records),
        "back_dated": back_dated(register),
        "problems": [_problem_row(problem) for problem in register.problems],
        "warnings": [_problem_row(problem) for problem in register.warnings],
    }


def check_text(register: Register) -> str:
    """Return the same as text: problems, warnings, back-dated entries, and one line of counts."""
    lines = [str(problem) for problem in (*register.problems, *register.warnings)]
    for entry in back_dated(register):
        where = f"{entry['record']} history[{entry['entry']}]"
        lines.append(f"{where}: written down {entry['behind']} after it took effect ({entry['recorded_at']})")
    counts = f"{len(register.files)} files, {len(register.records)} valid records"
    found = f"{len(register.problems)} problems, {len(register.warnings)} warnings"
    lines.append(f"register is {register.state}: {counts}, {found}")
    return "\n".join(lines)


def back_dated(register: Register) -> list[dict[str, object]]:
    """Return the entries written down after they took effect: allowed, and shown."""
    return [
        {
            "tenant_id": record.tenant,
            "record": record.record,
            "entry": position,
            "event": entry.event,
            "effective_from": iso(entry.effective_from),
            "recorded_at": iso(entry.recorded_at),
            "behind": _length(entry.recorded_at - entry.effective_from),
        }
        for record in register.records
        for position, entry in enumerate(record.history)
        if entry.recorded_at > entry.effective_from
    ]


def _record_state(record: ConsentRecord, moment: datetime) -> dict[str, object]:
    version = in_force_at(record, moment)
    return {
        "tenant_id": record.tenant,
        "record": record.record,
        "integration": record.integration.name,
        "app_ids": list(record.integration.app_ids),
        "file": record.file,
        "version_in_force": version,
        "processes": [_process_state(record, process, moment) for process in process_names(record)],
    }


def _process_state(record: ConsentRecord, process: str, moment: datetime) -> dict[str, object]:
    version = compared_version(record, process, moment)
    entry = versions(record)[version]
    body = declared(entry, process)
    ending = ending_of(record, process, version)
    reason = period_reason_at(record, process, moment)
    resources = None if body is None else body.resources
    return {
        "process": process,
        "is_active": reason is None,
        "reason": reason,
        "version": version,
        "workload": None if body is None else body.workload,
        "purpose": None if body is None else body.purpose,
        "operations": [] if body is None else list(body.operations),
        "permissions": [] if body is None else [f"{item.name} ({item.kind})" for item in body.permissions],
        "resources": resources.model_dump(exclude_none=True) if isinstance(resources, ResourceList) else resources,
        "effective_from": iso(entry.effective_from),
        "effective_until": iso(entry.effective_until),
        "ended_at": None if ending is None else iso(ending.ended_at),
        "ended_by": None if ending is None else ending.ended_by,
    }


def _process_line(process: dict[str, object]) -> str:
    reason = process["reason"]
    if reason is None:
        state = f"active until {process['ended_at'] or process['effective_until']}"
    else:
        state = f"not active: {_REASONS[str(reason)]}"
        if process["ended_by"] is not None and reason != "before_start":
            state += f" ({process['ended_by']} {process['ended_at']})"
    return f"  {process['process']}  {process['workload']}  {state}"


def _problem_row(problem: Problem) -> dict[str, object]:
    return asdict(problem)


def _length(span: timedelta) -> str:
    """Return a length of time in words: days, else hours, else minutes."""
    for unit, name in ((timedelta(days=1), "days"), (timedelta(hours=1), "hours")):
        if span >= 2 * unit:
            return f"{span // unit} {name}"
    return f"{max(1, span // timedelta(minutes=1))} minutes"

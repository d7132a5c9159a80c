"""The consent register: reading it, checking it, its state at a time. Never judges an event, never writes a file."""

from __future__ import annotations

from m365audit.register.document import ConsentRecord, EndingEntry, FullEntry, record_schema
from m365audit.register.permissions import PermissionNames
from m365audit.register.processes import Process
from m365audit.register.reading import Register, canonical_hash, load_register
from m365audit.register.rows import register_rows
from m365audit.register.show import back_dated, check_summary, check_text, parse_at, state_at, state_text
from m365audit.register.state import Segment, period_reason_at, timeline

__all__ = [
    "ConsentRecord",
    "EndingEntry",
    "FullEntry",
    "PermissionNames",
    "Process",
    "Register",
    "Segment",
    "back_dated",
    "canonical_hash",
    "check_summary",
    "check_text",
    "load_register",
    "parse_at",
    "period_reason_at",
    "record_schema",
    "register_rows",
    "state_at",
    "state_text",
    "timeline",
]
